import { z } from "zod";
import type { Embedder } from "../../ports/embedder.ts";
import { postJson } from "../call-provider.ts";
import { bearer, type EmbedderOptions, embedderFacts, sendableTexts } from "../embedder-options.ts";
import { badVectors, readVectors } from "../read-vectors.ts";

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
      const json = await postJson({
        provider,
        fetch: options.fetch ?? fetch,
        url: `${base}/api/embed`,
        headers: bearer(apiKey),
        json: { model, input: sendable, truncate: true, ...(dimensions === undefined ? {} : { dimensions }) },
        // The first request loads the model.
        timeoutMs: options.timeoutMs ?? 180_000,
        signal,
        secrets: [apiKey ?? ""],
      });
      const answer = answerSchema.safeParse(json);
      if (!answer.success) throw badVectors(provider, "sent something that is no embedding answer", true);
      const expected = { provider, count: texts.length, dimensions: dimensions ?? null };
      return {
        vectors: readVectors(answer.data.embeddings, expected),
        tokens: answer.data.prompt_eval_count ?? null,
      };
    },
  };
}
