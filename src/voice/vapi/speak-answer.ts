import type { TurnEnd, TurnEvent } from "../../assistant/turn.ts";
import { takeClauses } from "../turn/clauses.ts";
import { speakable } from "../turn/speakable.ts";
import type { SpokenPhrases } from "../turn/spoken-phrases.ts";

/** The built-in tool by which a model asks for a human. */
const HANDOFF_TOOL = "request_handoff";

/** What Vapi does with the call when an answer calls it: these are in the assistant that it was given. */
export const CALL_TOOLS = { transfer: "transferCall", end: "endCall" } as const;

export type ToolEvent = Extract<TurnEvent, { type: "tool-started" | "tool-ended" }>;

/** What is told of an answer while it is spoken. */
export interface SpeakingHooks {
  /** With the first words. */
  onFirstWords(): void;
  onTool(event: ToolEvent): void;
  /** A human goes on. Tells whether one can be dialled; otherwise somebody gets back to the caller. */
  onHandoff(): Promise<{ canTransfer: boolean }>;
  onFailure(error: unknown): void;
}

export interface Speaking {
  phrases: SpokenPhrases;
  /** Until the caller is asked for patience. */
  patienceMs: number;
  /** Of the question: what the answer has Vapi do is named after it. */
  turnId: string;
  hooks: SpeakingHooks;
}

/**
 * An answer as it is spoken: clause by clause, without Markdown and citations, and never nothing. A slow one asks for
 * patience once; one that fails is an apology; one that hands the caller over has Vapi transfer or end the call.
 */
export async function* speakAnswer(
  events: AsyncGenerator<TurnEvent, void, void>,
  { phrases, patienceMs, turnId, hooks }: Speaking,
  signal: AbortSignal,
): AsyncGenerator<TurnEvent, void, void> {
  const spoken = { text: "", pending: "", isInLine: false, isHandedOff: false };
  let end: TurnEnd | undefined;

  function say(words: string): TurnEvent[] {
    if (words === "") return [];
    if (spoken.text === "") hooks.onFirstWords();
    spoken.text += `${words} `;
    return [{ type: "text", text: `${words} ` }];
  }
  function speak(clause: string): TurnEvent[] {
    const words = speakable(clause, spoken.isInLine);
    spoken.isInLine = !clause.endsWith("\n");
    return say(words);
  }
  function flush(): TurnEvent[] {
    const { pending } = spoken;
    spoken.pending = "";
    return pending === "" ? [] : speak(pending);
  }

  try {
    for await (const event of withPatience(events, patienceMs)) {
      if (event === "slow") {
        if (spoken.text === "") yield* say(phrases.oneMoment);
      } else if (event.type === "text") {
        const { clauses, rest } = takeClauses(spoken.pending + event.text, spoken.text === "");
        spoken.pending = rest;
        for (const clause of clauses) yield* speak(clause);
      } else if (event.type === "end") {
        end = event;
      } else {
        yield* flush();
        if (event.type !== "client-calls") hooks.onTool(event);
        const isDone = event.type === "tool-ended" && event.status === "ok";
        if (isDone && event.tool === HANDOFF_TOOL) spoken.isHandedOff = true;
      }
    }
    yield* flush();
  } catch (error) {
    if (signal.aborted) throw error;
    hooks.onFailure(error);
    yield* say(spoken.isHandedOff ? "" : phrases.apology);
  }
  if (spoken.isHandedOff || end?.paused === true) {
    const { canTransfer } = await hooks.onHandoff();
    yield* say(canTransfer ? phrases.colleague : phrases.callBack);
    yield* leave(
      canTransfer ? CALL_TOOLS.transfer : CALL_TOOLS.end,
      { ...(end ?? NOTHING), text: spoken.text },
      turnId,
    );
    return;
  }
  if (spoken.text === "") yield* say(phrases.noAnswer);
  yield { ...(end ?? NOTHING), text: spoken.text };
}

/** Words that end the call. */
export function* speakLast(words: string, turnId: string): Generator<TurnEvent, void, void> {
  yield { type: "text", text: words };
  yield* leave(CALL_TOOLS.end, { ...NOTHING, text: words }, turnId);
}

function* leave(tool: string, end: TurnEnd, turnId: string): Generator<TurnEvent, void, void> {
  yield { type: "client-calls", calls: [{ id: `${tool}-${turnId}`, name: tool, arguments: {} }] };
  yield { ...end, reason: "tool-calls" };
}

/** The end of an answer that failed. */
const NOTHING: TurnEnd = {
  type: "end",
  chatId: null,
  text: "",
  sources: [],
  metrics: {
    prompt_tokens: 0,
    completion_tokens: 0,
    total_tokens: 0,
    duration: 0,
    outputTps: 0,
    model: null,
    provider: null,
    timestamp: "",
  },
  reason: "stop",
  paused: false,
};

/** The same events, and `slow` once when the next of them lets wait for it. */
async function* withPatience<Event>(
  events: AsyncGenerator<Event, void, void>,
  ms: number,
): AsyncGenerator<Event | "slow", void, void> {
  let timer: NodeJS.Timeout | undefined;
  const slow = new Promise<"slow">((resolve) => {
    timer = setTimeout(() => resolve("slow"), ms);
  });
  let hasWaited = false;
  try {
    for (;;) {
      const next = events.next();
      if (!hasWaited && (await Promise.race([next.then(() => "next" as const), slow])) === "slow") {
        hasWaited = true;
        yield "slow";
      }
      const result = await next;
      if (result.done === true) return;
      yield result.value;
    }
  } finally {
    clearTimeout(timer);
    await events.return();
  }
}
