import { ProviderError } from "../ports/provider-error.ts";

export function refused(message: string): ProviderError {
  return new ProviderError(message, { provider: "link", code: "address_refused" });
}

/** What the network, TLS or the decompressor throws, as something a caller can be told. */
export function fetchFailure(error: unknown): unknown {
  if (error instanceof ProviderError) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "") return error;
  if (code === "ENOTFOUND" || code === "ENODATA") return refused("The link's host name does not exist.");
  if (code.startsWith("Z_") || code.startsWith("ERR__ERROR_FORMAT") || code.startsWith("ERR_BROTLI")) {
    return new ProviderError("The link's answer is compressed wrongly.", {
      provider: "link",
      code: "bad_answer",
    });
  }
  if (code.startsWith("HPE_")) {
    return new ProviderError("The link does not answer in HTTP.", { provider: "link", code: "bad_answer" });
  }
  return new ProviderError(`The link cannot be reached or broke off (${code}).`, {
    provider: "link",
    code: "unavailable",
    retryable: true,
  });
}
