import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { TelnyxWebhook } from "telnyx/lib/webhooks";
import twilio from "twilio";
import { describe, expect, test } from "vitest";
import { signForm } from "../../../test/simulators/carrier/relay-signatures.ts";
import { dialMarkup, farewellMarkup, hangUpMarkup, relayMarkup } from "./markup.ts";
import { isTelnyxSigned, isTwilioSigned } from "./signatures.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";
const URL_SIGNED = "https://voice.example.com/voice/twilio/incoming";
const form = (fields: Record<string, string>) => new URLSearchParams(fields);

describe("a signature of Twilio", () => {
  test("is believed for the same fields, as Twilio's own library makes and believes it", () => {
    const fieldsArb = fc.dictionary(fc.string({ minLength: 1 }), fc.string());
    fc.assert(
      fc.property(fieldsArb, (given) => {
        const fields = Object.fromEntries(new URLSearchParams(given));
        const signature = twilio.getExpectedTwilioSignature(TOKEN, URL_SIGNED, fields);
        expect(twilio.validateRequest(TOKEN, signature, URL_SIGNED, fields)).toBe(true);
        expect(isTwilioSigned(TOKEN, signature, URL_SIGNED, form(fields))).toBe(true);
      }),
    );
  });

  test("is believed with and without the port of the scheme, and for a handshake", () => {
    for (const signed of [
      URL_SIGNED,
      URL_SIGNED.replace(".com/", ".com:443/"),
      "wss://voice.example.com:443/voice/relay/twilio",
      "wss://voice.example.com:80/voice/relay/twilio",
    ]) {
      const signature = twilio.getExpectedTwilioSignature(TOKEN, signed, {});
      const bare = signed.replace(/:(443|80)/, "");
      expect(isTwilioSigned(TOKEN, signature, bare, form({}))).toBe(true);
      // Twilio's library takes port 80 for every scheme but https.
      if (!signed.startsWith("wss://voice.example.com:443"))
        expect(twilio.validateRequest(TOKEN, signature, bare, {})).toBe(true);
    }
  });

  test("counts a repeated field once, in order, as Twilio does", () => {
    const fields = new URLSearchParams("a=2&a=1&a=2");
    const signature = twilio.getExpectedTwilioSignature(TOKEN, URL_SIGNED, { a: ["2", "1", "2"] });
    expect(isTwilioSigned(TOKEN, signature, URL_SIGNED, fields)).toBe(true);
  });

  test("is not believed when anything differs", () => {
    const signature = twilio.getExpectedTwilioSignature(TOKEN, URL_SIGNED, { To: "+1" });
    const fields = form({ To: "+1" });
    expect(isTwilioSigned(TOKEN, signature, URL_SIGNED, fields)).toBe(true);
    expect(isTwilioSigned(TOKEN, signature, URL_SIGNED, form({ To: "+2" }))).toBe(false);
    expect(isTwilioSigned(TOKEN, signature, `${URL_SIGNED}?a=1`, fields)).toBe(false);
    expect(isTwilioSigned(`${TOKEN}0`, signature, URL_SIGNED, fields)).toBe(false);
    expect(isTwilioSigned(TOKEN, undefined, URL_SIGNED, fields)).toBe(false);
    expect(isTwilioSigned(TOKEN, "", URL_SIGNED, fields)).toBe(false);
  });
});

describe("a signature of Telnyx", () => {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const key = publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("base64");
  const body = "CallSid=v3%3Aabc&To=%2B390612345678";
  const signed = (at = new Date()) => {
    const headers = signForm({ carrier: "telnyx", privateKey }, URL_SIGNED, body, at);
    return {
      headers,
      signature: headers["telnyx-signature-ed25519"],
      timestamp: headers["telnyx-timestamp"],
      body: Buffer.from(body),
    };
  };

  test("is believed while it is fresh, as Telnyx's own library believes it", async () => {
    const given = signed();
    await new TelnyxWebhook(key).verify(body, given.headers);
    expect(isTelnyxSigned(key, given, Date.now())).toBe(true);
    expect(isTelnyxSigned(key, given, Date.now() + 4 * 60_000)).toBe(true);
  });

  test("is not believed when it is old, when anything differs, or when it is none", () => {
    const given = signed();
    const now = Date.now();
    const other = generateKeyPairSync("ed25519").publicKey.export({ format: "der", type: "spki" });
    expect(isTelnyxSigned(key, given, now + 6 * 60_000)).toBe(false);
    expect(isTelnyxSigned(key, given, now - 6 * 60_000)).toBe(false);
    expect(isTelnyxSigned(key, { ...given, body: Buffer.from(`${body}0`) }, now)).toBe(false);
    expect(isTelnyxSigned(key, { ...given, timestamp: String(Number(given.timestamp) - 1) }, now)).toBe(
      false,
    );
    expect(isTelnyxSigned(key, { ...given, timestamp: "soon" }, now)).toBe(false);
    expect(isTelnyxSigned(key, { ...given, signature: undefined }, now)).toBe(false);
    expect(isTelnyxSigned(key, { ...given, signature: "AAAA" }, now)).toBe(false);
    expect(isTelnyxSigned(other.subarray(-32).toString("base64"), given, now)).toBe(false);
    expect(isTelnyxSigned("c2hvcnQ=", given, now)).toBe(false);
  });
});

describe("what a carrier is told", () => {
  test("is what Twilio's own library writes", () => {
    const ours = relayMarkup({
      url: "wss://voice.example.com/voice/relay/twilio",
      actionUrl: "https://voice.example.com/voice/twilio/action?attempt=0&x=1",
      attributes: {
        welcomeGreeting: 'Say "hi" & <bye>',
        language: "de-DE",
        voice: undefined,
        dtmfDetection: true,
      },
      languages: [{ code: "it-IT" }],
      parameters: { token: "v1.a.b" },
    });
    const response = new twilio.twiml.VoiceResponse();
    const connect = response.connect({
      action: "https://voice.example.com/voice/twilio/action?attempt=0&x=1",
    });
    const relay = connect.conversationRelay({
      url: "wss://voice.example.com/voice/relay/twilio",
      welcomeGreeting: 'Say "hi" & <bye>',
      language: "de-DE",
      dtmfDetection: true,
    });
    relay.language({ code: "it-IT" });
    relay.parameter({ name: "token", value: "v1.a.b" });
    // Theirs leaves a `>` in an attribute as it is, which XML allows.
    expect(ours.replaceAll("&gt;", ">")).toBe(response.toString());
  });

  test("to say a sentence and hang up, or only to hang up, is that too", () => {
    const response = new twilio.twiml.VoiceResponse();
    response.say({ language: "de-DE" }, "Auf Wiederhören & danke.");
    response.hangup();
    expect(farewellMarkup("Auf Wiederhören & danke.", "de-DE")).toBe(response.toString());
    const short = new twilio.twiml.VoiceResponse();
    short.hangup();
    expect(hangUpMarkup()).toBe(short.toString());
  });

  test("to dial a human is what Twilio's own library writes", () => {
    const action = "https://voice.example.com/voice/twilio/transfer";
    const response = new twilio.twiml.VoiceResponse();
    response.dial({ action, callerId: "+390612345678", timeout: 30 }).number("+393331112222");
    expect(
      dialMarkup({ number: "+393331112222", callerId: "+390612345678", timeoutSeconds: 30, action }),
    ).toBe(response.toString());
  });

  test("holds no character that XML does not know", () => {
    expect(farewellMarkup("a\u0000b\u0007c\ud800d", "en-US")).toContain("abc\ufffdd");
  });
});
