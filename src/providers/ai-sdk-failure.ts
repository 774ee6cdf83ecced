import { APICallError, TypeValidationError } from "@ai-sdk/provider";
import { ProviderError } from "../ports/provider-error.ts";
import { failedAnswer } from "./failed-answer.ts";
import { streamedError } from "./streamed-error.ts";

type Call = { provider: string; secrets: readonly string[] };

/**
 * What the AI SDK throws or streams as an error, as an error of ours; aborts are the caller's to tell. The SDK's error
 * is not kept as the cause: it holds the whole request, which must not get into a log.
 */
export function aiSdkFailure(error: unknown, call: Call): ProviderError {
  if (error instanceof ProviderError) return error;
  if (APICallError.isInstance(error)) return callFailure(error, call);
  if (error instanceof TypeError) return error.cause instanceof ProviderError ? error.cause : brokenOff(call);
  // A chunk that the SDK does not know may be the vendor's way to report a failure.
  if (TypeValidationError.isInstance(error) && isErrorReport(error.value)) {
    return streamedError(Object(error.value).error ?? error.value, call);
  }
  const named = error instanceof Error ? error.name : "";
  if (/JSONParse|TypeValidation|InvalidResponse|NoContent|EmptyResponse/.test(named)) return badAnswer(call);
  return streamedError(error, call);
}

function callFailure(error: APICallError, call: Call): ProviderError {
  const { statusCode, responseHeaders = {}, responseBody = "", cause } = error;
  if (cause instanceof ProviderError) return cause;
  if (statusCode === undefined) return unreachable(call);
  // The body ended in the middle.
  if (cause instanceof TypeError) return brokenOff(call);
  if (statusCode < 300) return badAnswer(call);
  return failedAnswer({ status: statusCode, headers: new Headers(responseHeaders) }, responseBody, call);
}

function isErrorReport(value: unknown): boolean {
  const { object, error } = Object(value);
  return object === "error" || (typeof error === "object" && error !== null);
}

export function brokenOff({ provider }: Call): ProviderError {
  const facts = { provider, code: "unavailable", retryable: true } as const;
  return new ProviderError(`${provider} broke off its answer.`, facts);
}

function unreachable({ provider }: Call): ProviderError {
  const facts = { provider, code: "unavailable", retryable: true } as const;
  return new ProviderError(`${provider} cannot be reached or broke off the connection.`, facts);
}

function badAnswer({ provider }: Call): ProviderError {
  const facts = { provider, status: 200, code: "bad_answer", retryable: true } as const;
  return new ProviderError(
    `${provider} sent something that is no answer of its API. Check the base URL.`,
    facts,
  );
}
