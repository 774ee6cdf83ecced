/**
 * What can go wrong besides a bug.
 * `segment_damaged` the bytes are not what was written (rebuild the segment) · `segment_version` written by another
 * version of this code (rebuild it) · `segment_missing` the reader has no such segment · `too_large` the workspace does
 * not fit into the engine's memory · `worker_lost` the worker died under the request: ask again, a new one starts.
 */
export type RetrievalErrorCode =
  | "segment_damaged"
  | "segment_version"
  | "segment_missing"
  | "too_large"
  | "worker_lost";

export class RetrievalError extends Error {
  readonly code: RetrievalErrorCode;
  /** Whether the same call may succeed if it is simply made again. */
  readonly retryable: boolean;

  constructor(code: RetrievalErrorCode, message: string) {
    super(message);
    this.name = "RetrievalError";
    this.code = code;
    this.retryable = code === "worker_lost";
  }
}
