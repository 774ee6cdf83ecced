import { lookup } from "node:dns/promises";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import type { Readable } from "node:stream";
import { ProviderError } from "../ports/provider-error.ts";
import { bodyOf, headersOf } from "./guarded-body.ts";
import { fetchFailure, refused } from "./guarded-failure.ts";
import { followRedirect, type Hop, withoutHopByHop } from "./guarded-redirect.ts";
import { isPublicAddress } from "./public-address.ts";

type ResolvedAddress = { address: string; family: number };

export type GuardedFetchOptions = {
  /** All addresses of a host name. Default: the system's resolver. */
  resolve?: (hostname: string) => Promise<ResolvedAddress[]>;
  /** `host:port` of places that may be called although they are private or on another port, e.g. `127.0.0.1:4010`. */
  allowHosts?: readonly string[];
  /** Default 80 and 443. */
  ports?: readonly number[];
  /** Default 5. */
  maxRedirects?: number;
  userAgent?: string;
  /** A certificate authority of one's own, in PEM, instead of the built-in ones. */
  ca?: string;
};

export type GuardedRequest = {
  method?: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** The most the body may hold, on the wire and after decompression. */
  maxBytes: number;
  /** For all of it: every redirect, the head and the last byte of the body. */
  timeoutMs: number;
  signal?: AbortSignal;
  /** `answer`: a redirect is an answer like any other. Default: it is followed. */
  redirects?: "follow" | "answer";
};

type GuardedAnswer = {
  status: number;
  /** Where the last redirect led. */
  url: string;
  headers: Headers;
  /** e.g. `text/html; charset=utf-8`; null when the server does not say. */
  contentType: string | null;
  /** Decompressed. Breaks with a `ProviderError` when it gets too large or takes too long. Read it or destroy it. */
  body: Readable;
};

/** Calls a URL that a stranger chose. Any status is an answer; see `createGuardedFetch` for the errors. */
export type GuardedFetch = (url: string, request: GuardedRequest) => Promise<GuardedAnswer>;

/**
 * A fetch for addresses we did not choose ourselves (uploads by link, customers' tools). It speaks to the public
 * internet only: http and https, allowed ports, no credentials in the URL. The host name is resolved once, every one of
 * its addresses must be public, and the connection goes to exactly those, so an answer that changes in between (DNS
 * rebinding) changes nothing. The same holds for each redirect; another origin gets no credentials.
 *
 * Errors: `ProviderError` `address_refused` (the caller's mistake; the message does not tell what was found),
 * `input_too_large`, `timeout`, `unavailable`, `bad_answer`. An aborted `signal` throws its reason.
 */
export function createGuardedFetch(options: GuardedFetchOptions = {}): GuardedFetch {
  const maxRedirects = options.maxRedirects ?? 5;
  return async (url, request) => {
    request.signal?.throwIfAborted();
    const limit = startLimit(request);
    try {
      let hop = firstHop(url, request, options.userAgent);
      for (let redirects = 0; ; redirects++) {
        const response = await limit.within(sendHop(hop, options, limit.signal));
        const next = request.redirects === "answer" ? null : nextHop(hop, response);
        if (next === null) return answerOf(hop, response, request, limit);
        response.destroy();
        if (redirects === maxRedirects) throw refused(`The link redirects more than ${maxRedirects} times.`);
        hop = next;
      }
    } catch (error) {
      limit.end();
      throw limit.reasonFor(error);
    }
  };
}

function nextHop(hop: Hop, response: IncomingMessage): Hop | null {
  try {
    return followRedirect(hop, response);
  } catch (error) {
    response.destroy();
    throw error;
  }
}

type Limit = ReturnType<typeof startLimit>;

/** One clock and one signal for the whole of a request. */
function startLimit({ timeoutMs, signal }: GuardedRequest) {
  const timer = new AbortController();
  const timeout = setTimeout(() => timer.abort(), timeoutMs).unref();
  const both = signal ? AbortSignal.any([signal, timer.signal]) : timer.signal;
  return {
    signal: both,
    end: () => clearTimeout(timeout),
    /** The resolver cannot be stopped, so we stop waiting for it. */
    async within<T>(work: Promise<T>): Promise<T> {
      const { promise, reject } = Promise.withResolvers<never>();
      const onAbort = () => reject(both.reason);
      both.addEventListener("abort", onAbort, { once: true });
      if (both.aborted) onAbort();
      return await Promise.race([work, promise]).finally(() => both.removeEventListener("abort", onAbort));
    },
    reasonFor(error: unknown): unknown {
      if (signal?.aborted) return signal.reason;
      return timer.signal.aborted ? tooSlow(timeoutMs) : fetchFailure(error);
    },
  };
}

