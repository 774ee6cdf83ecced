import type { ProviderError } from "../ports/provider-error.ts";
import { failedAnswer } from "./failed-answer.ts";

/** An error in the middle of a stream has no status of its own; its words say which it would have had. */
export function streamedError(
  error: unknown,
  call: { provider: string; secrets: readonly string[] },
): ProviderError {
  const { code, status, statusCode } = Object(error);
  const given = [code, status, statusCode].map(Number).find((number) => number >= 400 && number < 600);
  const text = JSON.stringify({
    error: typeof error === "object" ? { ...error, message: messageOf(error) } : error,
  });
  return failedAnswer({ status: given ?? statusFor(text), headers: new Headers() }, text, call);
}

/** An `Error` keeps its message where JSON does not look. */
function messageOf(error: object | null): unknown {
  return Object(error).message;
}

function statusFor(words: string): number {
  if (/insufficient_quota|rate_limit|RESOURCE_EXHAUSTED/i.test(words)) return 429;
  if (/context_length|invalid_request|INVALID_ARGUMENT/i.test(words)) return 400;
  return 500;
}
