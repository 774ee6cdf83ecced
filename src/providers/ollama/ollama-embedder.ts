import { z } from "zod";
import type { Embedder } from "../../ports/embedder.ts";
import { askEmbedder } from "../ask-embedder.ts";
import { bearer, type EmbedderOptions, embedderFacts, sendableTexts } from "../embedder-options.ts";
import { readVectors } from "../read-vectors.ts";

const provider = "ollama";

/** Ollama documents no limit; it works texts off one after the other, so small batches keep progress visible. */
const limits = { maxInputs: 64, maxTokensPerRequest: 50_000, maxParallel: 2 };

const answerSchema = z.object({ embeddings: z.array(z.unknown()), prompt_eval_count: z.number().optional() });

/** `POST /api/embed` (docs.ollama.com/api/embed). Texts over the model's context are cut by Ollama. No input kind. */
export function ollamaEmbedder(options: EmbedderOptions): Embedder {
  const { apiKey, model, dimensions } = options;
  const facts = embedderFacts(provider, options, limits);
  const base = (options.baseUrl ?? "http://127.0.0.1:11434").replace(/\/+(api\/*)?$/, "");
  return {
    ...facts,
    async embed(texts, { signal }) {
      const sendable = sendableTexts(provider, texts, facts.limits);
      const json = {
        model,
        input: sendable,
        truncate: true,
        ...(dimensions === undefined ? {} : { dimensions }),
      };
      const question = { url: `${base}/api/embed`, headers: bearer(apiKey), json, signal };
      // The first request loads the model.
      const patient = { ...options, timeoutMs: options.timeoutMs ?? 180_000 };
      const answer = await askEmbedder(provider, patient, question, answerSchema);
      const expected = { provider, count: texts.length, dimensions: dimensions ?? null };
      return {
        vectors: readVectors(answer.embeddings, expected),
        tokens: answer.prompt_eval_count ?? null,
      };
    },
  };
}
