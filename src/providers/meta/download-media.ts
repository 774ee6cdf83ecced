import { createHash } from "node:crypto";
import { MessengerError } from "../../ports/messenger.ts";
import { ProviderError } from "../../ports/provider-error.ts";
import { callProvider } from "../call-provider.ts";
import { brokenCall, PROVIDER } from "./convert-error.ts";
import type { MetaOptions } from "./graph-client.ts";

const TIMEOUT_MS = 60_000;

/** Where Meta keeps media: `lookaside.fbsbx.com`, and what stands behind it. */
const HOSTS = ["fbsbx.com", "whatsapp.net", "fbcdn.net"];

/**
 * The bytes behind a link of Meta's. The link came in a message from outside, and the customer's token goes with the
 * request: so only Meta's own hosts are asked, and the configured one, which in tests is a simulator's.
 */
export async function fetchMedia(
  options: MetaOptions,
  token: string,
  media: { url: string; sha256: string | null },
  maxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (!isMetas(media.url, options.baseUrl)) throw unusable("The media does not lie on a host of Meta's.");
  const bytes = await download(options, token, media.url, maxBytes, signal);
  if (media.sha256 !== null && !isHashOf(media.sha256, bytes)) {
    throw unusable("The media is not what its hash says.");
  }
  return bytes;
}

async function download(
  options: MetaOptions,
  token: string,
  url: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Buffer> {
  try {
    const answer = await callProvider({
      provider: PROVIDER,
      fetch: options.fetch,
      url,
      headers: { authorization: `Bearer ${token}` },
      timeoutMs: TIMEOUT_MS,
      maxAnswerBytes: maxBytes,
      signal,
      secrets: [],
      failed: refusedDownload,
    });
    return await answer.bytes();
  } catch (error) {
    if (!(error instanceof ProviderError) || error instanceof MessengerError) throw error;
    if (error.code === "bad_answer") throw unusable(`The media is larger than ${maxBytes} bytes.`);
    throw brokenCall(error);
  }
}

/** This host answers in words of its own. A link is good for five minutes, and a new one is to be had. */
function refusedDownload({ status }: { status: number }): MessengerError {
  if (status < 500 && status !== 429)
    return unusable(`Meta does not hand out the media (${status}).`, status);
  return new MessengerError(
    `Meta does not hand out the media just now (${status}).`,
    { provider: PROVIDER, status, code: "unavailable", retryable: true },
    { kind: "transient" },
  );
}

function unusable(message: string, status: number | null = null): MessengerError {
  return new MessengerError(message, { provider: PROVIDER, status, code: "rejected" }, { kind: "media" });
}

function isMetas(url: string, baseUrl: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname, origin, port } = new URL(url);
  if (origin === new URL(baseUrl).origin) return true;
  if (protocol !== "https:" || port !== "") return false;
  return HOSTS.some((host) => hostname === host || hostname.endsWith(`.${host}`));
}

/** Meta writes hashes in hex in one place and in base64 in another. */
function isHashOf(given: string, bytes: Uint8Array): boolean {
  const hash = createHash("sha256").update(bytes).digest();
  return given.toLowerCase() === hash.toString("hex") || given === hash.toString("base64");
}
