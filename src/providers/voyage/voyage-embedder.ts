import { z } from "zod";
import type { Embedder } from "../../ports/embedder.ts";
import { askEmbedder } from "../ask-embedder.ts";
import { endpointUrl } from "../base-url.ts";
import { bearer, type EmbedderOptions, embedderFacts, sendableTexts } from "../embedder-options.ts";
import { readVectors } from "../read-vectors.ts";

const provider = "voyage";

/**
 * 1,000 texts a request and 120,000 tokens for the strictest models (docs.voyageai.com/reference/embeddings-api); we
 * stay below both, since tokens are estimated and a batch is what is lost when a process dies.
 */
const limits = { maxInputs: 256, maxTokensPerRequest: 100_000, maxParallel: 4 };

const answerSchema = z.object({
  data: z.array(z.object({ index: z.int(), embedding: z.unknown() })),
  usage: z.object({ total_tokens: z.number().optional() }).optional(),
});

/** `POST /v1/embeddings` of Voyage. Texts over the model's length are cut by Voyage. */
export function voyageEmbedder(options: EmbedderOptions): Embedder {
  const { apiKey, model, dimensions } = options;
  const facts = embedderFacts(provider, options, limits);
  const url = endpointUrl(options.baseUrl ?? "https://api.voyageai.com", "v1", "embeddings");
  return {
    ...facts,
    async embed(texts, { input, signal }) {
      const sendable = sendableTexts(provider, texts, facts.limits);
      const json = {
        model,
        input: sendable,
        input_type: input,
        truncation: true,
        encoding_format: "base64",
        ...(dimensions === undefined ? {} : { output_dimension: dimensions }),
      };
      const question = { url, headers: bearer(apiKey), json, signal };
      const answer = await askEmbedder(provider, options, question, answerSchema);
      const values = answer.data.toSorted((a, b) => a.index - b.index).map((item) => item.embedding);
      const expected = { provider, count: texts.length, dimensions: dimensions ?? null };
      return { vectors: readVectors(values, expected), tokens: answer.usage?.total_tokens ?? null };
    },
  };
}
