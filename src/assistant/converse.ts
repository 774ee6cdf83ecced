import type { App } from "../context.ts";
import { countTokens } from "../models/tokens.ts";
import { type FallbackHooks, withFallback } from "../models/with-fallback.ts";
import type {
  ChatEndReason,
  ChatMessage,
  ChatModel,
  ChatRequest,
  ChatTool,
  ChatToolCall,
} from "../ports/chat-model.ts";
import { cutToTokens } from "./budget.ts";
import { CALLS_MAX, type CallSurroundings, type FinishedCall, runCalls } from "./turn-tools.ts";

/** A model that goes on wishing for tools after it was told that there are none left is not asked for ever. */
const ROUNDS_MAX = CALLS_MAX + 2;
/** Less than this is no room for a result. */
const RESULT_TOKENS_MIN = 40;

/** One conversation with a model: what it is told, and what it may do. */
export interface Conversing {
  models: readonly ChatModel[];
  messages: readonly ChatMessage[];
  maxOutputTokens: number;
  /** Tokens left for results of tools. */
  spareTokens: number;
  settings: Pick<ChatRequest, "toolChoice" | "temperature" | "topP" | "stop">;
  surroundings: CallSurroundings;
  /** Run by the client. */
  clientTools: readonly ChatTool[];
}

/** The last event: what it all took, and whose answer it is. */
export type ConverseEnd = {
  type: "end";
  reason: ChatEndReason;
  model: ChatModel;
  usage: { inputTokens: number; outputTokens: number };
};

export type ConverseEvent =
  | { type: "text"; text: string }
  | { type: "tool-started"; callId: string; tool: string }
  | { type: "tool-ended"; callId: string; tool: string; status: "ok" | "failed"; ms: number }
  | { type: "client-calls"; calls: readonly ChatToolCall[] }
  | ConverseEnd;

/**
 * Asks the model, runs the tools it wishes for, tells it what came of them, and so on until it has answered. Failures
 * of tools are results like others; a failure of the model is thrown.
 *
 * @throws ProviderError of the model; the reason of `signal`
 */
export async function* converse(
  app: App,
  { models, settings, ...given }: Conversing,
  signal: AbortSignal,
): AsyncGenerator<ConverseEvent, void, void> {
  const { surroundings, clientTools } = given;
  const messages = [...given.messages];
  const tools = [...surroundings.tools.map(({ definition }) => definition), ...clientTools];
  const usage = { inputTokens: 0, outputTokens: 0 };
  let spare = given.spareTokens;
  let candidates = models;
  let hasSpoken = false;
  for (let round = 1; ; round += 1) {
    const isLast = surroundings.ledger.length >= CALLS_MAX || round === ROUNDS_MAX;
    const request: ChatRequest = {
      messages,
      ...settings,
      maxOutputTokens: given.maxOutputTokens,
      ...(tools.length === 0 ? {} : { tools, toolChoice: choiceFor(settings.toolChoice, round, isLast) }),
    };
    const asked: Round = yield* askOnce(app, candidates, request, hasSpoken, signal);
    const { calls, text, reason } = asked;
    usage.inputTokens += asked.usage.inputTokens;
    usage.outputTokens += asked.usage.outputTokens;
    hasSpoken ||= text !== "";
    // Who has answered once answers to the end.
    candidates = candidates.slice(candidates.indexOf(asked.model));
    const own = calls.filter((call) => !clientTools.some(({ name }) => name === call.name));
    if (calls.length > 0 && own.length === 0) yield { type: "client-calls", calls };
    if (own.length === 0 || round === ROUNDS_MAX) {
      yield { type: "end", reason, model: asked.model, usage };
      return;
    }
    for (const { id, name } of own) yield { type: "tool-started", callId: id, tool: name };
    const finished = await runCalls(own, surroundings, signal);
    for (const { call, status, ms } of finished)
      yield { type: "tool-ended", callId: call.id, tool: call.name, status, ms };
    spare = tellResults(messages, { calls, text, finished }, spare);
  }
}

interface Round {
  calls: ChatToolCall[];
  text: string;
  reason: ChatEndReason;
  model: ChatModel;
  usage: { inputTokens: number; outputTokens: number };
}

/** One request to the first model that begins to answer it. */
async function* askOnce(
  app: App,
  models: readonly ChatModel[],
  request: ChatRequest,
  hasSpoken: boolean,
  signal: AbortSignal,
): AsyncGenerator<ConverseEvent, Round, void> {
  const [first] = models;
  if (first === undefined) throw new Error("there is no model to ask");
  const round: Round = {
    calls: [],
    text: "",
    reason: "other",
    model: first,
    usage: { inputTokens: 0, outputTokens: 0 },
  };
  const hooks: FallbackHooks = {
    onModel: (model) => {
      round.model = model;
    },
    onFailure: (model, error) =>
      app.log.warn({ error, provider: model.provider, model: model.model }, "a language model failed"),
  };
  for await (const event of withFallback(models, request, signal, hooks)) {
    if (event.type === "text") {
      // What it said before its tools and what it says after them are two paragraphs.
      yield { type: "text", text: round.text === "" && hasSpoken ? `\n\n${event.text}` : event.text };
      round.text += event.text;
    } else if (event.type === "tool-call") round.calls.push(event.call);
    else {
      round.reason = event.reason;
      round.usage = {
        inputTokens: event.usage.inputTokens ?? estimateInput(request),
        outputTokens: event.usage.outputTokens ?? countTokens(round.text),
      };
    }
  }
  return round;
}

/** Tells the model what became of its calls. @returns the tokens that are left for further results */
function tellResults(
  messages: ChatMessage[],
  { calls, text, finished }: Pick<Round, "calls" | "text"> & { finished: readonly FinishedCall[] },
  spare: number,
): number {
  let left = spare - countTokens(text + JSON.stringify(calls));
  const wishes: ChatMessage = { role: "assistant", text, toolCalls: calls };
  // There is room for the calls, or for what is left of them: a result needs its call.
  messages.push(left > 0 ? wishes : { ...wishes, text: "", toolCalls: calls.map(withoutArguments) });
  for (const call of calls) {
    const result = finished.find((one) => one.call === call);
    const message = resultMessage(call, result, left);
    left -= countTokens(message.text) + RESULT_TOKENS_MIN;
    messages.push(message);
  }
  return left;
}

function withoutArguments({ id, name }: ChatToolCall): ChatToolCall {
  return { id, name, arguments: {} };
}

function resultMessage(call: ChatToolCall, result: FinishedCall | undefined, spare: number): ChatMessage {
  const content = result?.content ?? "It was not run yet: call it again by itself if it is still needed.";
  const cut = fitResult(content, spare);
  return {
    role: "tool",
    callId: call.id,
    toolName: call.name,
    text: result?.status === "failed" ? `FAILED. ${cut}` : cut,
    failed: result?.status !== "ok",
  };
}

/** A forced choice is for the first round: it would have the model call for ever. */
function choiceFor(
  wanted: ChatRequest["toolChoice"],
  round: number,
  isLast: boolean,
): ChatRequest["toolChoice"] {
  if (isLast) return "none";
  return round === 1 ? (wanted ?? "auto") : "auto";
}

function fitResult(content: string, spare: number): string {
  if (spare < RESULT_TOKENS_MIN * 2) return "The result is too long to be read.";
  return cutToTokens(content, spare - RESULT_TOKENS_MIN, countTokens);
}

function estimateInput({ messages }: ChatRequest): number {
  return messages.reduce((sum, { text }) => sum + countTokens(text), 0);
}
