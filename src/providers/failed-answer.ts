import { ProviderError, type ProviderErrorCode } from "../ports/provider-error.ts";
import { vendorError } from "./vendor-error.ts";

/** What a vendor's answer other than 2xx means, whoever the vendor is. */
export function failedAnswer(
  response: { status: number; headers: Headers },
  body: string,
  call: { provider: string; secrets: readonly string[] },
): ProviderError {
  const { status, headers } = response;
  const said = vendorError(body);
  const code = codeOf(status, said.words);
  const detail = withoutSecrets(said.message, call.secrets);
  return new ProviderError(`${call.provider} answered ${status}${detail ? `: ${detail}` : ""}`, {
    provider: call.provider,
    status,
    code,
    retryable: code === "rate_limited" || (code === "unavailable" && status !== 501),
    retryAfterMs: retryAfter(headers) ?? said.retryAfterMs,
  });
}

/** `retry-after-ms`, or `Retry-After` in seconds or as a date; null when absent or senseless. */
export function retryAfter(headers: Headers, now: number = Date.now()): number | null {
  const exact = headers.get("retry-after-ms");
  if (exact !== null && /^\d+(\.\d+)?$/.test(exact)) return Math.ceil(Number(exact));
  const value = headers.get("retry-after");
  if (value === null) return null;
  if (/^\d+(\.\d+)?$/.test(value)) return Math.ceil(Number(value) * 1000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce(
    (rest, secret) => (secret === "" ? rest : rest.replaceAll(secret, "[redacted]")),
    text,
  );
}

/** Vendors say "too large" with 413 or, more often, with 400 or 422 and these words. */
const tooLarge =
  /too (large|long|many (inputs|texts|documents|items))|maximum (allowed )?(context|batch|number|input|length|of)|max(imum)? .{0,40}tokens|exceed|must have less than|context[_ ]length|batch[_ ]size|at most \d+|reduce (your|the) (prompt|input|length)/i;

function codeOf(status: number, words: string): ProviderErrorCode {
  if (status === 401 || status === 403) return "unauthorized";
  if (status === 404) return "not_found";
  if (status === 402 || (status === 429 && /insufficient_quota/.test(words))) return "quota_exhausted";
  if (status === 429) return "rate_limited";
  if (status === 413 || ((status === 400 || status === 422) && tooLarge.test(words)))
    return "input_too_large";
  // Google answers 400 to a wrong key.
  if (status === 400 && /API_KEY_INVALID|api key not valid/i.test(words)) return "unauthorized";
  // S3's word for an upload that stalled, sent with 400.
  if (status === 400 && /<Code>RequestTimeout</.test(words)) return "unavailable";
  if (status === 408 || status === 425 || status >= 500) return "unavailable";
  return "rejected";
}
