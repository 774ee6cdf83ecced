import { AsyncLocalStorage } from "node:async_hooks";
import type { Readable } from "node:stream";
import { ReadableStream } from "node:stream/web";
import type { FetchLike } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { App } from "../context.ts";
import { ProviderError } from "../ports/provider-error.ts";

/** One request of ours to an MCP server, which several may be under way to: what its own HTTP exchange says. */
export type McpExchange = {
  signal: AbortSignal;
  bytes: number;
  httpStatus: number | null;
  /** Called when the answer breaks off, which the SDK only logs and goes on waiting. */
  onBroken: (error: unknown) => void;
};

/** So that the fetch, which the SDK calls, knows for whom. */
export const currentExchange = new AsyncLocalStorage<McpExchange>();

const ANSWER_MAX_BYTES = 2_000_000;
const EXCHANGE_MAX_MS = 60_000;
const WITHOUT_BODY = [204, 205, 304];

/** The guarded fetch in the shape that the SDK's transport takes; `headers` are the definition's. */
export function createMcpFetch(fetchPublic: App["fetchPublic"], headers: Record<string, string>): FetchLike {
  return async (url, init) => {
    const sent = new Headers(init?.headers);
    const method = methodOf(init?.method);
    // A stream that only carries notifications would hold a connection for each tool. It is opened to go on with an
    // answer that was interrupted, and for nothing else; servers may refuse it with this status.
    if (method === "GET" && !sent.has("last-event-id")) return new Response(null, { status: 405 });
    const body = typeof init?.body === "string" ? init.body : undefined;
    const exchange = body === undefined || isRequest(body) ? currentExchange.getStore() : undefined;
    const signals = [init?.signal, exchange?.signal].filter((signal) => signal instanceof AbortSignal);
    const answer = await fetchPublic(String(url), {
      method,
      headers: { ...lowerCase(headers), ...Object.fromEntries(sent) },
      maxBytes: ANSWER_MAX_BYTES,
      timeoutMs: EXCHANGE_MAX_MS,
      signal: AbortSignal.any(signals),
      // The SDK follows those that stay within the origin.
      redirects: "answer",
      ...(body === undefined ? {} : { body }),
    });
    if (exchange !== undefined) exchange.httpStatus = answer.status;
    return toResponse(answer, exchange);
  };
}

function toResponse(
  answer: { status: number; headers: Headers; body: Readable },
  exchange: McpExchange | undefined,
): Response {
  const { status, headers, body } = answer;
  if (status < 200 || status > 599) {
    body.destroy();
    throw new ProviderError("The link does not answer in HTTP.", { provider: "mcp", code: "bad_answer" });
  }
  if (WITHOUT_BODY.includes(status)) {
    body.destroy();
    return new Response(null, { status, headers });
  }
  return new Response(ReadableStream.from(watched(body, exchange)), { status, headers });
}

async function* watched(body: Readable, exchange: McpExchange | undefined): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body) {
      if (exchange !== undefined) exchange.bytes += chunk.byteLength;
      yield chunk;
    }
  } catch (error) {
    exchange?.onBroken(error);
    throw error;
  }
}

/** Notifications, such as a cancellation, are sent even when the request they are about has ended. */
function isRequest(body: string): boolean {
  const message: unknown = JSON.parse(body);
  return typeof message === "object" && message !== null && "id" in message && "method" in message;
}

function methodOf(method = "GET"): "GET" | "POST" | "DELETE" {
  return method === "POST" || method === "DELETE" ? method : "GET";
}

function lowerCase(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
