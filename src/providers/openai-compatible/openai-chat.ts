import type { ChatEvent, ChatModel, ChatRequest } from "../../ports/chat-model.ts";
import { endpointUrl } from "../base-url.ts";
import { type ByteSource, brokenOff } from "../byte-source.ts";
import { callProvider } from "../call-provider.ts";
import { CHAT_TIMEOUTS, type ChatModelOptions, chatLimits } from "../chat-options.ts";
import { startChatWatch } from "../chat-watch.ts";
import { bearer } from "../embedder-options.ts";
import { dataOf, readLines } from "../event-lines.ts";
import { openStream } from "../open-stream.ts";
import { chatBody } from "./chat-body.ts";
import { chunkReader, readCompletion } from "./chat-chunks.ts";

const provider = "openai-compatible";

/**
 * `POST /v1/chat/completions` as OpenAI documents it and as vLLM, llama.cpp, LM Studio, LiteLLM, OpenRouter and others
 * speak it. Without the AI SDK: a token costs a fraction of what it costs there (see docs/decisions/0015).
 */
export function openaiCompatibleChat(options: ChatModelOptions): ChatModel {
  const { model, apiKey, timeouts } = options;
  const url = endpointUrl(options.baseUrl ?? "https://api.openai.com/v1", "v1", "chat/completions");
  const headers = { ...bearer(apiKey), "content-type": "application/json" };
  const wholeMs = timeouts?.wholeMs ?? CHAT_TIMEOUTS.wholeMs;
  const call = {
    provider,
    fetch: options.fetch ?? fetch,
    url,
    method: "POST",
    secrets: [apiKey ?? ""],
    // The watch is stricter; this is what a call must name.
    timeoutMs: wholeMs + 1_000,
  };
  return {
    ...chatLimits(provider, options),

    async *stream(request, signal) {
      const watch = startChatWatch(provider, signal, timeouts);
      let finished = false;
      try {
        const streamed = {
          ...call,
          headers: { ...headers, accept: "text/event-stream" },
          body: chatBody(model, request, true),
          signal: watch.signal,
        };
        const source = await openStream(streamed, options.fetch);
        for await (const event of readStream(source, call, watch.beat)) {
          finished = event.type === "end";
          if (finished) watch.finish();
          yield event;
        }
      } catch (error) {
        throw watch.reasonFor(error);
      } finally {
        if (!finished) watch.stop();
      }
    },

    async complete(request: ChatRequest, signal: AbortSignal) {
      // It says nothing until it has finished, so only the whole is timed.
      const watch = startChatWatch(provider, signal, { ...timeouts, firstMs: wholeMs });
      try {
        const answer = await callProvider({
          ...call,
          headers: { ...headers, accept: "application/json" },
          body: chatBody(model, request, false),
          signal: watch.signal,
        });
        return readCompletion(await answer.json(), call);
      } catch (error) {
        throw watch.reasonFor(error);
      } finally {
        watch.finish();
      }
    },
  };
}

/** Tokens that arrived together go on together: each event passes through a dozen hands. */
async function* readStream(
  source: ByteSource,
  call: { provider: string; secrets: readonly string[] },
  beat: () => void,
): AsyncGenerator<ChatEvent, void, void> {
  const chunks = chunkReader(call);
  for await (const lines of readLines(provider, source)) {
    const { text, isDone, failure } = readGroup(lines, chunks, beat);
    if (text !== "") yield { type: "text", text };
    if (failure !== null) throw failure.reason;
    if (isDone) {
      yield* chunks.end();
      return;
    }
  }
  // Not all servers say [DONE]; without a reason to end either, the answer is not whole.
  if (!chunks.ended()) throw brokenOff(provider);
  yield* chunks.end();
}

/** What was said before a failure is said all the same. */
function readGroup(lines: readonly string[], chunks: ReturnType<typeof chunkReader>, beat: () => void) {
  let text = "";
  try {
    for (const line of lines) {
      const data = dataOf(line);
      if (data === null) continue;
      beat();
      if (data.trim() === "[DONE]") return { text, isDone: true, failure: null };
      text += chunks.read(data);
    }
    return { text, isDone: false, failure: null };
  } catch (reason) {
    return { text, isDone: false, failure: { reason } };
  }
}
