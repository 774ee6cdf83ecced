import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import type { SimNumber } from "../simulators/meta/meta-world.ts";
import { webhookSignature } from "../simulators/meta/webhook-sender.ts";
import { startBench } from "./messenger-bench.ts";
import { graphCaller } from "./meta-caller.ts";
import { startCallback, startHook, startReceiver } from "./meta-hooks.ts";

// What tests ask of the simulator: callbacks, failures to order, and reports on what was sent.

const { meta, customer, connected } = await startBench({ callbackLimitMs: 300 });
const { get, post, errorOf } = graphCaller(meta);
afterAll(() => meta.close());

const hello = { messaging_product: "whatsapp", to: "16505551234", type: "text", text: { body: "Hi" } };

describe("a message to a BSUID in `to`", () => {
  test("is accepted, and reaches nobody", async () => {
    const { number, token, person } = connected();
    const sent = meta.sent.length;
    const body = { ...hello, to: person.bsuid };
    expect((await post(`${number.id}/messages`, token, body)).status).toBe(200);
    expect(meta.sent.length).toBe(sent);
    expect(meta.dropped.at(-1)).toMatchObject({ recipient: person.bsuid });
  });
});

describe("a callback of one's own", () => {
  test("is refused before a plain subscription, and verified after it", async () => {
    const { business, number, token } = customer();
    const callback = await startCallback((query) => query.get("hub.challenge") ?? "");
    const body = { override_callback_uri: callback.url, verify_token: "let me in, please" };
    const path = `${business.wabaId}/subscribed_apps`;
    expect(await errorOf("POST", path, token, body)).toMatchObject({
      code: 100,
      message: expect.stringContaining("Before override"),
    });
    expect(callback.asked).toEqual([]);
    await post(path, token);
    expect((await post(path, token, body)).status).toBe(200);
    expect(callback.asked).toMatchObject([
      { "hub.mode": "subscribe", "hub.verify_token": "let me in, please" },
    ]);
    expect(await (await get(path, token)).json()).toMatchObject({
      data: [{ override_callback_uri: callback.url }],
    });
    await post(path, token);
    expect(JSON.stringify(await (await get(path, token)).json())).not.toContain("override");
    const settings = { webhook_configuration: body };
    expect((await post(number.id, token, settings)).status).toBe(200);
    expect(number.callbackOverride).toBe(callback.url);
    await post(number.id, token, { webhook_configuration: { override_callback_uri: "" } });
    expect(number.callbackOverride).toBeNull();
    await callback.close();
  });

  test("is refused when it does not give the challenge back, or not in time", async () => {
    const { business, token } = customer();
    const path = `${business.wabaId}/subscribed_apps`;
    await post(path, token);
    const wrong = await startCallback(() => "hello");
    const slow = await startCallback((query) => query.get("hub.challenge") ?? "", 1_000);
    for (const url of [wrong.url, slow.url]) {
      const body = { override_callback_uri: url, verify_token: "x" };
      expect(await errorOf("POST", path, token, body)).toMatchObject({ status: 400, code: 2200 });
    }
    expect(await meta.verifyCallback(wrong.url)).toBe("HTTP 200");
    await Promise.all([wrong.close(), slow.close()]);
  });

  test("must be an address of at most 200 characters, with a token", async () => {
    const { business, token } = customer();
    const path = `${business.wabaId}/subscribed_apps`;
    await post(path, token);
    for (const body of [
      { override_callback_uri: "not a uri", verify_token: "x" },
      { override_callback_uri: `https://example.com/${"x".repeat(200)}`, verify_token: "x" },
      { override_callback_uri: "https://example.com/" },
    ]) {
      expect(await errorOf("POST", path, token, body)).toMatchObject({ code: 100 });
    }
  });
});

