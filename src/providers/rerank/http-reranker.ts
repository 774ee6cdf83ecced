import { z } from "zod";
import { ProviderError } from "../../ports/provider-error.ts";
import type { RankedPassage, Reranker } from "../../ports/reranker.ts";
import { endpointUrl } from "../base-url.ts";
import { type Fetch, postJson } from "../call-provider.ts";
import { bearer } from "../embedder-options.ts";

const provider = "rerank";

export type RerankerOptions = {
  /** A host (then `/v1/rerank`), a versioned base (`https://api.cohere.com/v2`), or the endpoint itself (`…/rerank`). */
  baseUrl: string;
  apiKey?: string;
  /** Without one, the request takes the shape of text-embeddings-inference, which serves a single model. */
  model?: string;
  maxPassages?: number;
  timeoutMs?: number;
  fetch?: Fetch;
};

const itemSchema = z
  .object({ index: z.int().min(0), relevance_score: z.number().optional(), score: z.number().optional() })
  .transform((item) => ({ index: item.index, score: item.relevance_score ?? item.score ?? Number.NaN }));

/** Cohere, Jina and vLLM say `results`, Voyage says `data`, text-embeddings-inference sends the bare list. */
const answerSchema = z.union([
  z.array(itemSchema),
  z.object({ results: z.array(itemSchema) }).transform((answer) => answer.results),
  z.object({ data: z.array(itemSchema) }).transform((answer) => answer.data),
]);

/**
 * `POST /v1/rerank` as Cohere, Jina, Voyage, vLLM and Infinity speak it (`{model, query, documents, top_n}`), and
 * `POST /rerank` of text-embeddings-inference (`{query, texts}`).
 */
export function httpReranker(options: RerankerOptions): Reranker {
  const { apiKey, model } = options;
  const maxPassages = options.maxPassages ?? 1_000;
  const url = rerankUrl(options.baseUrl, model);
  return {
    provider,
    model: model ?? null,
    limits: { maxPassages },
    async rerank(query, passages, { topN, signal } = {}) {
      if (passages.length === 0) return [];
      if (passages.length > maxPassages) throw tooMany(maxPassages);
      const json = await postJson({
        provider,
        fetch: options.fetch ?? fetch,
        url,
        headers: bearer(apiKey),
        json: requestBody(
          query.toWellFormed(),
          passages.map((text) => text.toWellFormed()),
          { model, topN },
        ),
        timeoutMs: options.timeoutMs ?? 30_000,
        signal,
        secrets: [apiKey ?? ""],
      });
      return readRanking(json, passages.length).slice(0, topN);
    },
  };
}

function requestBody(
  query: string,
  passages: readonly string[],
  { model, topN }: { model?: string; topN?: number },
): object {
  if (model === undefined) return { query, texts: passages, truncate: true };
  return { model, query, documents: passages, ...(topN === undefined ? {} : { top_n: topN }) };
}

function rerankUrl(baseUrl: string, model: string | undefined): string {
  if (/\/rerank\/*$/.test(new URL(baseUrl).pathname)) return baseUrl.replace(/\/+$/, "");
  if (model === undefined) return `${baseUrl.replace(/\/+$/, "")}/rerank`;
  return endpointUrl(baseUrl, "v1", "rerank");
}

function readRanking(json: unknown, count: number): RankedPassage[] {
  const answer = answerSchema.safeParse(json);
  if (!answer.success) throw badRanking("sent something that is no ranking");
  const seen = new Set<number>();
  for (const { index, score } of answer.data) {
    if (index >= count || seen.has(index))
      throw badRanking(`ranked passage ${index} twice or without having it`);
    if (!Number.isFinite(score)) throw badRanking("sent a score that is no number");
    seen.add(index);
  }
  return asShares(answer.data).sort((a, b) => b.score - a.score || a.index - b.index);
}

/** Some servers (llama.cpp, raw cross-encoders) send logits. Any score outside 0..1 gives them away. */
function asShares(ranked: RankedPassage[]): RankedPassage[] {
  if (ranked.every(({ score }) => score >= 0 && score <= 1)) return ranked;
  return ranked.map(({ index, score }) => ({ index, score: 1 / (1 + Math.exp(-score)) }));
}

function badRanking(what: string): ProviderError {
  return new ProviderError(`${provider} ${what}.`, {
    provider,
    status: 200,
    code: "bad_answer",
    retryable: true,
  });
}

function tooMany(maxPassages: number): ProviderError {
  return new ProviderError(`${provider} takes at most ${maxPassages} passages.`, {
    provider,
    code: "input_too_large",
  });
}
