import { text } from "node:stream/consumers";
import type { App } from "../context.ts";
import { ProviderError } from "../ports/provider-error.ts";
import type { HttpAuth } from "./tools.schemas.ts";

type ClientCredentials = Extract<HttpAuth, { type: "oauth2_client_credentials" }>;
type TokenRequest = {
  /** The tool in one version of its definition and secrets: a token never serves another one. */
  key: string;
  auth: ClientCredentials;
  fetchPublic: App["fetchPublic"];
  now: () => Date;
};

/** A token, or a sentence that says why there is none. */
export type AccessToken = { token: string } | { problem: string };

/** Access tokens by the client credentials grant (RFC 6749 §4.4), fetched once for all who wait for one. */
export type AccessTokens = {
  get(request: TokenRequest): Promise<AccessToken>;
  /** The server refused it: the next one who asks gets another. */
  forget(key: string, token: string): void;
};

type Entry = { answer: Promise<Issued>; token?: string; staleAt: number };
type Issued = AccessToken & { livesMs?: number };

const ENTRIES_MAX = 1_000;
const TIMEOUT_MS = 10_000;
const ANSWER_MAX_BYTES = 64 * 1024;
/** For servers that do not say how long a token lives. */
const DEFAULT_LIFE_MS = 300_000;
/** So long before its end a token is replaced, or a fifth of its life when that is shorter. */
const MARGIN_MS = 60_000;

export function createAccessTokens(): AccessTokens {
  /** The least recently used first. */
  const entries = new Map<string, Entry>();
  /** Tools whose server wants the credentials in the body; forgetting one costs a request. */
  const postsSecret = new Set<string>();

  function begin(request: TokenRequest): Entry {
    const entry: Entry = { answer: fetchToken(request, postsSecret), staleAt: Number.POSITIVE_INFINITY };
    const forget = () => {
      if (entries.get(request.key) === entry) entries.delete(request.key);
    };
    entry.answer.then((issued) => {
      if ("token" in issued) entry.token = issued.token;
      const lifeMs = "token" in issued ? (issued.livesMs ?? DEFAULT_LIFE_MS) : 0;
      // A failure, or a token that is over at once, serves only those who already wait.
      if (lifeMs <= 0) forget();
      entry.staleAt = request.now().getTime() + lifeMs - Math.min(MARGIN_MS, lifeMs / 5);
    }, forget);
    return entry;
  }

  return {
    async get(request) {
      const known = entries.get(request.key);
      const entry = known !== undefined && request.now().getTime() < known.staleAt ? known : begin(request);
      entries.delete(request.key);
      entries.set(request.key, entry);
      const [oldest] = entries.keys();
      if (entries.size > ENTRIES_MAX && oldest !== undefined) entries.delete(oldest);
      if (postsSecret.size > ENTRIES_MAX) postsSecret.clear();
      return await entry.answer;
    },
    forget(key, token) {
      if (entries.get(key)?.token === token) entries.delete(key);
    },
  };
}

/** RFC 6749 §2.3.1: every server takes HTTP Basic; those that want the body instead say `invalid_client`. */
async function fetchToken(request: TokenRequest, postsSecret: Set<string>): Promise<Issued> {
  const inBody = postsSecret.has(request.key);
  const first = await askForToken(request, inBody);
  if (!("refused" in first)) return first;
  const second = await askForToken(request, !inBody);
  if ("refused" in second) return first;
  if ("token" in second && !inBody) postsSecret.add(request.key);
  return second;
}

async function askForToken(
  { auth, fetchPublic }: TokenRequest,
  inBody: boolean,
): Promise<Issued | (Issued & { refused: true })> {
  const form = new URLSearchParams({ grant_type: "client_credentials" });
  if (auth.scopes !== undefined && auth.scopes.length > 0) form.set("scope", auth.scopes.join(" "));
  if (auth.audience !== undefined) form.set("audience", auth.audience);
  const headers: Record<string, string> = {
    "content-type": "application/x-www-form-urlencoded",
    accept: "application/json",
  };
  if (inBody) {
    form.set("client_id", auth.client_id);
    form.set("client_secret", auth.client_secret);
  } else {
    const pair = `${formEncode(auth.client_id)}:${formEncode(auth.client_secret)}`;
    headers.authorization = `Basic ${Buffer.from(pair).toString("base64")}`;
  }
  try {
    const answer = await fetchPublic(auth.token_url, {
      method: "POST",
      headers,
      body: form.toString(),
      maxBytes: ANSWER_MAX_BYTES,
      timeoutMs: TIMEOUT_MS,
    });
    return readToken(answer.status, await text(answer.body));
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    return { problem: `the token server failed: ${error.message.replace(/^The link/, "its address")}` };
  }
}

function readToken(status: number, body: string): Issued | (Issued & { refused: true }) {
  const answer = parseObject(body);
  const error =
    typeof answer.error === "string" && /^\w{1,60}$/.test(answer.error) ? ` (${answer.error})` : "";
  const problem = `the token server answered ${status}${error}`;
  if (status === 401 || error === " (invalid_client)") return { problem, refused: true };
  if (status !== 200) return { problem };
  const { access_token: token, token_type: type, expires_in: seconds } = answer;
  if (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token)) {
    return { problem: "the token server's answer holds no usable access_token" };
  }
  if (typeof type === "string" && type.toLowerCase() !== "bearer") {
    return { problem: "the token server's token is not of the type Bearer" };
  }
  const lives = typeof seconds === "number" || typeof seconds === "string" ? Number(seconds) : Number.NaN;
  return Number.isFinite(lives) ? { token, livesMs: lives * 1_000 } : { token };
}

/** As `application/x-www-form-urlencoded`, which the RFC wants also inside the Basic header. */
function formEncode(value: string): string {
  return new URLSearchParams({ v: value }).toString().slice(2);
}

function parseObject(body: string): Record<string, unknown> {
  try {
    return { ...Object(JSON.parse(body)) };
  } catch {
    return {};
  }
}
