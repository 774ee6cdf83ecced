/** Every failure that a caller can read, with the HTTP status that goes with it. The contract of error handling. */
export const PROBLEMS = {
  invalid_request: {
    status: 400,
    meaning: "The request is malformed or breaks a rule; `details` names the place.",
  },
  account_required: { status: 400, meaning: "The X-Account-Id header is missing or not a UUID." },
  slug_not_hex: {
    status: 400,
    meaning: "A slug in the path is not in its hex form; the message gives that form.",
  },
  invalid_api_key: {
    status: 403,
    meaning: "The API key is missing, malformed, unknown, expired or revoked.",
  },
  insufficient_scope: { status: 403, meaning: "The API key does not grant this operation." },
  account_forbidden: {
    status: 403,
    meaning: "The account does not exist or belongs to a different company.",
  },
  account_suspended: { status: 403, meaning: "The account is suspended; resume it first." },
  not_found: { status: 404, meaning: "There is no such thing under this account." },
  route_not_found: { status: 404, meaning: "There is no such operation." },
  method_not_allowed: {
    status: 405,
    meaning: "The path exists, but not with this method; `Allow` lists those it has.",
  },
  conflict: { status: 409, meaning: "The state does not allow it, or a name is taken." },
  idempotency_conflict: { status: 409, meaning: "The Idempotency-Key was used with another request." },
  idempotency_in_flight: {
    status: 409,
    meaning: "The first request with this Idempotency-Key is still in flight.",
  },
  gone: { status: 410, meaning: "The link was used, has expired, or was revoked; ask for another one." },
  precondition_failed: {
    status: 412,
    meaning: "It has changed since: `If-Match` names another version. Get it again and decide anew.",
  },
  payload_too_large: { status: 413, meaning: "The body is larger than this operation takes." },
  unsupported_media_type: { status: 415, meaning: "The content type is not supported." },
  unprocessable: {
    status: 422,
    meaning: "A file that cannot be read, or a provider refused; the message says why.",
  },
  rate_limited: {
    status: 429,
    meaning: "Too many requests with this key; `Retry-After` says when to go on.",
  },
  internal: { status: 500, meaning: "A fault of ours; the log has it under the request id." },
  provider_failed: { status: 502, meaning: "A provider or a foreign server failed; try again." },
  provider_timeout: { status: 504, meaning: "A provider or a foreign server took too long; try again." },
  overloaded: { status: 503, meaning: "Overloaded or shutting down; `Retry-After` says when to try again." },
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

/** One place in the request that is wrong, e.g. `{path: "body.name", message: "expected string"}`. */
export interface ProblemDetail {
  path: string;
  message: string;
}

interface ProblemOptions {
  details?: readonly ProblemDetail[];
  headers?: Readonly<Record<string, string>>;
  /** Further fields of the answer's body. */
  extra?: Readonly<Record<string, unknown>>;
  cause?: unknown;
}

/** A failure that the caller should read. `message` is a sentence that says what to do; nothing internal goes in. */
export class Problem extends Error {
  override name = "Problem";
  readonly code: ProblemCode;
  readonly options: ProblemOptions;

  constructor(code: ProblemCode, message: string, options: ProblemOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.options = options;
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }

  /** The same with an `error` as OpenAI's clients read it. */
  toOpenAiBody(requestId: string): Record<string, unknown> {
    const { status, code, message, options } = this;
    const place = options.details?.[0]?.path.replace(/^(body|path|query)\./, "") ?? null;
    const error = { message, type: openAiType(status), param: place, code };
    return { ...this.toBody(requestId), error };
  }

  toBody(requestId: string): Record<string, unknown> {
    const { details, extra } = this.options;
    return {
      success: false,
      message: this.message,
      ...extra,
      code: this.code,
      request_id: requestId,
      ...(details === undefined ? {} : { details }),
    };
  }
}

function openAiType(status: number): string {
  if (status === 403) return "authentication_error";
  if (status === 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

/** Unknown, foreign and erased things are all answered by this, so that nobody can tell them apart. */
export function notFound(what: string): Problem {
  return new Problem("not_found", `There is no such ${what} under this account.`);
}

/** The one answer to every bad key. The published schema names `message`, the API's lineage answers `error`: both. */
export function invalidApiKey(): Problem {
  return new Problem("invalid_api_key", "Invalid API Key", { extra: { error: "No valid api key found." } });
}
