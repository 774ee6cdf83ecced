/** What went wrong, in a word a program can switch on. Anything else a vendor says goes into `message`. */
export type ProviderErrorCode =
  /** The credential is missing, wrong or not allowed to do this. */
  | "unauthorized"
  /** Too many requests or tokens a minute; `retryAfterMs` says when to come back, if the vendor did. */
  | "rate_limited"
  /** The account has no credit left; waiting does not help. */
  | "quota_exhausted"
  /** The request is larger than the vendor takes; a smaller one may pass. */
  | "input_too_large"
  /** The model, bucket, file or address does not exist. */
  | "not_found"
  /** The vendor understood the request and refuses it. */
  | "rejected"
  /** A link that may not be followed: not http(s), not a public address, a port that is not allowed. */
  | "address_refused"
  /** The vendor failed, is overloaded or cannot be reached. */
  | "unavailable"
  /** No answer within the time allowed. */
  | "timeout"
  /** An answer came, but it is not what the vendor documents (broken JSON, wrong count, wrong dimensions, NaN). */
  | "bad_answer";

export type ProviderErrorFacts = {
  /** Which adapter speaks, e.g. `cohere`, `s3`. */
  provider: string;
  /** HTTP status the vendor answered; null when there was no answer. */
  status: number | null;
  code: ProviderErrorCode;
  /** The same call may succeed later, unchanged. */
  retryable: boolean;
  /** How long the vendor asks us to wait; null when it did not say. */
  retryAfterMs: number | null;
};

/**
 * Someone else's fault: a vendor refused, failed, or answered nonsense.
 * The message is a sentence fit for a log and an operator; it never holds a credential.
 */
export class ProviderError extends Error {
  readonly provider: string;
  readonly status: number | null;
  readonly code: ProviderErrorCode;
  readonly retryable: boolean;
  readonly retryAfterMs: number | null;

  constructor(
    message: string,
    facts: Pick<ProviderErrorFacts, "provider" | "code"> & Partial<ProviderErrorFacts>,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "ProviderError";
    this.provider = facts.provider;
    this.status = facts.status ?? null;
    this.code = facts.code;
    this.retryable = facts.retryable ?? false;
    this.retryAfterMs = facts.retryAfterMs ?? null;
  }
}
