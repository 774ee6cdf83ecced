import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, describe, expect, test } from "vitest";
import { startBench } from "./messenger-bench.ts";
import {
  debugged,
  digits,
  error,
  exactly,
  inbound,
  listOf,
  media,
  metadata,
  numbers,
  sent,
  status,
  success,
  text,
  timestamp,
  webhook,
} from "./meta-schemas.ts";

// The simulator's answers and webhooks have the documented shapes, no key more and none less.

const { meta, customer, connected } = await startBench();
afterAll(() => meta.close());

const ajv = new Ajv2020({ allErrors: true });
describe("an answer has its documented shape", () => {
  test("to an exchange, with and without an end", async () => {
    const business = meta.addBusiness();
    const schema = exactly({
      access_token: text,
      token_type: { const: "bearer" },
      "expires_in?": { type: "integer" },
    });
    for (const options of [{}, { tokenExpiresAt: new Date(meta.now.ms() + 1_000_000) }]) {
      const query = new URLSearchParams({
        client_id: meta.appId,
        client_secret: meta.appSecret,
        code: meta.issueCode(business, options),
      });
      await expectShape("GET", `oauth/access_token?${query}`, null, schema);
    }
  });

  test("to a question about a token, good or over", async () => {
    const { business, token } = customer();
    const app = `${meta.appId}|${meta.appSecret}`;
    await expectShape("GET", `debug_token?input_token=${token}`, app, debugged);
    meta.endTokens(business, "expired");
    await expectShape("GET", `debug_token?input_token=${token}`, app, debugged);
  });

  test("to a list of numbers, on every page of it", async () => {
    const business = meta.addBusiness({ numbers: [{}, { isOnBizApp: true }, {}] });
    const token = meta.issueToken(business);
    const fields =
      "id,display_phone_number,verified_name,code_verification_status,name_status,status,quality_rating,platform_type,throughput,is_on_biz_app";
    const path = `${business.wabaId}/phone_numbers?fields=${fields}&limit=2`;
    const first = await expectShape("GET", path, token, numbers);
    expect(first.data).toHaveLength(2);
    const next = new URL(first.paging.next);
    const second = await expectShape("GET", `${next.pathname.slice(7)}${next.search}`, token, numbers);
    expect(second.data).toHaveLength(1);
    expect(second.paging.next).toBeUndefined();
  });

  test("to what is simply done", async () => {
    const {
      business,
      number: { id },
      token,
    } = customer();
    await expectShape("POST", `${business.wabaId}/subscribed_apps`, token, success);
    const register = { messaging_product: "whatsapp", pin: "123456" };
    await expectShape("POST", `${id}/register`, token, success, register);
    await expectShape("POST", `${id}/deregister`, token, success);
    await expectShape("DELETE", `${business.wabaId}/subscribed_apps`, token, success);
  });

  test("to a message, by phone and by BSUID", async () => {
    const {
      number: { id },
      token,
      person,
    } = connected();
    for (const to of [{ to: person.phone }, { recipient: person.bsuid }]) {
      const message = { messaging_product: "whatsapp", ...to, type: "text", text: { body: "Hi" } };
      await expectShape("POST", `${id}/messages`, token, sent, message);
    }
  });

  test("to a question about media", async () => {
    const { business, token } = customer();
    const { id } = meta.addMedia(business, Buffer.from("x"), "image/png");
    await expectShape("GET", id, token, media);
  });

  test("to whatever it refuses", async () => {
    const {
      business,
      number: { id },
      token,
    } = customer({ nameReviewAttempts: 1 });
    const register = { messaging_product: "whatsapp", pin: "123456" };
    await expectShape("POST", `${id}/register`, token, error, register);
    await expectShape("GET", `${business.wabaId}/no_such_edge`, token, error);
    await expectShape("GET", "oauth/access_token", null, error);
    await expectShape("GET", "123", null, error);
    await expectShape("GET", "123", token, error);
  });
});

describe("a webhook has its documented shape", () => {
  test("for messages, with and without a phone number", () => {
    const { number: ours } = customer();
    expectValid(inbound, meta.webhook.message(ours));
    expectValid(inbound, meta.webhook.message(ours, { from: null }));
    expectValid(inbound, meta.webhook.message(ours, { bsuid: null }));
  });

  test("for every status", () => {
    const { number: ours } = customer();
    for (const name of ["sent", "delivered", "read", "played"]) {
      expectValid(status, meta.webhook.status(ours, "wamid.1", name, { bsuid: "US.1", reference: "our-1" }));
    }
    const errors = [{ code: 131026, title: "Message undeliverable" }];
    expectValid(status, meta.webhook.status(ours, "wamid.1", "failed", { recipient: null, errors }));
  });

  test("for echoes and changes of the account", () => {
    const { business, number: ours } = customer();
    const echo = exactly({
      from: digits,
      "to?": digits,
      "to_user_id?": text,
      id: text,
      timestamp,
      type: text,
      text: exactly({ body: text }),
    });
    const value = exactly({
      messaging_product: { const: "whatsapp" },
      metadata,
      message_echoes: listOf(echo),
    });
    expectValid(webhook("smb_message_echoes", value), meta.webhook.echo(ours, { to: "16505551234" }));
    const removed = meta.webhook.accountUpdate(ours, "PARTNER_REMOVED");
    const info = exactly({ waba_id: { const: business.wabaId }, owner_business_id: digits });
    expectValid(
      webhook("account_update", exactly({ event: { const: "PARTNER_REMOVED" }, waba_info: info })),
      removed,
    );
    expect(removed.entry[0]?.id).not.toBe(business.wabaId);
    expect(meta.webhook.accountUpdate(ours, "DISABLED_UPDATE").entry[0]?.id).toBe(business.wabaId);
  });

  test("in a batch of several tenants, and one of three megabytes", () => {
    const [one, two] = [customer(), customer()];
    const batch = meta.webhook.batch(meta.webhook.message(one.number), meta.webhook.message(two.number));
    expectValid(inbound, batch);
    expect(batch.entry.map(({ id }) => id)).toEqual([one.business.wabaId, two.business.wabaId]);
    const large = meta.webhook.large(one.number);
    expectValid(inbound, large);
    const size = JSON.stringify(large).length;
    expect(size).toBeGreaterThan(2_800_000);
    expect(size).toBeLessThan(3 * 1024 * 1024);
  });
});

function expectValid(schema: object, value: unknown): void {
  const validate = ajv.compile(schema);
  validate(value);
  expect(validate.errors ?? []).toEqual([]);
}

async function expectShape(
  method: string,
  path: string,
  token: string | null,
  schema: object,
  json?: object,
  // biome-ignore lint/suspicious/noExplicitAny: validated against the schema, and read as a client without types does
): Promise<any> {
  const answer = await fetch(`${meta.url}/v25.0/${path}`, {
    method,
    headers: {
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...(json !== undefined && { "content-type": "application/json" }),
    },
    ...(json !== undefined && { body: JSON.stringify(json) }),
  });
  expect(answer.headers.get("content-type")).toBe("application/json; charset=UTF-8");
  const body: unknown = await answer.json();
  expectValid(schema, body);
  return body;
}
