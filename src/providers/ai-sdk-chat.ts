import type { LanguageModelV4, LanguageModelV4FinishReason, LanguageModelV4Usage } from "@ai-sdk/provider";
import type { ChatEndReason, ChatEvent, ChatModel, ChatToolCall, ChatUsage } from "../ports/chat-model.ts";
import { aiSdkFailure, brokenOff } from "./ai-sdk-failure.ts";
import { callOptions } from "./ai-sdk-prompt.ts";
import type { Fetch } from "./call-provider.ts";
import { CHAT_TIMEOUTS, type ChatModelOptions, chatLimits } from "./chat-options.ts";
import { parseArguments } from "./chat-tool-calls.ts";
import { startChatWatch } from "./chat-watch.ts";

type Call = { provider: string; secrets: readonly string[] };

/**
 * A language model of the AI SDK behind our port: the vendor's package knows its wire format, we its limits and errors.
 *
 * @param load brings the vendor's package in when it is first needed: all of them take 350 ms and 27 MB at every start
 */
export function aiSdkChat(
  provider: string,
  options: ChatModelOptions,
  load: () => Promise<LanguageModelV4>,
): ChatModel {
  let loaded: Promise<LanguageModelV4> | undefined;
  const sdk = () => {
    loaded ??= load();
    return loaded;
  };
  const call = { provider, secrets: [options.apiKey ?? ""] };
  const { timeouts } = options;
  return {
    ...chatLimits(provider, options),

    async *stream(request, signal) {
      const watch = startChatWatch(provider, signal, timeouts);
      try {
        const { stream } = await (await sdk()).doStream({
          ...callOptions(request),
          abortSignal: watch.signal,
        });
        yield* readParts(stream, call, watch.beat);
      } catch (error) {
        throw watch.signal.aborted ? watch.signal.reason : aiSdkFailure(error, call);
      } finally {
        watch.stop();
      }
    },

    async complete(request, signal) {
      const wholeMs = timeouts?.wholeMs ?? CHAT_TIMEOUTS.wholeMs;
      const watch = startChatWatch(provider, signal, { ...timeouts, firstMs: wholeMs });
      try {
        const answer = await (await sdk()).doGenerate({ ...callOptions(request), abortSignal: watch.signal });
        const parts = answer.content;
        const toolCalls = parts.flatMap((part) => (part.type === "tool-call" ? [toolCallOf(part)] : []));
        return {
          text: parts.map((part) => (part.type === "text" ? part.text : "")).join(""),
          toolCalls,
          reason: endReason(answer.finishReason, toolCalls.length),
          usage: usageOf(answer.usage),
        };
      } catch (error) {
        throw watch.signal.aborted ? watch.signal.reason : aiSdkFailure(error, call);
      } finally {
        watch.stop();
      }
    },
  };
}

/** Redirects would carry the key to a place nobody configured. */
export function withoutRedirects(send: Fetch): Fetch {
  return (input, init) => send(input, { ...init, redirect: "manual" });
}

async function* readParts(
  stream: Awaited<ReturnType<LanguageModelV4["doStream"]>>["stream"],
  call: Call,
  beat: () => void,
): AsyncGenerator<ChatEvent, void, void> {
  let end: ChatEvent | undefined;
  let calls = 0;
  for await (const part of stream) {
    // Said before the vendor said anything.
    if (part.type !== "stream-start") beat();
    if (part.type === "text-delta" && part.delta !== "") yield { type: "text", text: part.delta };
    if (part.type === "tool-call") {
      calls += 1;
      yield { type: "tool-call", call: toolCallOf(part) };
    }
    if (part.type === "error") throw aiSdkFailure(part.error, call);
    if (part.type === "finish") {
      if (isCut(part.finishReason)) throw brokenOff(call);
      end = { type: "end", reason: endReason(part.finishReason, calls), usage: usageOf(part.usage) };
    }
  }
  if (end === undefined) throw brokenOff(call);
  yield end;
}

/** The stream ended, but the vendor gave no reason for it. */
function isCut({ unified, raw }: LanguageModelV4FinishReason): boolean {
  return unified === "interrupted" || unified === "error" || (unified === "other" && raw === undefined);
}

function toolCallOf(part: { toolCallId: string; toolName: string; input: string }): ChatToolCall {
  return { id: part.toolCallId, name: part.toolName, arguments: parseArguments(part.input) };
}

function endReason({ unified }: LanguageModelV4FinishReason, calls: number): ChatEndReason {
  if (unified === "length") return "length";
  if (unified === "content-filter") return "filtered";
  if (calls > 0) return "tool-calls";
  return unified === "stop" ? "stop" : "other";
}

function usageOf({ inputTokens, outputTokens }: LanguageModelV4Usage): ChatUsage {
  return { inputTokens: inputTokens.total ?? null, outputTokens: outputTokens.total ?? null };
}
