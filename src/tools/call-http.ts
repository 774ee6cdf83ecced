import { randomInt } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import type { App } from "../context.ts";
import { ProviderError } from "../ports/provider-error.ts";
import type { AccessTokens } from "./access-tokens.ts";
import { buildRequest } from "./build-request.ts";
import { describeProviderError } from "./describe-failure.ts";
import { type HttpAnswer, readAnswer } from "./read-answer.ts";
import { type CallResult, failed } from "./tool-outcome.ts";
import type { HttpTool } from "./tools.schemas.ts";
import { unlessAborted } from "./unless-aborted.ts";

/** What every way of calling is handed. */
export type CallIo = {
  fetchPublic: App["fetchPublic"];
  now: () => Date;
  /** The tool in one version of its definition and secrets. */
  key: string;
  /** Ends with the caller's, and when the time for the whole call is over. */
  signal: AbortSignal;
  /** Of the time for the whole call. */
  remainingMs: () => number;
  /** It was that time which ended it, not the caller. */
  isTimeUp: () => boolean;
  /** Is told what was obtained and must not be shown. */
  onSecret: (secret: string) => void;
  /** Takes secrets out of what a server said; before it is cut, since half of one is too much. */
  redact: (text: string) => string;
};

type Sent = HttpAnswer & { headers: Headers };
type Request = { url: string; body: string | undefined; headers: Record<string, string> };

/** HTTP's own word for it: to send it twice is to send it once (RFC 9110 §9.2.2). */
const IDEMPOTENT = ["GET", "PUT", "DELETE"];
const RETRY_STATUSES = [429, 502, 503, 504];
const RETRIES_MAX = 2;
const RETRY_BASE_MS = 200;

/** Sends the arguments as the definition says and reads the answer. Throws when `io.signal` ends it. */
export async function callHttpTool(
  http: HttpTool,
  parameters: Readonly<Record<string, unknown>>,
  args: Readonly<Record<string, unknown>>,
  io: CallIo & { tokens: AccessTokens },
): Promise<CallResult> {
  const built = buildRequest(http, parameters, args);
  if ("problem" in built) return failed("invalid_arguments", built.problem);
  let retries = 0;
  for (let renewed = false; ; ) {
    const credentials = await credentialsFor(http, io);
    if ("problem" in credentials) return credentials.problem;
    const sent = await send(http, { ...built, headers: headersFor(http, built.body, credentials) }, io);
    if ("status" in sent && sent.status === 401 && credentials.token !== undefined && !renewed) {
      io.tokens.forget(io.key, credentials.token);
      renewed = true;
      continue;
    }
    const waitMs = retries < RETRIES_MAX ? waitBeforeRetry(http, sent, retries, io) : undefined;
    if (waitMs === undefined) {
      return "status" in sent
        ? readAnswer(http, sent, io.redact)
        : describeProviderError(sent.error, http, sent.seen);
    }
    retries += 1;
    await sleep(waitMs, undefined, { signal: io.signal });
  }
}

type Credentials = { name: string; value: string; token?: string } | { name?: undefined; token?: undefined };

async function credentialsFor(
  { auth }: HttpTool,
  io: CallIo & { tokens: AccessTokens },
): Promise<Credentials | { problem: CallResult }> {
  switch (auth.type) {
    case "none":
      return {};
    case "bearer":
      return checked("authorization", `Bearer ${auth.token}`);
    case "basic": {
      const pair = Buffer.from(`${auth.username}:${auth.password}`).toString("base64");
      return checked("authorization", `Basic ${pair}`);
    }
    case "header":
      return checked(auth.name.toLowerCase(), auth.value);
    case "oauth2_client_credentials": {
      const { key, fetchPublic, now } = io;
      const issued = await unlessAborted(io.signal, io.tokens.get({ key, auth, fetchPublic, now }));
      if ("problem" in issued) {
        const sentence = `The tool could not sign in: ${issued.problem}. The request was not sent.`;
        return { problem: failed("sign_in_failed", sentence) };
      }
      io.onSecret(issued.token);
      return { name: "authorization", value: `Bearer ${issued.token}`, token: issued.token };
    }
  }
}

function checked(name: string, value: string): Credentials | { problem: CallResult } {
  if (/^[\t\x20-\x7e]*$/.test(value)) return { name, value };
  const sentence = "The tool's credentials hold characters that cannot be sent. The request was not sent.";
  return { problem: failed("misconfigured", sentence) };
}

function headersFor(
  http: HttpTool,
  body: string | undefined,
  credentials: Credentials,
): Record<string, string> {
  const headers: Record<string, string> = { accept: "application/json, text/*;q=0.9, */*;q=0.1" };
  if (body !== undefined) headers["content-type"] = "application/json";
  for (const [name, value] of Object.entries(http.headers)) headers[name.toLowerCase()] = value;
  if (credentials.name !== undefined) headers[credentials.name] = credentials.value;
  return headers;
}

/** `seen`: the status, when the failure came after it. */
async function send(
  http: HttpTool,
  { url, body, headers }: Request,
  io: CallIo,
): Promise<Sent | { error: ProviderError; seen: number | null }> {
  let seen: number | null = null;
  try {
    const answer = await io.fetchPublic(url, {
      method: http.method,
      headers,
      maxBytes: http.max_response_bytes,
      timeoutMs: http.timeout_ms,
      signal: io.signal,
      ...(body === undefined ? {} : { body }),
    });
    seen = answer.status;
    return { ...answer, data: await buffer(answer.body) };
  } catch (error) {
    if (io.isTimeUp()) return { error: timeUp(http), seen };
    if (error instanceof ProviderError) return { error, seen };
    throw error;
  }
}

function timeUp({ timeout_ms: ms }: HttpTool): ProviderError {
  const message = `The tool did not answer in full within ${ms} ms.`;
  return new ProviderError(message, { provider: "tool", code: "timeout" });
}

/** `undefined`: it is not tried again. */
function waitBeforeRetry(
  { method }: HttpTool,
  sent: Sent | { error: ProviderError },
  retries: number,
  io: CallIo,
): number | undefined {
  if (!IDEMPOTENT.includes(method)) return undefined;
  const isWorthIt =
    "status" in sent ? RETRY_STATUSES.includes(sent.status) : sent.error.code === "unavailable";
  if (!isWorthIt) return undefined;
  const ownMs = RETRY_BASE_MS * 2 ** retries;
  const askedMs = "status" in sent ? retryAfterMs(sent.headers, io.now()) : undefined;
  const waitMs = Math.max(askedMs ?? 0, ownMs + randomInt(ownMs));
  return waitMs < io.remainingMs() ? waitMs : undefined;
}

/** In seconds or as a date (RFC 9110 §10.2.3). */
function retryAfterMs(headers: Headers, now: Date): number | undefined {
  const value = headers.get("retry-after")?.trim() ?? "";
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now.getTime());
}
