import { ProviderError } from "../ports/provider-error.ts";
import type { ByteSource } from "./byte-source.ts";

/** More than any event of a documented stream holds. */
const MAX_LINE_CHARACTERS = 16 * 1024 * 1024;
/**
 * The lines of a text stream, in groups as they arrive: an answer of many small lines costs one wait a network read,
 * not one a line. Empty lines are left out. Who stops early has the rest read and thrown away, so that the connection
 * can be used again; to break it off, abort the request.
 */
export async function* readLines(provider: string, source: ByteSource): AsyncGenerator<string[], void, void> {
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const chunk = await source.next();
      rest += chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
      const lines = rest.split("\n");
      rest = chunk === undefined ? "" : (lines.pop() ?? "");
      if (rest.length > MAX_LINE_CHARACTERS) throw tooLong(provider);
      const filled = lines.map(withoutReturn).filter((line) => line !== "");
      if (filled.length > 0) yield filled;
      if (chunk === undefined) return;
    }
  } finally {
    source.leave();
  }
}

/** The content of a `data:` line of server-sent events; null for comments and other fields. */
export function dataOf(line: string): string | null {
  if (!line.startsWith("data:")) return null;
  return line.charCodeAt(5) === 32 ? line.slice(6) : line.slice(5);
}

function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}

function tooLong(provider: string): ProviderError {
  return new ProviderError(`${provider} sent a line of more than ${MAX_LINE_CHARACTERS} characters.`, {
    provider,
    code: "bad_answer",
  });
}
