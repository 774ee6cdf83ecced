import type { ProviderError, ProviderErrorCode } from "../ports/provider-error.ts";
import { type CallResult, failed, type ToolFailureCode } from "./tool-outcome.ts";

const CODES: Partial<Record<ProviderErrorCode, ToolFailureCode>> = {
  address_refused: "address_refused",
  input_too_large: "response_too_large",
  timeout: "timeout",
  unavailable: "unreachable",
};

/** `seen`: the status, when the answer had begun. */
export function describeProviderError(
  error: ProviderError,
  call: { method: string },
  seen: number | null,
): CallResult {
  const code = CODES[error.code] ?? "bad_response";
  // The guarded fetch speaks of links that people send.
  const message = error.message
    .replace(/^The link's/, "The tool's")
    .replace(/^The link/, "The tool's address");
  return failed(code, `${message} ${effectOf(code, call, seen)}`.trim(), { httpStatus: seen });
}

/** The time for the whole call is over. */
export function describeTimeout(timeoutMs: number, call: { method: string }): CallResult {
  const sentence = `The tool did not answer in full within ${timeoutMs} ms.`;
  return failed("timeout", `${sentence} ${effectOf("timeout", call, null)}`.trim());
}

/** What the model may say of a request that was sent and not answered in full: nothing more than is known. */
function effectOf(code: ToolFailureCode, { method }: { method: string }, seen: number | null): string {
  if (seen !== null && seen >= 200 && seen <= 299) return `The request was carried out (status ${seen}).`;
  if (method === "GET" || code === "address_refused") return "";
  return "It is not known whether the request took effect.";
}
