export type RankedPassage = {
  /** Position in the passages that were given. */
  index: number;
  /** Relevance in 0..1, higher is better. Comparable within one answer; across answers as far as the model is calibrated. */
  score: number;
};

type RerankOptions = {
  /** At most so many results; all when absent. */
  topN?: number;
  signal?: AbortSignal;
};

/** A model that reads question and passage together and judges how well they fit. */
export type Reranker = {
  provider: string;
  model: string | null;
  limits: { maxPassages: number };

  /**
   * Orders passages by relevance, best first; every index at most once. No passages, no request.
   * Errors: `ProviderError`; more passages than `limits.maxPassages` is `input_too_large`.
   */
  rerank(query: string, passages: readonly string[], options?: RerankOptions): Promise<RankedPassage[]>;
};
