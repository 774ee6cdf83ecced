import type {
  ChatCompletion,
  ChatEndReason,
  ChatEvent,
  ChatToolCall,
  ChatUsage,
} from "../../ports/chat-model.ts";
import { ProviderError } from "../../ports/provider-error.ts";
import { parseArguments } from "../chat-tool-calls.ts";
import { streamedError } from "../streamed-error.ts";

type Json = Record<string, unknown>;
type Call = { provider: string; secrets: readonly string[] };

/** Puts an answer together from the chunks of a stream. Read by hand: a schema costs as much as the rest of a token. */
export function chunkReader(call: Call) {
  const toolCalls = new Map<number, { id: string; name: string; text: string }>();
  let reason: string | null = null;
  let usage: ChatUsage = { inputTokens: null, outputTokens: null };

  function readToolCalls(deltas: readonly unknown[]): void {
    for (const [place, delta] of deltas.entries()) {
      if (!isRecord(delta)) throw badChunk(call);
      // Some servers leave the index out and send whole calls, each in its own chunk.
      const index = typeof delta.index === "number" ? delta.index : toolCalls.size + place;
      const known = toolCalls.get(index) ?? { id: "", name: "", text: "" };
      const named = isRecord(delta.function) ? delta.function : {};
      known.id ||= textOf(delta.id);
      known.name ||= textOf(named.name);
      known.text += textOf(named.arguments);
      toolCalls.set(index, known);
    }
  }

  return {
    /** The text that this chunk adds. */
    read(data: string): string {
      const chunk = parseChunk(data, call);
      if (chunk.error !== undefined && chunk.error !== null) throw streamedError(chunk.error, call);
      if (isRecord(chunk.usage)) usage = usageOf(chunk.usage);
      const choice = Array.isArray(chunk.choices) ? chunk.choices[0] : undefined;
      if (!isRecord(choice)) return "";
      if (typeof choice.finish_reason === "string") reason = choice.finish_reason;
      const { delta } = choice;
      if (!isRecord(delta)) return "";
      if (Array.isArray(delta.tool_calls)) readToolCalls(delta.tool_calls);
      return textOf(delta.content) || textOf(delta.refusal);
    },
    /** Whether the vendor said how it ended. */
    ended: () => reason !== null,
    end(): ChatEvent[] {
      const calls = [...toolCalls.values()].map((one, index) => toolCall(one, index));
      return [
        ...calls.map((one): ChatEvent => ({ type: "tool-call", call: one })),
        { type: "end", reason: endReason(reason, calls.length), usage },
      ];
    },
  };
}

/** The answer that came in one piece. */
export function readCompletion(json: unknown, call: Call): ChatCompletion {
  const choice = isRecord(json) && Array.isArray(json.choices) ? json.choices[0] : undefined;
  if (!isRecord(json) || !isRecord(choice) || !isRecord(choice.message)) {
    if (isRecord(json) && isRecord(json.error)) throw streamedError(json.error, call);
    throw badChunk(call);
  }
  const { message } = choice;
  const calls = (Array.isArray(message.tool_calls) ? message.tool_calls : []).map((one, index) => {
    const named = isRecord(one) && isRecord(one.function) ? one.function : undefined;
    if (named === undefined) throw badChunk(call);
    const { id } = Object(one);
    return toolCall({ id: textOf(id), name: textOf(named.name), text: textOf(named.arguments) }, index);
  });
  return {
    text: textOf(message.content) || textOf(message.refusal),
    toolCalls: calls,
    reason: endReason(textOf(choice.finish_reason), calls.length),
    usage: isRecord(json.usage) ? usageOf(json.usage) : { inputTokens: null, outputTokens: null },
  };
}

function toolCall(
  { id, name, text }: { id: string; name: string; text: string },
  index: number,
): ChatToolCall {
  return { id: id || `call_${index}`, name, arguments: parseArguments(text) };
}

/** Some servers say `stop` although they wish to call a tool. */
function endReason(reason: string | null, calls: number): ChatEndReason {
  if (reason === "length" || reason === "max_tokens") return "length";
  if (reason === "content_filter") return "filtered";
  if (calls > 0) return "tool-calls";
  return reason === "stop" ? "stop" : "other";
}

function usageOf(usage: Json): ChatUsage {
  const number = (value: unknown) => (typeof value === "number" ? value : null);
  return { inputTokens: number(usage.prompt_tokens), outputTokens: number(usage.completion_tokens) };
}

function parseChunk(data: string, call: Call): Json {
  try {
    const chunk: unknown = JSON.parse(data);
    if (isRecord(chunk)) return chunk;
  } catch {
    // Said below.
  }
  throw badChunk(call);
}

function badChunk({ provider }: Call): ProviderError {
  return new ProviderError(`${provider} sent something that is no chat completion. Check the base URL.`, {
    provider,
    status: 200,
    code: "bad_answer",
    retryable: true,
  });
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
