import type { Embedder, EmbedInputKind, EmbedResult } from "../ports/embedder.ts";
import { cutBatch, estimateTokens } from "./cut-batch.ts";
import { type EmbedRun, embedOrSplit } from "./embed-or-split.ts";
import { badVectors } from "./read-vectors.ts";
import { defaultRetryPolicy, type RetryPolicy } from "./retry.ts";

export type EmbedBatchesOptions = {
  input: EmbedInputKind;
  signal?: AbortSignal;
  /** Requests in flight at once; never more than the embedder's `maxParallel`. */
  parallel?: number;
  /** Heard after each batch that is yielded. */
  onProgress?: (progress: { done: number; total: number }) => void;
  retry?: Partial<RetryPolicy>;
  /** Tokens of a text, for batching only; the default guesses from its bytes, rather too many than too few. */
  tokensOf?: (text: string) => number;
};

export type EmbeddedBatch = {
  /** Index of the first text of this batch. */
  start: number;
  /** One per text from `start` on. */
  vectors: Float32Array[];
  tokens: number | null;
};

/**
 * Embeds any number of texts within the vendor's limits, and yields batch by batch in the order of the texts, so that
 * a caller can keep what is done and resume after a failure with `texts.slice(done)`.
 *
 * At most `parallel` batches are in flight or wait to be taken. Retryable
 * failures are repeated with back-off, and a vendor's Retry-After holds all requests. A batch that is too large is
 * halved, and later batches stay that small; a single text that is too large is embedded in two halves, whose
 * vectors are averaged. Ending the loop early, an aborted `signal` or a failure stops the requests in flight.
 */
export async function* embedBatches(
  embedder: Embedder,
  texts: readonly string[],
  options: EmbedBatchesOptions,
): AsyncGenerator<EmbeddedBatch> {
  const stop = new AbortController();
  const run = startRun(embedder, options, stop.signal);
  const inFlight: { start: number; result: Promise<EmbedResult> }[] = [];
  let next = 0;
  const refill = () => {
    while (inFlight.length < run.parallel && next < texts.length) {
      const batch = cutBatch(texts, next, run.limits, options.tokensOf ?? estimateTokens);
      const result = embedOrSplit(run, batch);
      // Awaited in its turn; until then a failure is not an unhandled one.
      result.catch(() => {});
      inFlight.push({ start: next, result });
      next += batch.length;
    }
  };
  let dimensions = embedder.dimensions;
  try {
    refill();
    for (let first = inFlight[0]; first !== undefined; first = inFlight[0]) {
      const { vectors, tokens } = await first.result;
      dimensions = checkDimensions(embedder.provider, vectors, dimensions);
      inFlight.shift();
      // Before the caller gets its turn, so that the vendor works while the caller saves.
      refill();
      yield { start: first.start, vectors, tokens };
      options.onProgress?.({ done: first.start + vectors.length, total: texts.length });
    }
  } finally {
    stop.abort();
  }
}

function startRun(
  embedder: Embedder,
  options: EmbedBatchesOptions,
  stop: AbortSignal,
): EmbedRun & { parallel: number } {
  const { maxParallel } = embedder.limits;
  return {
    embedder,
    input: options.input,
    policy: { ...defaultRetryPolicy, ...options.retry },
    signal: options.signal ? AbortSignal.any([options.signal, stop]) : stop,
    limits: { ...embedder.limits },
    pause: Promise.resolve(),
    parallel: Math.max(1, Math.min(options.parallel ?? maxParallel, maxParallel)),
  };
}

/** A model that changes its dimensions half-way would make an index that cannot be searched. */
function checkDimensions(
  provider: string,
  vectors: readonly Float32Array[],
  known: number | null,
): number | null {
  const expected = known ?? vectors[0]?.length ?? null;
  const other = vectors.find(({ length }) => length !== expected);
  if (other !== undefined) {
    throw badVectors(provider, `changed from ${expected} to ${other.length} dimensions`, false);
  }
  return expected;
}
