import type { Fetch } from "./call-provider.ts";
import type { GuardedFetch } from "./guarded-fetch.ts";

/** As much as the longest answer of a chat model needs, many times over. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** A little more than a chat model may take: its own limits speak first. */
const TIMEOUT_MS = 125_000;

/** `fetch` for an adapter whose address a tenant chose: it reaches the public internet only. */
export function fetchThrough(guarded: GuardedFetch): Fetch {
  return async (input, init = {}) => {
    const url = input instanceof Request ? input.url : String(input);
    const answer = await guarded(url, {
      method: init.method === "POST" ? "POST" : "GET",
      headers: Object.fromEntries(new Headers(init.headers)),
      ...(typeof init.body === "string" ? { body: init.body } : {}),
      maxBytes: MAX_ANSWER_BYTES,
      timeoutMs: TIMEOUT_MS,
      ...(init.signal ? { signal: init.signal } : {}),
    });
    const { status, headers } = answer;
    const empty = status === 204 || status === 304;
    if (empty) answer.body.destroy();
    return new Response(empty ? null : ReadableStream.from(answer.body), { status, headers });
  };
}
