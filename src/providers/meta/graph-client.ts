import { ProviderError } from "../../ports/provider-error.ts";
import { endpointUrl } from "../base-url.ts";
import { callProvider, type Fetch } from "../call-provider.ts";
import { brokenCall, graphError, PROVIDER } from "./convert-error.ts";

export interface MetaOptions {
  appId: string;
  appSecret: string;
  /** `https://graph.facebook.com` */
  baseUrl: string;
  /** `v25.0` */
  version: string;
  fetch: Fetch;
  /** Of every call but downloads; default 15 s, and 30 s where numbers are registered. */
  timeoutMs?: number;
}

export interface GraphCall {
  method?: "GET" | "POST" | "DELETE";
  /** Below the version, its parts encoded. */
  path: string;
  query?: Record<string, string>;
  /** Sent as JSON; absent: no body at all. */
  json?: unknown;
  /** Goes into the header; null: the request carries its own proof in `query`. */
  token: string | null;
  /** What else must not show up in a message. */
  secrets?: readonly string[];
  timeoutMs?: number;
  signal: AbortSignal;
}

const TIMEOUT_MS = 15_000;
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** One call of Graph. Its address is never part of a message: it may hold the app's secret. */
export async function callGraph(options: MetaOptions, call: GraphCall): Promise<unknown> {
  const url = new URL(endpointUrl(options.baseUrl, options.version, call.path));
  for (const [name, value] of Object.entries(call.query ?? {})) url.searchParams.set(name, value);
  const secrets = [options.appSecret, call.token ?? "", ...(call.secrets ?? [])];
  try {
    const answer = await callProvider({
      provider: PROVIDER,
      fetch: options.fetch,
      url: url.href,
      method: call.method ?? "GET",
      headers: {
        accept: "application/json",
        ...(call.token !== null && { authorization: `Bearer ${call.token}` }),
        ...(call.json !== undefined && { "content-type": "application/json" }),
      },
      ...(call.json !== undefined && { body: JSON.stringify(call.json) }),
      timeoutMs: options.timeoutMs ?? call.timeoutMs ?? TIMEOUT_MS,
      maxAnswerBytes: MAX_ANSWER_BYTES,
      signal: call.signal,
      secrets,
      failed: (response, body) => graphError(response, body, secrets),
    });
    return await answer.json();
  } catch (error) {
    throw error instanceof ProviderError ? brokenCall(error) : error;
  }
}
