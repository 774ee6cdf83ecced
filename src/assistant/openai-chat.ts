import type { App } from "../context.ts";
import type { AccountCaller } from "../http/caller.ts";
import { WrittenStream } from "../http/event-stream.ts";
import { Problem } from "../http/problem.ts";
import type { ChatMessage, ChatToolCall } from "../ports/chat-model.ts";
import { answerTurn } from "./answer-turn.ts";
import { logBroken } from "./chat.ts";
import { beginEvents } from "./chat-events.ts";
import { asProblem } from "./model-problem.ts";
import type { CompletionRequest } from "./openai.schemas.ts";
import { callOf, completionWriter, reasonOf, usageOf } from "./openai-events.ts";
import { toQuestion } from "./openai-messages.ts";
import type { TurnEvent } from "./turn.ts";

/** One question, asked as OpenAI's clients ask. The client keeps the conversation; each turn is kept here as well. */
export async function createCompletion(
  app: App,
  caller: AccountCaller,
  request: CompletionRequest,
  signal: AbortSignal,
) {
  const events = visible(await ask(app, caller, request, signal));
  const head = {
    id: `chatcmpl-${app.newId()}`,
    created: Math.floor(app.now().getTime() / 1000),
    model: request.model,
  };
  try {
    if (request.stream !== true) return await inOnePiece(head, events);
    const follow = await beginEvents(events);
    const translate = (error: unknown) => {
      if (!signal.aborted) logBroken(app, caller, error);
      return asProblem(error, signal);
    };
    const includeUsage = request.stream_options?.include_usage === true;
    return new WrittenStream(() => follow(translate), completionWriter(head, includeUsage));
  } catch (error) {
    throw asModelProblem(asProblem(error, signal));
  }
}

/** A voice platform asks for a call that it holds: its settings and tools are those of its model, not of ours. */
async function ask(app: App, caller: AccountCaller, request: CompletionRequest, signal: AbortSignal) {
  const question = toQuestion(request);
  const call = "call" in request ? await app.joinCall(app, caller, request, question.text) : null;
  if (call === null || question.client === null)
    return answerTurn(app, caller, request.model, question, signal);
  const { instructions, before } = question.client;
  const client = { instructions, before: before.flatMap(saidOf), after: [], tools: [], settings: {} };
  const spoken = { ...question, ...call.question, client };
  return call.speak(answerTurn(app, caller, request.model, spoken, signal), signal);
}

/** What was said in it: what the platform did with the call is none of the conversation's business. */
function saidOf(message: ChatMessage): ChatMessage[] {
  const { role, text } = message;
  return (role === "user" || role === "assistant") && text !== "" ? [{ role, text }] : [];
}

/** The workspace's own tools run here: the client hears only of its own. */
async function* visible(
  events: AsyncGenerator<TurnEvent, void, void>,
): AsyncGenerator<TurnEvent, void, void> {
  for await (const event of events)
    if (event.type !== "tool-started" && event.type !== "tool-ended") yield event;
}

async function inOnePiece(
  head: { id: string; created: number; model: string },
  events: AsyncIterable<TurnEvent>,
) {
  let calls: readonly ChatToolCall[] = [];
  for await (const event of events) {
    if (event.type === "client-calls") calls = event.calls;
    if (event.type !== "end") continue;
    const message = {
      role: "assistant" as const,
      content: calls.length > 0 && event.text === "" ? null : event.text,
      refusal: null,
      ...(calls.length === 0 ? {} : { tool_calls: calls.map(callOf) }),
    };
    return {
      ...head,
      object: "chat.completion" as const,
      choices: [{ index: 0, message, logprobs: null, finish_reason: reasonOf(event) }],
      usage: usageOf(event),
    };
  }
  throw new Error("a turn ended without its end");
}

/** The workspace is named by `model` here, and the message is one of several. */
function asModelProblem(error: unknown): unknown {
  if (!(error instanceof Problem)) return error;
  if (error.code === "not_found") {
    return new Problem(
      "not_found",
      "There is no such model under this account: `model` is the original slug of a workspace.",
      { details: [{ path: "body.model", message: "is no workspace under this account" }] },
    );
  }
  const details = error.options.details?.map(({ path, message }) => ({
    path: path === "body.message" ? "body.messages" : path,
    message,
  }));
  return new Problem(error.code, error.message, {
    ...error.options,
    ...(details === undefined ? {} : { details }),
  });
}
