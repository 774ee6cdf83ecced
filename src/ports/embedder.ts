/** What a text is for; several models embed questions and passages differently. */
export type EmbedInputKind = "document" | "query";

/** What one request may hold. Numbers, so that batching needs to know no vendor. */
export type EmbedderLimits = {
  maxInputs: number;
  /** Tokens of all inputs together. */
  maxTokensPerRequest: number;
  /** Requests in flight at once. */
  maxParallel: number;
};

export type EmbedResult = {
  /** One per text, in the order of the texts, L2-normalised (length 1), all of the same dimensions. */
  vectors: Float32Array[];
  /** Tokens the vendor counted; null when it does not say. */
  tokens: number | null;
};

/** A model that turns texts into vectors. */
export type Embedder = {
  /** The adapter's name, e.g. `openai-compatible`. */
  provider: string;
  model: string;
  /** Dimensions asked for; null leaves the model its own. */
  dimensions: number | null;
  /** Names everything that changes the vectors (provider, model, dimensions): equal ids, interchangeable vectors. */
  id: string;
  limits: EmbedderLimits;

  /**
   * One request to the vendor, no retries: use `embedBatches` for more than `limits` allow.
   * Texts are not empty. Errors: `ProviderError`; `input_too_large` when fewer or shorter texts may pass.
   */
  embed(texts: readonly string[], options: EmbedOptions): Promise<EmbedResult>;
};

export type EmbedOptions = { input: EmbedInputKind; signal?: AbortSignal };
