import { Problem } from "../http/problem.ts";
import type { ChatToolCall } from "../ports/chat-model.ts";
import { sentenceOf, type TurnFailure } from "./chat-events.ts";
import type { TurnEnd, TurnEvent } from "./turn.ts";

/** What all parts of an answer say of it. */
export interface CompletionHead {
  id: string;
  created: number;
  model: string;
}

/** Between two events of one piece of text. */
const NEXT = "\n\ndata: ";

/** The `data:` of each event of a streamed answer, as OpenAI documents its chunks; `[DONE]` after the last. */
export function completionWriter(
  { id, created, model }: CompletionHead,
  includeUsage: boolean,
): (event: TurnEvent | TurnFailure) => string {
  const head = `{"id":${JSON.stringify(id)},"object":"chat.completion.chunk","created":${created},"model":${JSON.stringify(model)},`;
  const usage = includeUsage ? ',"usage":null' : "";
  const chunk = (delta: string, reason: string | null) =>
    `${head}"choices":[{"index":0,"delta":${delta},"logprobs":null,"finish_reason":${JSON.stringify(reason)}}]${usage}}`;
  let hasBegun = false;
  const begin = () => {
    if (hasBegun) return "";
    hasBegun = true;
    return chunk('{"role":"assistant","content":""}', null) + NEXT;
  };
  return (event) => {
    switch (event.type) {
      case "text":
        return begin() + chunk(`{"content":${JSON.stringify(event.text)}}`, null);
      case "client-calls":
        return begin() + chunk(JSON.stringify({ tool_calls: event.calls.map(writeCall) }), null);
      case "end":
        return [
          begin() + chunk("{}", reasonOf(event)),
          ...(includeUsage ? [`${head}"choices":[],"usage":${JSON.stringify(usageOf(event))}}`] : []),
          "[DONE]",
        ].join(NEXT);
      case "failed":
        return JSON.stringify({ error: errorOf(event.error) });
      default:
        // The workspace's own tools are none of the client's business.
        throw new Error(`${event.type} is not for clients of this surface`);
    }
  };
}

export function reasonOf({ reason }: TurnEnd): "stop" | "length" | "tool_calls" {
  return reason === "tool-calls" ? "tool_calls" : reason;
}

export function usageOf({ metrics }: TurnEnd) {
  const { prompt_tokens, completion_tokens, total_tokens } = metrics;
  return { prompt_tokens, completion_tokens, total_tokens };
}

function writeCall({ id, name, arguments: args }: ChatToolCall, index: number) {
  return { index, ...callOf({ id, name, arguments: args }) };
}

export function callOf({ id, name, arguments: args }: ChatToolCall) {
  const text = typeof args === "string" ? args : JSON.stringify(args ?? {});
  return { id, type: "function" as const, function: { name, arguments: text } };
}

function errorOf(error: unknown) {
  const code = error instanceof Problem ? error.code : "internal";
  return { message: sentenceOf(error), type: "server_error", param: null, code };
}
