import { randomUUID } from "node:crypto";
import { z } from "zod";
import { ProviderError } from "../../ports/provider-error.ts";
import type { Transcriber, Transcript } from "../../ports/transcriber.ts";
import { endpointUrl } from "../base-url.ts";
import { callProvider, type Fetch } from "../call-provider.ts";
import { bearer } from "../embedder-options.ts";
import { multipartBody } from "./multipart-body.ts";

const provider = "openai-compatible";

export type TranscriberOptions = {
  baseUrl?: string;
  apiKey?: string;
  model: string;
  /** OpenAI takes 25 MB; servers of one's own often more. */
  maxBytes?: number;
  /** For the upload and the work on it. Default 290 s: Node's own fetch waits 300 s for the head of an answer. */
  timeoutMs?: number;
  fetch?: Fetch;
};

const answerSchema = z.object({
  text: z.string(),
  language: z.string().nullish(),
  duration: z.coerce.number().nullish(),
  segments: z.array(z.object({ start: z.number(), end: z.number(), text: z.string() })).nullish(),
});

/**
 * `POST /v1/audio/transcriptions` (platform.openai.com/docs/api-reference/audio), as OpenAI, Azure, vLLM,
 * faster-whisper-server, LocalAI and Groq speak it. The file is streamed, with its length announced beforehand.
 */
export function openaiCompatibleTranscriber(options: TranscriberOptions): Transcriber {
  const { apiKey, model } = options;
  const maxBytes = options.maxBytes ?? 25 * 1024 * 1024;
  const url = endpointUrl(options.baseUrl ?? "https://api.openai.com/v1", "v1", "audio/transcriptions");
  return {
    provider,
    model,
    limits: { maxBytes },
    async transcribe(audio, { language, signal } = {}) {
      if (audio.sizeBytes > maxBytes) throw tooLarge(maxBytes);
      const form = multipartBody(randomUUID(), fieldsOf(model, language), audio);
      const answer = await callProvider({
        provider,
        fetch: options.fetch ?? fetch,
        url,
        method: "POST",
        headers: { ...bearer(apiKey), ...form.headers, accept: "application/json" },
        body: form.body,
        timeoutMs: options.timeoutMs ?? 290_000,
        signal,
        secrets: [apiKey ?? ""],
      }).catch((error: unknown) => {
        // The caller's own stream broke; fetch only reports that the request did.
        throw form.failure() ?? error;
      });
      return readTranscript(await answer.json());
    },
  };
}

/** Only Whisper models give times; OpenAI's later ones (`gpt-…`) refuse to be asked. */
function fieldsOf(model: string, language: string | undefined): Record<string, string> {
  const format = model.startsWith("gpt-") ? "json" : "verbose_json";
  return { model, response_format: format, ...(language === undefined ? {} : { language }) };
}

function readTranscript(json: unknown): Transcript {
  const answer = answerSchema.safeParse(json);
  if (!answer.success) {
    throw new ProviderError(`${provider} sent something that is no transcript.`, {
      provider,
      status: 200,
      code: "bad_answer",
      retryable: true,
    });
  }
  const { text, language, duration, segments } = answer.data;
  return {
    text: text.trim(),
    language: language ?? null,
    durationSeconds: duration ?? null,
    segments: (segments ?? []).map((s) => ({
      startSeconds: s.start,
      endSeconds: s.end,
      text: s.text.trim(),
    })),
  };
}

function tooLarge(maxBytes: number): ProviderError {
  const megabytes = Math.floor(maxBytes / 1024 / 1024);
  return new ProviderError(`The audio file is larger than the ${megabytes} MB that can be transcribed.`, {
    provider,
    code: "input_too_large",
  });
}
