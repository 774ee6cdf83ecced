import { z } from "zod";
import type { Embedder } from "../../ports/embedder.ts";
import { askEmbedder } from "../ask-embedder.ts";
import { endpointUrl } from "../base-url.ts";
import { bearer, type EmbedderOptions, embedderFacts, sendableTexts } from "../embedder-options.ts";
import { readVectors } from "../read-vectors.ts";

const provider = "cohere";

/** 96 texts a call (docs.cohere.com/reference/embed); the token limit is per text, not per call. */
const limits = { maxInputs: 96, maxTokensPerRequest: 96 * 8_000, maxParallel: 4 };

const inputTypes = { document: "search_document", query: "search_query" };

const answerSchema = z.object({
  embeddings: z.object({ float: z.array(z.unknown()) }),
  meta: z.object({ billed_units: z.object({ input_tokens: z.number().optional() }).optional() }).optional(),
});

/** `POST /v2/embed`. Texts over the model's length are cut at the end by Cohere. */
export function cohereEmbedder(options: EmbedderOptions): Embedder {
  const { apiKey, model, dimensions } = options;
  const facts = embedderFacts(provider, options, limits);
  const url = endpointUrl(options.baseUrl ?? "https://api.cohere.com", "v2", "embed");
  return {
    ...facts,
    async embed(texts, { input, signal }) {
      const sendable = sendableTexts(provider, texts, facts.limits);
      const json = {
        model,
        texts: sendable,
        input_type: inputTypes[input],
        embedding_types: ["float"],
        truncate: "END",
        ...(dimensions === undefined ? {} : { output_dimension: dimensions }),
      };
      const question = { url, headers: bearer(apiKey), json, signal };
      const answer = await askEmbedder(provider, options, question, answerSchema);
      const expected = { provider, count: texts.length, dimensions: dimensions ?? null };
      return {
        vectors: readVectors(answer.embeddings.float, expected),
        tokens: answer.meta?.billed_units?.input_tokens ?? null,
      };
    },
  };
}
