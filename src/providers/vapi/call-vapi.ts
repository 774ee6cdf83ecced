import { z } from "zod";
import { ProviderError } from "../../ports/provider-error.ts";
import { callProvider, type Fetch } from "../call-provider.ts";
import { failedAnswer } from "../failed-answer.ts";

export const provider = "vapi";

export interface VapiOptions {
  /** The private key of the organization at Vapi. */
  apiKey: string;
  /** `https://api.vapi.ai` */
  baseUrl: string;
  /** Of one request; default 10 s. */
  timeoutMs?: number;
  fetch?: Fetch;
}

export interface VapiCall {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Below the base URL, its parts encoded. */
  path: string;
  query?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  json?: object;
  /** What else must not show up in a message: Vapi quotes what it refuses. */
  secrets?: readonly string[];
  signal?: AbortSignal | undefined;
}

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/** `{"message":"…" or ["…"],"error":"Bad Request","statusCode":400}`: what went wrong is in `message`. */
const failure = z.object({ message: z.union([z.string(), z.array(z.string())]) });

/**
 * One request, with the installation's key.
 *
 * @returns parsed JSON
 * @throws {@link ProviderError}; the reason of an aborted signal
 */
export async function callVapi(options: VapiOptions, call: VapiCall): Promise<unknown> {
  const secrets = [options.apiKey, ...(call.secrets ?? [])];
  const query = new URLSearchParams(call.query ?? {});
  const answer = await callProvider({
    provider,
    fetch: options.fetch ?? fetch,
    url: `${options.baseUrl}/${call.path}${query.size === 0 ? "" : `?${query}`}`,
    method: call.method,
    headers: {
      authorization: `Bearer ${options.apiKey}`,
      accept: "application/json",
      ...(call.json === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(call.json === undefined ? {} : { body: JSON.stringify(call.json) }),
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    maxAnswerBytes: MAX_ANSWER_BYTES,
    ...(call.signal === undefined ? {} : { signal: call.signal }),
    secrets,
    failed: (response, body) =>
      failedAnswer(response, JSON.stringify({ message: readMessage(body) }), { provider, secrets }),
  });
  return answer.json();
}

/** Reads an answer, or says that it is not what Vapi documents. */
export function readAnswer<T>(schema: z.ZodType<T>, answer: unknown): T {
  const read = schema.safeParse(answer);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new ProviderError(
    `${provider} answered something else than it documents (${issue?.path.join(".")}: ${issue?.message}).`,
    { provider, code: "bad_answer", retryable: true },
  );
}

/** For what may be gone already. */
export function isNotFound(error: unknown): boolean {
  return error instanceof ProviderError && error.code === "not_found";
}

function readMessage(body: string): string {
  try {
    const { message } = failure.parse(JSON.parse(body));
    return Array.isArray(message) ? message.join("; ") : message;
  } catch {
    return "";
  }
}
