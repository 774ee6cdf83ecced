import { type KeyObject, sign } from "node:crypto";
import twilio from "twilio";

/** What a carrier signs with. */
export type CarrierKeys =
  | { carrier: "twilio"; authToken: string }
  | { carrier: "telnyx"; privateKey: KeyObject };

/** Headers of a form that the carrier posts; Twilio's are made by Twilio's own library. */
export function signForm(
  keys: CarrierKeys,
  url: string,
  body: string,
  at: Date = new Date(),
): Record<string, string> {
  if (keys.carrier === "twilio") {
    const params = Object.fromEntries(new URLSearchParams(body));
    return { "x-twilio-signature": twilio.getExpectedTwilioSignature(keys.authToken, url, params) };
  }
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const signature = sign(null, Buffer.from(`${timestamp}|${body}`), keys.privateKey).toString("base64");
  return { "telnyx-signature-ed25519": signature, "telnyx-timestamp": timestamp };
}

/** Telnyx documents no signature of a handshake. */
export function signHandshake(keys: CarrierKeys, url: string): Record<string, string> {
  if (keys.carrier === "telnyx") return {};
  return { "x-twilio-signature": twilio.getExpectedTwilioSignature(keys.authToken, url, {}) };
}