function tooSlow(timeoutMs: number): ProviderError {
  const message = `The link did not answer in full within ${timeoutMs} ms.`;
  return new ProviderError(message, { provider: "link", code: "timeout", retryable: true });
}

function firstHop(url: string, request: GuardedRequest, userAgent = "LumenOne"): Hop {
  const headers = { "user-agent": userAgent, accept: "*/*", ...withoutHopByHop(request.headers ?? {}) };
  return { url: checkUrl(url), method: request.method ?? "GET", headers, body: request.body };
}

/**
 * The parser has already turned `0x7f.1`, `2130706433`, `0177.0.0.1` and full-width digits into `127.0.0.1`, and
 * refused zone ids.
 */
function checkUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) throw refused("The link is not a valid URL.");
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw refused("Only http and https links are followed.");
  if (url.username !== "" || url.password !== "")
    throw refused("A link may not hold a user name or password.");
  return url;
}

async function sendHop(
  hop: Hop,
  options: GuardedFetchOptions,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const url = checkUrl(hop.url.href);
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const addresses = await allowedAddresses(url, hostname, options);
  signal.throwIfAborted();
  const secure = url.protocol === "https:";
  const body = hop.body === undefined ? undefined : Buffer.from(hop.body);
  return await new Promise((resolve, reject) => {
    const send = secure ? httpsRequest : httpRequest;
    const sent = send({
      hostname,
      port: portOf(url),
      path: `${url.pathname}${url.search}`,
      method: hop.method,
      headers: {
        ...hop.headers,
        host: url.host,
        "accept-encoding": "gzip, br",
        ...(body && { "content-length": body.byteLength }),
      },
      lookup: pinnedTo(addresses),
      // A kept connection would skip the check of the next request.
      agent: false,
      signal,
      ...(secure && options.ca !== undefined && { ca: options.ca }),
    });
    sent.once("response", resolve).on("error", reject).end(body);
  });
}

async function allowedAddresses(
  url: URL,
  hostname: string,
  { resolve = systemResolve, allowHosts = [], ports = [80, 443] }: GuardedFetchOptions,
): Promise<ResolvedAddress[]> {
  const allowed = allowHosts.includes(`${url.hostname}:${portOf(url)}`);
  if (!allowed && !ports.includes(portOf(url)))
    throw refused(`Links to port ${portOf(url)} are not followed.`);
  const family = isIP(hostname);
  const addresses = family === 0 ? await resolve(hostname) : [{ address: hostname, family }];
  if (addresses.length === 0) throw refused("The link's host name has no address.");
  if (!allowed && !addresses.every(({ address }) => isPublicAddress(address))) {
    throw refused("The link does not lead to the public internet.");
  }
  return addresses;
}

async function systemResolve(hostname: string): Promise<ResolvedAddress[]> {
  return await lookup(hostname, { all: true });
}

function portOf(url: URL): number {
  if (url.port !== "") return Number(url.port);
  return url.protocol === "https:" ? 443 : 80;
}

/** Stands in for DNS when the socket connects: it knows the checked addresses and nothing else. */
function pinnedTo(addresses: ResolvedAddress[]): LookupFunction {
  return (_hostname, options, callback) => {
    const first = addresses[0];
    if (options.all || first === undefined) callback(null, addresses);
    else callback(null, first.address, first.family);
  };
}

function answerOf(hop: Hop, response: IncomingMessage, request: GuardedRequest, limit: Limit): GuardedAnswer {
  const headers = headersOf(response);
  return {
    status: response.statusCode ?? 0,
    url: hop.url.href,
    headers,
    contentType: headers.get("content-type"),
    body: bodyOf(response, hop.method, request.maxBytes, { end: limit.end, reasonFor: limit.reasonFor }),
  };
}
