import { z } from "zod";
import type { Embedder, EmbedInputKind } from "../../ports/embedder.ts";
import { askEmbedder } from "../ask-embedder.ts";
import { endpointUrl } from "../base-url.ts";
import { type EmbedderOptions, embedderFacts, sendableTexts } from "../embedder-options.ts";
import { readVectors } from "../read-vectors.ts";

const provider = "google";

/** 100 requests a batch; gemini-embedding-001 reads 2,048 tokens of each (ai.google.dev/gemini-api/docs/embeddings). */
const limits = { maxInputs: 100, maxTokensPerRequest: 100_000, maxParallel: 2 };

const answerSchema = z.object({ embeddings: z.array(z.object({ values: z.unknown() })) });

/** Gemini's `POST /v1beta/models/{model}:batchEmbedContents`; the key travels in a header, never in the URL. */
export function googleEmbedder(options: EmbedderOptions): Embedder {
  const { apiKey = "", dimensions } = options;
  const model = options.model.replace(/^models\//, "");
  const facts = embedderFacts(provider, { ...options, model }, limits);
  const base = options.baseUrl ?? "https://generativelanguage.googleapis.com";
  return {
    ...facts,
    async embed(texts, { input, signal }) {
      const sendable = sendableTexts(provider, texts, facts.limits);
      const json = {
        requests: sendable.map((text) => ({
          model: `models/${model}`,
          ...contentFor(model, input, text),
          ...(dimensions === undefined ? {} : { outputDimensionality: dimensions }),
        })),
      };
      const question = {
        url: endpointUrl(base, "v1beta", `models/${encodeURIComponent(model)}:batchEmbedContents`),
        headers: { "x-goog-api-key": apiKey },
        json,
        signal,
      };
      const answer = await askEmbedder(provider, options, question, answerSchema);
      const values = answer.embeddings.map((item) => item.values);
      const vectors = readVectors(values, { provider, count: texts.length, dimensions: dimensions ?? null });
      return { vectors, tokens: null };
    },
  };
}

/** From gemini-embedding-2 on, the kind is written into the text; before, it is a field. */
function contentFor(model: string, input: EmbedInputKind, text: string): object {
  if (model.startsWith("gemini-embedding-2")) {
    const prefix = input === "query" ? "task: search result | query: " : "title: none | text: ";
    return { content: { parts: [{ text: `${prefix}${text}` }] } };
  }
  const taskType = input === "query" ? "RETRIEVAL_QUERY" : "RETRIEVAL_DOCUMENT";
  return { content: { parts: [{ text }] }, taskType };
}
