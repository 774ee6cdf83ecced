import type { IncomingMessage } from "node:http";
import { refused } from "./guarded-failure.ts";

export type Hop = {
  url: URL;
  method: string;
  headers: Record<string, string>;
  body: string | Uint8Array | undefined;
};

/** Headers that say something about us or about the format, and nothing about the caller. */
const harmless = ["accept", "accept-language", "content-type", "user-agent"];

/** Set by us or by the connection; a customer's tool must not choose them. */
const hopByHop =
  /^(host|connection|keep-alive|transfer-encoding|te|trailer|upgrade|expect|content-length|accept-encoding|proxy-.*)$/;

export function withoutHopByHop(headers: Record<string, string>): Record<string, string> {
  return pick(headers, (name) => !hopByHop.test(name));
}

/**
 * The next request after a redirect (RFC 9110 §15.4, as browsers read it), or null when the answer is none.
 * Another origin gets harmless headers only: a key may travel under any name (`X-Api-Key`), not just `Authorization`.
 * It gets no body at all, which may hold a secret too (an OAuth client's) and was meant for the first host.
 */
export function followRedirect(hop: Hop, response: IncomingMessage): Hop | null {
  const { statusCode = 0, headers } = response;
  if (![301, 302, 303, 307, 308].includes(statusCode) || headers.location === undefined) return null;
  // What cannot be parsed is checked, and refused, like any other link.
  const url = new URL(URL.canParse(headers.location, hop.url.href) ? headers.location : "invalid:", hop.url);
  const sameOrigin = url.origin === hop.url.origin;
  const kept = sameOrigin ? hop.headers : pick(hop.headers, (name) => harmless.includes(name));
  const becomesGet =
    (statusCode === 303 && hop.method !== "HEAD") ||
    ([301, 302].includes(statusCode) && hop.method === "POST");
  if (!becomesGet && !sameOrigin && hop.body !== undefined) {
    throw refused("The link redirects a request with a body to another host.");
  }
  if (!becomesGet) return { ...hop, url, headers: kept };
  return { url, method: "GET", headers: pick(kept, (name) => name !== "content-type"), body: undefined };
}

function pick(headers: Record<string, string>, keep: (name: string) => boolean): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .map(([name, value]) => [name.toLowerCase(), value] as const)
      .filter(([name]) => keep(name)),
  );
}
