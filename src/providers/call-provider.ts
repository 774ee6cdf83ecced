import { ProviderError } from "../ports/provider-error.ts";
import { failedAnswer } from "./failed-answer.ts";

export type Fetch = typeof globalThis.fetch;

export type ProviderCall = {
  /** Named in errors. */
  provider: string;
  fetch: Fetch;
  url: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  /** From the request's first byte to the answer's last one (or to `stopTimer`). */
  timeoutMs: number;
  /** A larger answer is `bad_answer`. Default 128 MiB. */
  maxAnswerBytes?: number;
  signal?: AbortSignal;
  /** Taken out of every message, whoever wrote it. */
  secrets: readonly string[];
  /** Reads an answer other than 2xx, for vendors whose status says little. Default {@link failedAnswer}. */
  failed?: (response: Response, body: string) => ProviderError;
};

export type ProviderAnswer = {
  status: number;
  headers: Headers;
  /** For streaming; the three below read it, too. */
  body: ReadableStream<Uint8Array> | null;
  /** The time limit no longer applies to what is left of the body. */
  stopTimer(): void;
  bytes(): Promise<Buffer>;
  text(): Promise<string>;
  /** Parsed JSON; anything else is `bad_answer`, to be retried (a proxy's page, a cut connection). */
  json(): Promise<unknown>;
};

/** More than any documented answer needs: 2,048 vectors of 4,096 numbers as text are about 90 MB. */
const defaultMaxAnswerBytes = 128 * 1024 * 1024;

/**
 * One request to a vendor. Resolves for 2xx; all else is a `ProviderError` that says what to do, and an aborted
 * `signal` throws its reason. Redirects are refused: they would carry the key to a place nobody configured.
 */
export async function callProvider(call: ProviderCall): Promise<ProviderAnswer> {
  call.signal?.throwIfAborted();
  const timer = new AbortController();
  const timeout = setTimeout(() => timer.abort(), call.timeoutMs);
  const stopTimer = () => clearTimeout(timeout);
  const signal = call.signal ? AbortSignal.any([call.signal, timer.signal]) : timer.signal;

  async function guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      stopTimer();
      if (error instanceof ProviderError) throw error;
      call.signal?.throwIfAborted();
      if (timer.signal.aborted) throw tooSlow(call);
      throw unreachable(call, error);
    }
  }

  const response = await guarded(() => call.fetch(call.url, { ...requestOf(call), signal }));
  const bytes = () => guarded(() => readBytes(response, call)).finally(stopTimer);
  const text = async () => (await bytes()).toString("utf8");
  if (!response.ok) {
    const said = await text();
    throw call.failed?.(response, said) ?? failedAnswer(response, said, call);
  }
  return {
    status: response.status,
    headers: response.headers,
    body: response.body,
    stopTimer,
    bytes,
    text,
    json: async () => parseJson(await text(), call, response.status),
  };
}

/** Sends JSON, reads JSON. */
export async function postJson(
  call: Omit<ProviderCall, "method" | "body"> & { json: unknown },
): Promise<unknown> {
  const { json, ...rest } = call;
  const headers = { ...call.headers, "content-type": "application/json", accept: "application/json" };
  return await (await callProvider({ ...rest, method: "POST", headers, body: JSON.stringify(json) })).json();
}

function requestOf(call: ProviderCall): RequestInit {
  return {
    method: call.method ?? "GET",
    headers: call.headers,
    body: call.body,
    redirect: "manual",
    // Without it, fetch refuses a body that is a stream.
    ...(call.body instanceof ReadableStream ? { duplex: "half" } : {}),
  };
}

async function readBytes(response: Response, call: ProviderCall): Promise<Buffer> {
  if (response.body === null) return Buffer.alloc(0);
  const maxBytes = call.maxAnswerBytes ?? defaultMaxAnswerBytes;
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of response.body) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > maxBytes) {
      throw new ProviderError(`${call.provider} sent more than ${maxBytes} bytes.`, {
        provider: call.provider,
        status: response.status,
        code: "bad_answer",
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseJson(text: string, call: ProviderCall, status: number): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ProviderError(`${call.provider} answered something that is not JSON. Check the base URL.`, {
      provider: call.provider,
      status,
      code: "bad_answer",
      retryable: true,
    });
  }
}

function tooSlow(call: ProviderCall): ProviderError {
  return new ProviderError(`${call.provider} did not answer within ${call.timeoutMs} ms.`, {
    provider: call.provider,
    code: "timeout",
    retryable: true,
  });
}

/** fetch hides the reason (`ECONNREFUSED`, `ENOTFOUND`, `UND_ERR_SOCKET`) in the cause of its error. */
function unreachable(call: ProviderCall, error: unknown): ProviderError {
  const cause = error instanceof Error ? error.cause : undefined;
  const reason = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : "";
  return new ProviderError(
    `${call.provider} cannot be reached or broke off the connection${reason}.`,
    { provider: call.provider, code: "unavailable", retryable: true },
    // Not the error itself: it quotes headers that cannot be sent, and with them the key.
    cause,
  );
}
