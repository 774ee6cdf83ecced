import type { ChatEndReason, ChatEvent, ChatToolCall, ChatUsage } from "../../ports/chat-model.ts";
import { ProviderError } from "../../ports/provider-error.ts";
import { streamedError } from "../streamed-error.ts";

type Json = Record<string, unknown>;
type Call = { provider: string; secrets: readonly string[] };

/** Puts an answer together from the lines of Ollama's stream, each of them JSON. */
export function ollamaReader(call: Call) {
  const toolCalls: ChatToolCall[] = [];
  let done: Json | undefined;

  const whole = () => ({ toolCalls, reason: endReason(done, toolCalls.length), usage: usageOf(done ?? {}) });
  return {
    /** The text that this line adds. */
    read(line: string): string {
      const parsed = parse(line, call);
      if (typeof parsed.error === "string") throw streamedError(parsed.error, call);
      if (parsed.done === true) done = parsed;
      const { message } = parsed;
      if (!isRecord(message)) return "";
      for (const one of Array.isArray(message.tool_calls) ? message.tool_calls : []) {
        const named = isRecord(one) && isRecord(one.function) ? one.function : {};
        if (typeof named.name !== "string") throw badLine(call);
        // Ollama gives its calls no ids: their place in the answer is one.
        toolCalls.push({
          id: `call_${toolCalls.length}`,
          name: named.name,
          arguments: named.arguments ?? {},
        });
      }
      return typeof message.content === "string" ? message.content : "";
    },
    ended: () => done !== undefined,
    whole,
    end(): ChatEvent[] {
      const { reason, usage } = whole();
      return [
        ...toolCalls.map((one): ChatEvent => ({ type: "tool-call", call: one })),
        { type: "end", reason, usage },
      ];
    },
  };
}

function endReason(done: Json | undefined, calls: number): ChatEndReason {
  if (done?.done_reason === "length") return "length";
  if (calls > 0) return "tool-calls";
  return done?.done_reason === "stop" ? "stop" : "other";
}

function usageOf(done: Json): ChatUsage {
  const number = (value: unknown) => (typeof value === "number" ? value : null);
  return { inputTokens: number(done.prompt_eval_count), outputTokens: number(done.eval_count) };
}

function parse(line: string, call: Call): Json {
  try {
    const parsed: unknown = JSON.parse(line);
    if (isRecord(parsed)) return parsed;
  } catch {
    // Said below.
  }
  throw badLine(call);
}

function badLine({ provider }: Call): ProviderError {
  const facts = { provider, status: 200, code: "bad_answer", retryable: true } as const;
  return new ProviderError(
    `${provider} sent something that is no answer of its API. Check the base URL.`,
    facts,
  );
}

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
