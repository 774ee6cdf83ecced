import { execFileSync } from "node:child_process";
import { createHmac, randomBytes } from "node:crypto";
import { verifySignature } from "@kapso/whatsapp-cloud-api/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WhatsAppAPI } from "whatsapp-api-js";
import { type MetaSimulator, startMeta } from "../simulators/meta/meta.ts";
import { webhookBytes, webhookSignature } from "../simulators/meta/webhook-sender.ts";
import { startReceiver } from "./meta-hooks.ts";

// How Meta signs: HMAC-SHA256 of the bytes on the wire, in which everything beyond ASCII is escaped, and slashes too.
// Two clients of other people and OpenSSL say whether the simulator signs as Meta does.

const secret = randomBytes(16).toString("hex");
let meta: MetaSimulator;

beforeAll(async () => {
  meta = await startMeta();
});
afterAll(() => meta.close());

const bodies = [
  ["plain text", "Hello"],
  ["accents, an emoji and slashes", "Où est l’église ? 🦒 https://example.com/a?b=c"],
  ["other scripts", "日本語 العربية हिन्दी"],
  [
    "what JSON itself escapes",
    'a "quote", a \\ backslash, a\ttab,\na line, \u2028 a separator, \u0000 nothing',
  ],
] as const;

describe.for(bodies)("a webhook with %s", ([, body]) => {
  const bytes = () => webhookBytes(meta.webhook.message(anyNumber(), { body }));

  test("is written in ASCII, with slashes escaped, and says the same", () => {
    const text = bytes().toString("latin1");
    expect([...text].every((character) => character.charCodeAt(0) < 0x80)).toBe(true);
    expect(text.replaceAll("\\/", "")).not.toContain("/");
    expect(JSON.parse(text).entry[0].changes[0].value.messages[0].text.body).toBe(body);
  });

  test("is signed as two independent clients expect", async () => {
    const raw = bytes();
    const signature = webhookSignature(raw, secret);
    expect(verifySignature({ appSecret: secret, rawBody: raw, signatureHeader: signature })).toBe(true);
    expect(await clientOf(secret).verifyRequestSignature(raw.toString("utf8"), signature)).toBe(true);
  });

  test("is escaped as a client expects that escapes it itself", async () => {
    const payload = meta.webhook.message(anyNumber(), { body });
    const unescaped = JSON.stringify(payload).replaceAll("/", "\\/");
    const signature = webhookSignature(webhookBytes(payload), secret);
    expect(await clientOf(secret).verifyRequestSignature(unescaped, signature)).toBe(true);
  });

  test("is signed as OpenSSL signs it", () => {
    const raw = bytes();
    const printed = execFileSync("openssl", ["dgst", "-sha256", "-hmac", secret, "-hex"], {
      input: raw,
    }).toString();
    expect(`sha256=${printed.trim().split("= ").at(-1)}`).toBe(webhookSignature(raw, secret));
  });
});

describe("a signature", () => {
  test("of another secret, or of a changed body, is refused by both clients", async () => {
    const raw = webhookBytes(meta.webhook.message(anyNumber(), { body: "Hello" }));
    const signature = webhookSignature(raw, secret);
    const changed = Buffer.from(raw.toString("latin1").replace("Hello", "hello"), "latin1");
    for (const [body, key] of [
      [raw, "another"],
      [changed, secret],
    ] as const) {
      expect(verifySignature({ appSecret: key, rawBody: body, signatureHeader: signature })).toBe(false);
      expect(await clientOf(key).verifyRequestSignature(body.toString("utf8"), signature)).toBe(false);
    }
  });

  test("is of the bytes: the same JSON written anew does not match when it has an accent or a slash", () => {
    const raw = webhookBytes(meta.webhook.message(anyNumber(), { body: "é /" }));
    const anew = JSON.stringify(JSON.parse(raw.toString("utf8")));
    const signature = webhookSignature(raw, secret);
    expect(verifySignature({ appSecret: secret, rawBody: anew, signatureHeader: signature })).toBe(false);
  });
});

describe("what the simulator's sender puts on the wire", () => {
  test("is the signed bytes with the app's secret, unless a test says otherwise", async () => {
    const receiver = await startReceiver();
    const payload = meta.webhook.message(anyNumber(), { body: "é" });
    await meta.webhook.send(receiver.url, payload);
    await meta.webhook.send(receiver.url, payload, { secret: "another" });
    await meta.webhook.send(receiver.url, payload, { tamper: true });
    await meta.webhook.send(receiver.url, payload, { secret: null });
    const verdicts = receiver.received.map(({ body, signature }) => ({
      valid: signature === `sha256=${createHmac("sha256", meta.appSecret).update(body).digest("hex")}`,
      signed: signature !== undefined,
    }));
    expect(verdicts).toEqual([
      { valid: true, signed: true },
      { valid: false, signed: true },
      { valid: false, signed: true },
      { valid: false, signed: false },
    ]);
    await receiver.close();
  });

  test("comes several times, one after the other or all at once", async () => {
    const receiver = await startReceiver(100);
    const payload = meta.webhook.message(anyNumber(), {});
    expect(await meta.webhook.send(receiver.url, payload, { times: 2 })).toHaveLength(2);
    expect(receiver.mostAtOnce()).toBe(1);
    expect(await meta.webhook.send(receiver.url, payload, { times: 4, parallel: true })).toHaveLength(4);
    expect(receiver.mostAtOnce()).toBe(4);
    await receiver.close();
  });
});

function anyNumber() {
  const [number] = meta.addBusiness().numbers;
  if (number === undefined) throw new Error("a business has a number");
  return number;
}

function clientOf(appSecret: string): WhatsAppAPI {
  return new WhatsAppAPI({ token: "none", appSecret, v: "v25.0" });
}
