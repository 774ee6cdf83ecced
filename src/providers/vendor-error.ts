/** What an error body says. `words` is everything worth searching (type, code, message); empty for other formats. */
export type VendorError = { message: string; words: string; retryAfterMs: number | null };

const maxMessageLength = 300;

/**
 * Finds the sentence in the error formats in use: `{error:{message,type,code}}` (OpenAI), `{error:{message,status,
 * details}}` (Google), `{message}` (Cohere), `{detail}` (Voyage, FastAPI), `{error:"…"}` (Ollama, TEI),
 * `<Error><Code>…</Code><Message>…</Message></Error>` (S3).
 */
export function vendorError(body: string): VendorError {
  const parsed = parse(body) ?? s3Error(body);
  const error = isRecord(parsed) ? (parsed.error ?? parsed) : parsed;
  const candidates = isRecord(error)
    ? [error.message, error.detail, isRecord(parsed) ? parsed.message : undefined]
    : [error];
  const message = candidates.find((candidate) => typeof candidate === "string") ?? "";
  return {
    message: String(message).replace(/\s+/g, " ").trim().slice(0, maxMessageLength),
    words: parsed === undefined ? "" : body.slice(0, 4_000),
    retryAfterMs: isRecord(error) ? googleRetryDelay(error.details) : null,
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `google.rpc.RetryInfo` in the details: `{"retryDelay":"34.5s"}`. */
function googleRetryDelay(details: unknown): number | null {
  if (!Array.isArray(details)) return null;
  for (const detail of details) {
    const delay = isRecord(detail) ? detail.retryDelay : undefined;
    if (typeof delay === "string" && /^\d+(\.\d+)?s$/.test(delay))
      return Math.ceil(Number.parseFloat(delay) * 1000);
  }
  return null;
}

function s3Error(body: string): string | undefined {
  const code = /<Code>([^<]+)<\/Code>/.exec(body)?.[1];
  if (code === undefined) return undefined;
  return `${code}: ${/<Message>([^<]+)<\/Message>/.exec(body)?.[1] ?? "no message"}`;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
