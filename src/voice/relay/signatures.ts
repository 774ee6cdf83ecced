import { createHmac, createPublicKey, timingSafeEqual, verify } from "node:crypto";

/** Telnyx signs the time, too: older than this is a repetition by somebody else. */
const TELNYX_WINDOW_MS = 5 * 60_000;
/** What stands before the 32 bytes of an Ed25519 key in the form that Node reads (SPKI, RFC 8410). */
const ED25519_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

/**
 * Whether Twilio signed this request: HMAC-SHA1 over the address that it called, followed by the names and values of a
 * form's fields in the order of their names. Twilio's own library signs with and without the port, and some of its
 * services sign a normalised address; all of these are tried.
 *
 * @param url as it stands in the number's settings, with its query
 * @param form empty for a handshake
 */
export function isTwilioSigned(
  authToken: string,
  signature: string | undefined,
  url: string,
  form: URLSearchParams,
): boolean {
  if (signature === undefined) return false;
  const given = Buffer.from(signature);
  const fields = signedFields(form);
  return candidatesOf(url).some((candidate) => {
    const expected = createHmac("sha1", authToken)
      .update(candidate + fields)
      .digest("base64");
    return isSame(given, Buffer.from(expected));
  });
}

function signedFields(form: URLSearchParams): string {
  const names = [...new Set(form.keys())].toSorted();
  return names
    .flatMap((name) => [...new Set(form.getAll(name))].toSorted().map((value) => name + value))
    .join("");
}

/** As it is, without its port, and with the one that its scheme stands for; Twilio takes a `wss:` for 80, too. */
function candidatesOf(url: string): string[] {
  return [url, new URL(url).href].flatMap((one) => [
    one,
    one.replace(ORIGIN, "$1"),
    ...[":443", ":80"].map((port) => one.replace(ORIGIN, `$1${port}`)),
  ]);
}

const ORIGIN = /^([a-z]+:\/\/[^/:?#]+)(?::\d+)?/i;

/**
 * Whether Telnyx signed these bytes, not long ago: Ed25519 over `<timestamp>|<body>`.
 *
 * @param publicKey 32 bytes in base64, as Telnyx shows it
 */
export function isTelnyxSigned(
  publicKey: string,
  {
    signature,
    timestamp,
    body,
  }: { signature: string | undefined; timestamp: string | undefined; body: Buffer },
  nowMs: number,
): boolean {
  if (signature === undefined || timestamp === undefined || !/^\d{1,12}$/.test(timestamp)) return false;
  if (Math.abs(nowMs - Number(timestamp) * 1000) > TELNYX_WINDOW_MS) return false;
  const bytes = Buffer.from(publicKey, "base64");
  if (bytes.length !== 32) return false;
  const key = createPublicKey({ key: Buffer.concat([ED25519_PREFIX, bytes]), format: "der", type: "spki" });
  const signed = Buffer.concat([Buffer.from(`${timestamp}|`), body]);
  return verify(null, signed, key, Buffer.from(signature, "base64"));
}

function isSame(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
