import type { App } from "../context.ts";
import type { AccountCaller } from "../http/caller.ts";
import { WrittenStream } from "../http/event-stream.ts";
import { answerTurn } from "./answer-turn.ts";
import { readAttachments } from "./attachments.ts";
import { beginTurn } from "./begin-turn.ts";
import type { AskWorkspace } from "./chat.schemas.ts";
import { beginEvents, chatEventWriter } from "./chat-events.ts";
import { draftOf, metricsOf } from "./draft.ts";
import { asProblem } from "./model-problem.ts";
import type { TurnEnd, TurnEvent, TurnQuestion } from "./turn.ts";

const WAS_RESET = "Chat history was reset!";

/** Where a question is asked: in the workspace, or in a thread of it. */
export interface Place {
  slug: string;
  threadSlug: string | null;
}

/** One question, answered in one piece. */
export async function chat(
  app: App,
  caller: AccountCaller,
  place: Place,
  asked: AskWorkspace,
  signal: AbortSignal,
) {
  try {
    for await (const event of eventsOf(app, caller, place, asked, signal))
      if (event.type === "end") return toAnswer(app, event);
  } catch (error) {
    throw asProblem(error, signal);
  }
  throw new Error("a turn ended without its end");
}

/** The same as server-sent events. What fails before the first of them is an error like any other. */
export async function streamChat(
  app: App,
  caller: AccountCaller,
  place: Place,
  asked: AskWorkspace,
  signal: AbortSignal,
) {
  try {
    const follow = await beginEvents(eventsOf(app, caller, place, asked, signal));
    const translate = (error: unknown) => {
      const problem = asProblem(error, signal);
      if (!signal.aborted) logBroken(app, caller, error);
      return problem;
    };
    return new WrittenStream(() => follow(translate), chatEventWriter(app.newId()));
  } catch (error) {
    throw asProblem(error, signal);
  }
}

export function logBroken(
  app: App,
  { requestId, partnerId, accountId }: AccountCaller,
  error: unknown,
): void {
  app.log.warn({ error, requestId, partnerId, accountId }, "a streamed answer broke off");
}

function eventsOf(
  app: App,
  caller: AccountCaller,
  { slug, threadSlug }: Place,
  asked: AskWorkspace,
  signal: AbortSignal,
): AsyncGenerator<TurnEvent, void, void> {
  const text = asked.message ?? "";
  const question: TurnQuestion = {
    channel: "api",
    sessionId: asked.sessionId ?? null,
    threadSlug,
    contactId: null,
    text,
    ...readAttachments(asked.attachments ?? []),
    mode: asked.mode ?? null,
    reset: asked.reset ?? false,
    client: null,
  };
  return text.trim() === ""
    ? resetOnly(app, caller, slug, question)
    : answerTurn(app, caller, slug, question, signal);
}

async function* resetOnly(
  app: App,
  caller: AccountCaller,
  slug: string,
  question: TurnQuestion,
): AsyncGenerator<TurnEvent, void, void> {
  await beginTurn(app, caller, slug, question);
  const draft = { ...draftOf(app), text: WAS_RESET };
  yield { type: "text", text: WAS_RESET };
  const { text, sources, reason } = draft;
  yield { type: "end", text, sources, reason, metrics: metricsOf(app, draft), chatId: null, paused: false };
}

function toAnswer(app: App, { text, sources, chatId, metrics, paused }: TurnEnd) {
  return {
    id: app.newId(),
    type: "textResponse" as const,
    textResponse: text,
    sources,
    close: true as const,
    error: null,
    chatId,
    metrics,
    paused,
  };
}
