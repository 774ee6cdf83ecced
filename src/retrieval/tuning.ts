/** The constants of ranking. `bench/quality.ts` sweeps them on one half of its questions and reports on the other. */
export type Tuning = {
  /** Part of a word's weight that a passage gets for holding it at all; the rest follows BM25's saturation. 0..1 */
  presence: number;
  /** BM25: how slowly repetitions stop to matter, and how much long passages are held back (0..1). */
  k1: number;
  b: number;
  /** Weight of a stop word against a subject word of the same frequency. */
  stopWeight: number;
  /** Weight of the character n-gram vector. Below 0.25, so that it alone never passes the default threshold. */
  hashWeight: number;
  /** Weight of an embedding model's vector. */
  denseWeight: number;
  /** Cosine that unrelated texts have in the embedding model; mapped to 0. */
  cosineFloor: number;
};

/**
 * Chosen on passages of 1,500 characters, where ranking hardly tells these from their neighbours, so that a passage of
 * mean length that holds half of the question's weight once passes the default threshold of 0.25, and one that holds a
 * third does not. `denseWeight` has not been measured with a real embedding model.
 */
export const TUNING: Tuning = {
  presence: 0.2,
  k1: 1,
  b: 0.9,
  stopWeight: 0.1,
  hashWeight: 0.2,
  denseWeight: 0.6,
  cosineFloor: 0,
};
