import { ProviderError, type ProviderErrorCode } from "../../ports/provider-error.ts";

/** Runs one thing on the file system and makes its failure a `ProviderError`. */
export async function diskFailure<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = errorCode(error);
    if (code === "") throw error;
    throw new ProviderError(sentences[code] ?? `The disk failed (${code}).`, {
      provider: "disk",
      code: kinds[code] ?? "unavailable",
      retryable: !(code in kinds) && code !== "ENOSPC" && code !== "EROFS",
    });
  }
}

/** The system's word for a failure (`ENOENT`), or an empty string for any other error. */
export function errorCode(error: unknown): string {
  const code = error instanceof Error && "syscall" in error && "code" in error ? error.code : "";
  return typeof code === "string" ? code : "";
}

const kinds: Record<string, ProviderErrorCode> = {
  ENOENT: "not_found",
  ENOTDIR: "not_found",
  EISDIR: "not_found",
  EACCES: "unauthorized",
  EPERM: "unauthorized",
};

const sentences: Record<string, string> = {
  ENOENT: "There is no such file.",
  ENOTDIR: "There is no such file.",
  EISDIR: "There is no such file.",
  EACCES: "The data folder may not be read or written by this user.",
  EPERM: "The data folder may not be read or written by this user.",
  ENOSPC: "The disk is full.",
  EDQUOT: "The disk quota is used up.",
  EROFS: "The data folder is read-only.",
};
