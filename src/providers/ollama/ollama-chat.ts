import type { ChatCompletion, ChatEvent, ChatModel } from "../../ports/chat-model.ts";
import { endpointUrl } from "../base-url.ts";
import { type ByteSource, brokenOff } from "../byte-source.ts";
import { callProvider } from "../call-provider.ts";
import { CHAT_TIMEOUTS, type ChatModelOptions, chatLimits } from "../chat-options.ts";
import { startChatWatch } from "../chat-watch.ts";
import { bearer } from "../embedder-options.ts";
import { readLines } from "../event-lines.ts";
import { openStream } from "../open-stream.ts";
import { ollamaBody } from "./ollama-body.ts";
import { ollamaReader } from "./ollama-lines.ts";

const provider = "ollama";

/**
 * Ollama's own `POST /api/chat`, not its OpenAI-compatible one: only here can be said how large the context is, and a
 * longer prompt would be cut off at the front without a word.
 */
export function ollamaChat(options: ChatModelOptions): ChatModel {
  const { model, apiKey, timeouts } = options;
  const limits = chatLimits(provider, options);
  const wholeMs = timeouts?.wholeMs ?? CHAT_TIMEOUTS.wholeMs;
  // The OpenAI-compatible address is what many have at hand.
  const base = (options.baseUrl ?? "http://127.0.0.1:11434").replace(/\/v1\/?$/, "");
  const call = {
    provider,
    fetch: options.fetch ?? fetch,
    url: endpointUrl(base, "api", "chat"),
    method: "POST",
    headers: { ...bearer(apiKey), "content-type": "application/json" },
    secrets: [apiKey ?? ""],
    // The watch is stricter; this is what a call must name.
    timeoutMs: wholeMs + 1_000,
  };
  return {
    ...limits,

    async *stream(request, signal) {
      const watch = startChatWatch(provider, signal, timeouts);
      try {
        const body = ollamaBody(model, request, limits.contextTokens, true);
        const source = await openStream({ ...call, body, signal: watch.signal }, options.fetch);
        yield* readStream(source, call, watch.beat);
      } catch (error) {
        throw watch.reasonFor(error);
      } finally {
        watch.stop();
      }
    },

    async complete(request, signal) {
      const watch = startChatWatch(provider, signal, { ...timeouts, firstMs: wholeMs });
      try {
        const body = ollamaBody(model, request, limits.contextTokens, false);
        const answer = await callProvider({ ...call, body, signal: watch.signal });
        return completionOf(await answer.text(), call);
      } catch (error) {
        throw watch.reasonFor(error);
      } finally {
        watch.stop();
      }
    },
  };
}

async function* readStream(
  source: ByteSource,
  call: { provider: string; secrets: readonly string[] },
  beat: () => void,
): AsyncGenerator<ChatEvent, void, void> {
  const reader = ollamaReader(call);
  for await (const lines of readLines(provider, source)) {
    for (const line of lines) {
      beat();
      const text = reader.read(line);
      if (text !== "") yield { type: "text", text };
    }
  }
  if (!reader.ended()) throw brokenOff(provider);
  yield* reader.end();
}

/** The answer in one piece is one line of the stream. */
function completionOf(line: string, call: { provider: string; secrets: readonly string[] }): ChatCompletion {
  const reader = ollamaReader(call);
  const text = reader.read(line);
  if (!reader.ended()) throw brokenOff(provider);
  const { toolCalls, reason, usage } = reader.whole();
  return { text, toolCalls, reason, usage };
}
