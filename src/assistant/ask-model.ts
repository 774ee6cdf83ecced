import type { App } from "../context.ts";
import { recordToolCall } from "../tools/tool-calls.ts";
import { callContextOf } from "./attached-tools.ts";
import { ensureConversation, type Turn } from "./begin-turn.ts";
import { type CallRecord, claimsDeed, correctionsOf } from "./claims.ts";
import { type ConverseEnd, converse } from "./converse.ts";
import type { Draft } from "./draft.ts";
import type { Grounding } from "./grounding.ts";
import { type Language, languageOf } from "./language.ts";
import { createOutgoing } from "./outgoing.ts";
import { PHRASES } from "./phrases.ts";
import {
  type Asking,
  type Prepared,
  prepareAsking,
  saidBy,
  secretsOf,
  settingsOf,
} from "./prepare-asking.ts";
import { type Evidence, type Source, toSource } from "./sources.ts";
import type { TurnEvent } from "./turn.ts";

/**
 * Has a model answer from what was found, and lets through only what may go out: no citation without its source, none
 * of the instructions, no claim that the ledger of calls does not bear out.
 */
export async function* askModel(
  app: App,
  turn: Turn,
  asking: Asking,
  draft: Draft,
  signal: AbortSignal,
): AsyncGenerator<TurnEvent, void, void> {
  const prepared = prepareAsking(app, turn, asking);
  const { evidence, mark } = prepared;
  const { kind } = asking.grounding;
  const ledger: CallRecord[] = [];
  const outgoing = createOutgoing({
    secrets: secretsOf(turn),
    mark,
    offered: () => evidence.length,
    renumber: kind === "whole",
    read: () => [...evidence.map(({ text }) => text), ...saidBy(turn)],
  });
  const say = (text: string): TurnEvent => {
    draft.text += text;
    draft.sources = sourcesOf(kind, evidence, outgoing.cited());
    return { type: "text", text };
  };

  draft.model = prepared.models[0] ?? null;
  draft.unsettled = prepared.prompt.messages;
  turn.question.onAsking?.(asking.grounding.retrievalMs);
  for await (const event of conversation(app, turn, prepared, ledger, signal)) {
    if (event.type === "text") {
      const text = outgoing.push(event.text);
      if (text !== "") yield say(text);
      // Leaving the loop ends the model's work.
      if (outgoing.leaked()) break;
    } else if (event.type === "end") settle(draft, event);
    else {
      if (event.type === "client-calls") draft.reason = "tool-calls";
      yield event;
    }
  }
  const rest = outgoing.end();
  if (rest !== "") yield say(rest);
  const language = languageOf(
    turn.question.text,
    evidence.map(({ metadata }) => metadata.language),
  );
  for (const addition of additionsOf(app, turn, draft, outgoing.leaked(), ledger, language))
    yield say(addition);
}

function conversation(
  app: App,
  turn: Turn,
  { prompt, evidence, models, tools, clientTools }: Prepared,
  ledger: CallRecord[],
  signal: AbortSignal,
) {
  return converse(
    app,
    {
      models,
      messages: prompt.messages,
      maxOutputTokens: Math.min(prompt.maxOutputTokens, ...models.map((model) => model.maxOutputTokens)),
      spareTokens: prompt.spareTokens,
      settings: settingsOf(turn),
      clientTools,
      surroundings: {
        tools,
        documents: () => evidence.map(({ text }) => text),
        said: saidBy(turn),
        ledger,
        beforeCalls: () => ensureConversation(app, turn),
        record: (call, { status, code, ms, content }) =>
          recordToolCall(app, callContextOf(turn), {
            toolId: null,
            toolName: call.name,
            arguments: call.arguments,
            code: status === "ok" ? null : (code ?? "tool_error"),
            ms,
            bytes: Buffer.byteLength(content),
          }),
      },
    },
    signal,
  );
}

/** The end of the conversation with the model: from here on, its own figures count. */
function settle(draft: Draft, end: ConverseEnd): void {
  draft.usage.inputTokens += end.usage.inputTokens;
  draft.usage.outputTokens += end.usage.outputTokens;
  draft.model = end.model;
  draft.unsettled = null;
  if (draft.reason !== "tool-calls" && end.reason === "length") draft.reason = "length";
}

/** What the engine itself says at the end. */
function additionsOf(
  app: App,
  turn: Turn,
  draft: Draft,
  leaked: boolean,
  ledger: readonly CallRecord[],
  language: Language,
): string[] {
  const phrases = PHRASES[language];
  if (leaked) {
    const { workspace, caller } = turn;
    app.log.warn(
      { requestId: caller.requestId, workspaceId: workspace.id },
      "an answer that began to show its instructions was stopped",
    );
    return [draft.text === "" ? phrases.keepsInstructions : `\n\n${phrases.keepsInstructions}`];
  }
  if (draft.reason === "tool-calls") return [];
  const missing = correctionsOf(draft.text, ledger, language, mayHaveDone(turn, draft.text));
  if (draft.text.trim() === "" && missing.length === 0) return [phrases.noAnswer];
  return missing.map((sentence) => (draft.text === "" ? sentence : `\n\n${sentence}`));
}

/** What the client's tools did is the client's to know; what an earlier answer said was checked then. */
function mayHaveDone({ question, turns }: Turn, text: string): boolean {
  if (question.client !== null && (question.client.tools.length > 0 || question.client.after.length > 0))
    return true;
  const before = question.client?.before ?? turns.flat();
  return (
    claimsDeed(text) && before.some((message) => message.role === "assistant" && claimsDeed(message.text))
  );
}

/**
 * What the answer rests on. A small workspace was read whole, so only what was cited says where the answer is from;
 * where nothing was cited, it may be from anywhere.
 */
function sourcesOf(
  kind: Grounding["kind"],
  evidence: readonly Evidence[],
  cited: readonly number[],
): Source[] {
  if (kind === "search" || cited.length === 0) return evidence.map(toSource);
  return cited.flatMap((number) => {
    const one = evidence[number - 1];
    return one === undefined ? [] : [toSource(one)];
  });
}
