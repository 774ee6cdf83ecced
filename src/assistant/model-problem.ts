import { Problem } from "../http/problem.ts";
import { ProviderError } from "../ports/provider-error.ts";

/** A failure of the language model as the caller reads it; everything else stays what it is. */
export function asProblem(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) {
    return new Problem("overloaded", "The answer was broken off.", {
      headers: { "retry-after": "1" },
      cause: error,
    });
  }
  if (!(error instanceof ProviderError)) return error;
  if (error.code === "timeout")
    return new Problem("provider_timeout", "The language model took too long. Try again.", { cause: error });
  return new Problem("provider_failed", sentenceFor(error), { cause: error });
}

function sentenceFor({ code }: ProviderError): string {
  switch (code) {
    case "unauthorized":
      return "The language model's provider refused the credentials. Check its API key.";
    case "quota_exhausted":
      return "The language model's provider says that its quota is used up.";
    case "rate_limited":
      return "The language model's provider takes no more requests just now. Try again later.";
    case "not_found":
      return "The language model's provider knows no such model. Choose another one for the workspace.";
    case "input_too_large":
      return "The conversation is longer than the language model takes. Begin a new one.";
    case "rejected":
      return "The language model's provider refused the request.";
    default:
      return "The language model failed. Try again.";
  }
}