describe("a planned failure", () => {
  test("happens so often, in the order of planning, to what it matches", async () => {
    const { business, token } = customer();
    meta.fail({ method: "GET", path: business.wabaId }, { code: 2 }, 2);
    meta.fail({ path: new RegExp(`/${business.wabaId}$`) }, { code: 4, details: "Wait." });
    expect((await post(`${business.wabaId}/subscribed_apps`, token)).status).toBe(200);
    const statuses: number[] = [];
    for (let asked = 0; asked < 4; asked += 1) statuses.push((await get(business.wabaId, token)).status);
    expect(statuses).toEqual([503, 503, 400, 200]);
  });

  test("comes with the status that Meta documents, or with another", async () => {
    const { business, token } = customer();
    for (const [code, status] of [
      [130429, 400],
      [131000, 500],
      [133000, 500],
      [133004, 503],
      [190, 401],
      [200, 403],
      [131031, 403],
      [133005, 400],
    ] as const) {
      meta.fail({ path: business.wabaId }, { code });
      expect(await errorOf("GET", business.wabaId, token)).toMatchObject({ code, status });
    }
    meta.fail({ path: business.wabaId }, { code: 133005, status: 422 });
    expect(await errorOf("GET", business.wabaId, token)).toMatchObject({ status: 422 });
    meta.rateStatus = 429;
    meta.fail({ path: business.wabaId }, { code: 130429 });
    expect(await errorOf("GET", business.wabaId, token)).toMatchObject({ status: 429 });
    meta.rateStatus = 400;
  });
});

describe("reports on what was sent", () => {
  test("come after the answer, in any order, and as often as one likes", async () => {
    const { number, token } = connected();
    const hook = await startHook();
    meta.reportStatuses({ serverUrl: hook.url, statuses: ["read", "sent", "delivered"], times: 2 });
    await post(`${number.id}/messages`, token, { ...hello, biz_opaque_callback_data: "our-9" });
    await meta.reported();
    expect(hook.statuses().map(({ status }) => status)).toEqual([
      "read",
      "read",
      "sent",
      "sent",
      "delivered",
      "delivered",
    ]);
    expect(hook.statuses()[0]).toMatchObject({
      id: meta.sent.at(-1)?.wamid,
      recipient_id: "16505551234",
      biz_opaque_callback_data: "our-9",
    });
    meta.reportStatuses(null);
    await post(`${number.id}/messages`, token, hello);
    await meta.reported();
    expect(hook.statuses()).toHaveLength(6);
    await hook.close();
  });

  test("come before the answer, if asked to", async () => {
    const { number, token } = connected();
    const hook = await startHook();
    meta.reportStatuses({ serverUrl: hook.url, statuses: ["sent"], before: true });
    let isAnswered = false;
    const wasAnswered: boolean[] = [];
    hook.onStatus(() => wasAnswered.push(isAnswered));
    await post(`${number.id}/messages`, token, hello).then(() => {
      isAnswered = true;
    });
    expect(wasAnswered).toEqual([false]);
    meta.reportStatuses(null);
    await hook.close();
  });
});

test("history comes with people, and nobody may be answered because of it", async () => {
  const { number, token } = customer({ platformType: "CLOUD_API" });
  const payload = meta.webhook.history(number, [{ person: "16505551234", bodies: ["Last year", "Also"] }]);
  meta.webhook.hear(payload);
  expect(payload.entry[0]?.changes[0]).toMatchObject({
    field: "history",
    value: {
      history: [{ threads: [{ id: "16505551234", messages: [{ type: "text" }, { type: "text" }] }] }],
    },
  });
  expect(await errorOf("POST", `${number.id}/messages`, token, hello)).toMatchObject({ code: 131047 });
});

test("a customer who keeps his history to himself is told apart", async () => {
  const number: Partial<SimNumber> = { isOnBizApp: true, declinesHistory: true };
  const { number: theirs, token } = customer(number);
  const body = { messaging_product: "whatsapp", sync_type: "history" };
  expect(await errorOf("POST", `${theirs.id}/smb_app_data`, token, body)).toMatchObject({
    error_subcode: 2593109,
  });
});

test("the simulator on its own is a phone: what is typed arrives as a signed message", async () => {
  const receiver = await startReceiver();
  const main = fileURLToPath(new URL("../simulators/meta/main.ts", import.meta.url));
  const phone = spawn(process.execPath, [main, "--port", "0", "--server", receiver.url]);
  const printed = text(phone.stdout);
  phone.stdin.end("Where is my parcel?\n");
  expect(await once(phone, "exit")).toEqual([0, null]);
  expect(await printed).toMatch(/^META_APP_ID=\d+\nMETA_APP_SECRET=/);
  const [{ body, signature } = { body: Buffer.alloc(0), signature: "" }] = receiver.received;
  expect(body.toString()).toContain("Where is my parcel?");
  expect(signature).toBe(webhookSignature(body, "only-for-trying-it-out"));
  await receiver.close();
});
