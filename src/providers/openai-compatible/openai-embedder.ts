import { z } from "zod";
import type { Embedder } from "../../ports/embedder.ts";
import { ProviderError } from "../../ports/provider-error.ts";
import { askEmbedder } from "../ask-embedder.ts";
import { endpointUrl } from "../base-url.ts";
import { bearer, type EmbedderOptions, embedderFacts, sendableTexts } from "../embedder-options.ts";
import { readVectors } from "../read-vectors.ts";

const provider = "openai-compatible";

/**
 * OpenAI takes 2,048 inputs and 300,000 tokens (platform.openai.com/docs/api-reference/embeddings). We ask for less:
 * a batch is what is lost when a process dies, and servers of one's own work it off in one piece.
 */
const limits = { maxInputs: 256, maxTokensPerRequest: 100_000, maxParallel: 4 };

const answerSchema = z.object({
  data: z.array(z.object({ index: z.int().optional(), embedding: z.unknown() })),
  usage: z.object({ prompt_tokens: z.number().optional() }).nullish(),
});

/**
 * `POST /v1/embeddings` as OpenAI, Azure, vLLM, TEI, LM Studio, LocalAI, Mistral, Together and others speak it.
 * The API has no input kind: models that want prefixes for questions and passages get none.
 */
export function openaiCompatibleEmbedder(options: EmbedderOptions): Embedder {
  const { apiKey, model, dimensions } = options;
  const facts = embedderFacts(provider, options, limits);
  const url = endpointUrl(options.baseUrl ?? "https://api.openai.com/v1", "v1", "embeddings");
  // Base64 is a third of the bytes; the few servers that refuse the field are remembered.
  let encoding: { encoding_format?: "base64" } = { encoding_format: "base64" };

  async function request(texts: readonly string[], signal?: AbortSignal) {
    const json = { model, input: texts, ...encoding, ...(dimensions === undefined ? {} : { dimensions }) };
    return askEmbedder(provider, options, { url, headers: bearer(apiKey), json, signal }, answerSchema);
  }

  return {
    ...facts,
    async embed(texts, { signal }) {
      const sendable = sendableTexts(provider, texts, facts.limits);
      const answer = await request(sendable, signal).catch((error: unknown) => {
        if (!refusesEncoding(error) || encoding.encoding_format === undefined) throw error;
        encoding = {};
        return request(sendable, signal);
      });
      const vectors = readVectors(inOrder(answer.data), {
        provider,
        count: texts.length,
        dimensions: dimensions ?? null,
      });
      return { vectors, tokens: answer.usage?.prompt_tokens ?? null };
    },
  };
}

/** The order is by `index`; where a server leaves it out, the order of the answer is the order of the texts. */
function inOrder(data: { index?: number; embedding?: unknown }[]): unknown[] {
  if (data.some((item) => item.index === undefined)) return data.map((item) => item.embedding);
  return data.toSorted((a, b) => (a.index ?? 0) - (b.index ?? 0)).map((item) => item.embedding);
}

function refusesEncoding(error: unknown): boolean {
  return (
    error instanceof ProviderError && error.code === "rejected" && error.message.includes("encoding_format")
  );
}
