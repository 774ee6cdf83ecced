import type { IncomingHttpHeaders } from "node:http";
import type { App } from "../../context.ts";
import { Problem } from "../../http/problem.ts";
import type { PublicRequest } from "../../http/public-route.ts";
import type { CarrierName } from "./relay-attributes.ts";
import { isTelnyxSigned, isTwilioSigned } from "./signatures.ts";

/** What a carrier tells us of a call; the two name these things the same. */
export interface CarrierRequest {
  callSid: string;
  /** As dialled and as shown; `null`: withheld. */
  from: string | null;
  to: string;
  form: URLSearchParams;
}

/** @throws Problem `insufficient_scope` for what the carrier has not signed, `invalid_request` for what it never sends */
export function readCarrierRequest(
  app: App,
  carrier: CarrierName,
  path: string,
  { headers, query, body }: PublicRequest,
): CarrierRequest {
  const form = new URLSearchParams(body.toString("utf8"));
  const url = publicUrl(app, path, query.size === 0 ? "" : `?${query}`);
  if (!isSigned(app, carrier, { url, headers, form, body })) {
    app.log.warn({ carrier, path }, "a request that the carrier has not signed was refused");
    throw new Problem("insufficient_scope", "The request is not signed by the carrier.");
  }
  const callSid = form.get("CallSid") ?? "";
  if (callSid === "" || callSid.length > 200)
    throw new Problem("invalid_request", "CallSid: is missing.", {
      details: [{ path: "CallSid", message: "is missing" }],
    });
  return { callSid, from: phoneOf(form.get("From")), to: phoneOf(form.get("To")) ?? "", form };
}

interface Signed {
  url: string | null;
  headers: IncomingHttpHeaders;
  form: URLSearchParams;
  body: Buffer;
}

function isSigned(app: App, carrier: CarrierName, { url, headers, form, body }: Signed): boolean {
  const { twilio, telnyx } = app.config;
  if (carrier === "twilio") {
    if (twilio === undefined || url === null) return false;
    return isTwilioSigned(twilio.authToken, header(headers, "x-twilio-signature"), url, form);
  }
  if (telnyx === undefined) return false;
  const signature = header(headers, "telnyx-signature-ed25519");
  const timestamp = header(headers, "telnyx-timestamp");
  return isTelnyxSigned(telnyx.publicKey, { signature, timestamp, body }, app.now().getTime());
}

/**
 * Whether a connection comes from the carrier. Twilio signs the handshake. Telnyx documents no signature of it: there,
 * the token of the call, which only Telnyx was told, is what lets somebody in.
 */
export function isHandshakeSigned(
  app: App,
  carrier: CarrierName,
  path: string,
  headers: IncomingHttpHeaders,
): boolean {
  const { twilio, telnyx } = app.config;
  if (carrier === "telnyx") return telnyx !== undefined;
  const url = publicUrl(app, path, "");
  if (twilio === undefined || url === null) return false;
  const signature = header(headers, "x-twilio-signature");
  const none = new URLSearchParams();
  return [url, webSocketUrl(url)].some((one) => isTwilioSigned(twilio.authToken, signature, one, none));
}

/** As the carrier calls it, which no proxy in between may change. `null`: nobody has said where we are. */
export function publicUrl(app: App, path: string, query = ""): string | null {
  return app.config.publicUrl === undefined ? null : `${app.config.publicUrl}${path}${query}`;
}

export function webSocketUrl(url: string): string {
  return url.replace(/^http/, "ws");
}

function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Whoever hides a number sends a word in its place. */
function phoneOf(text: string | null): string | null {
  const plain = (text ?? "").replace(/^sip:|@.*$/g, "").trim();
  return /^\+\d{5,15}$/.test(plain) ? plain : null;
}
