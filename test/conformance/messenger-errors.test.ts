import { inspect } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import type { MessengerError, MessengerErrorKind } from "../../src/ports/messenger.ts";
import { closedUrl, failure, HOUR_MS, signal, startBench } from "./messenger-bench.ts";

// The adapter against the simulator, over real HTTP: what becomes of every refusal, and of no answer at all.

const { meta, messenger, messengerOf, customer, connected } = await startBench();
afterAll(() => meta.close());

describe("refused by Meta's own rules", () => {
  test("a code that was used, is too old, is another's or for another address", async () => {
    const business = meta.addBusiness();
    const code = meta.issueCode(business);
    await messenger.exchangeCode(code, null, signal);
    expect((await failure(messenger.exchangeCode(code, null, signal))).kind).toBe("code_used");
    const old = meta.issueCode(business);
    meta.now.advance(30_001);
    expect((await failure(messenger.exchangeCode(old, null, signal))).kind).toBe("code_used");
    expect((await failure(messenger.exchangeCode("nonsense", null, signal))).kind).toBe("code_used");
    const dialog = meta.issueCode(business, { redirectUri: "https://us.example/back" });
    expect(await failure(messenger.exchangeCode(dialog, "https://us.example/other", signal))).toMatchObject({
      kind: "rejected",
      metaSubcode: 36008,
    });
    const wrong = messengerOf({ appSecret: "wrong" });
    expect(await failure(wrong.exchangeCode(meta.issueCode(business), null, signal))).toMatchObject({
      kind: "rejected",
      code: "unauthorized",
      retryable: false,
    });
  });

  test("an account that is another's, and an id that would be another path", async () => {
    const { token, business } = customer();
    const other = meta.addBusiness();
    for (const id of [other.wabaId, "1", "../debug_token", `${business.wabaId}?x=`, ""]) {
      expect((await failure(messenger.getBusinessAccount(token, id, signal))).kind).toBe("asset");
    }
  });

  test("another PIN than the number has, and too many of them", async () => {
    const { number, token } = customer({ pin: "111111" });
    const kinds: MessengerErrorKind[] = [];
    for (let tried = 0; tried < 4; tried += 1) {
      kinds.push((await failure(messenger.register(token, number.id, "222222", signal))).kind);
    }
    expect(kinds).toEqual(["pin_mismatch", "pin_mismatch", "pin_mismatch", "wait"]);
    await messenger.register(token, number.id, "111111", signal);
  });

  test("registering more than ten times in 72 hours, deregistering included", async () => {
    const { number, token } = customer();
    for (let round = 0; round < 5; round += 1) {
      await messenger.register(token, number.id, "123456", signal);
      await messenger.deregister(token, number.id, signal);
    }
    expect(await failure(messenger.register(token, number.id, "123456", signal))).toMatchObject({
      kind: "locked",
      retryable: false,
      retryAfterMs: 72 * HOUR_MS,
    });
    meta.now.advance(72 * HOUR_MS + 1);
    await messenger.register(token, number.id, "123456", signal);
  });

  test("a display name in review, a number deleted a moment ago, a deregistration that hangs", async () => {
    const { number, token } = customer({ nameReviewAttempts: 2 });
    for (const _ of [1, 2]) {
      expect((await failure(messenger.register(token, number.id, "123456", signal))).kind).toBe(
        "name_review",
      );
    }
    await messenger.register(token, number.id, "123456", signal);
    const deleted = customer({ deletedAtMs: meta.now.ms() });
    expect(
      await failure(messenger.register(deleted.token, deleted.number.id, "123456", signal)),
    ).toMatchObject({
      kind: "wait",
      retryAfterMs: 5 * 60_000,
    });
    meta.now.advance(5 * 60_000);
    await messenger.register(deleted.token, deleted.number.id, "123456", signal);
    const hanging = customer({ isDeregistrationIncomplete: true });
    expect((await failure(messenger.register(hanging.token, hanging.number.id, "123456", signal))).kind).toBe(
      "registering",
    );
    await messenger.deregister(hanging.token, hanging.number.id, signal);
    await messenger.register(hanging.token, hanging.number.id, "123456", signal);
  });

  test("registering or releasing a number that stays in the Business app, or was never registered", async () => {
    const { number, token } = customer({ isOnBizApp: true });
    expect((await failure(messenger.register(token, number.id, "123456", signal))).kind).toBe("coexistence");
    expect((await failure(messenger.deregister(token, number.id, signal))).kind).toBe("coexistence");
    const fresh = customer();
    expect((await failure(messenger.deregister(fresh.token, fresh.number.id, signal))).kind).toBe(
      "not_registered",
    );
    const text = { type: "text", text: { body: "Hi" } };
    const to = { phone: "16505551234", bsuid: null };
    expect((await failure(messenger.send(fresh.token, fresh.number.id, to, text, "r", signal))).kind).toBe(
      "not_registered",
    );
  });

  test("a token that ended or was taken away in the middle of its life", async () => {
    for (const state of ["expired", "revoked"] as const) {
      const { business, token } = customer();
      await messenger.listNumbers(token, business.wabaId, signal);
      meta.endTokens(business, state);
      expect(await failure(messenger.listNumbers(token, business.wabaId, signal))).toMatchObject({
        kind: "reauth",
        code: "unauthorized",
        retryable: false,
        status: 401,
      });
    }
    const { business } = customer();
    const weak = meta.issueToken(business, { scopes: ["whatsapp_business_messaging"] });
    expect((await failure(messenger.listNumbers(weak, business.wabaId, signal))).kind).toBe("permission");
  });

  test("writing more than 24 hours after the person did", async () => {
    const { number, token, person } = connected();
    const text = { type: "text", text: { body: "Hi" } };
    meta.now.advance(24 * HOUR_MS - 60_000);
    await messenger.send(token, number.id, person, text, "r", signal);
    meta.now.advance(60_000);
    expect(await failure(messenger.send(token, number.id, person, text, "r", signal))).toMatchObject({
      kind: "window",
      retryable: false,
    });
  });

  test.for([400, 429] as const)("more than a burst of 45 to one person, with status %i", async (status) => {
    const { number, token, person } = connected();
    const text = { type: "text", text: { body: "Hi" } };
    meta.rateStatus = status;
    for (let sent = 0; sent < 45; sent += 1)
      await messenger.send(token, number.id, person, text, "r", signal);
    expect(await failure(messenger.send(token, number.id, person, text, "r", signal))).toMatchObject({
      kind: "throttled",
      status,
      retryable: true,
    });
    meta.now.advance(6_000);
    await messenger.send(token, number.id, person, text, "r", signal);
    meta.rateStatus = 400;
  });

  test("a text of more than 4,096 characters", async () => {
    const { number, token, person } = connected();
    const text = (length: number) => ({ type: "text", text: { body: "x".repeat(length) } });
    await messenger.send(token, number.id, person, text(4_096), "r", signal);
    expect(await failure(messenger.send(token, number.id, person, text(4_097), "r", signal))).toMatchObject({
      kind: "rejected",
      metaCode: 100,
    });
  });
});

describe("whatever else goes wrong", () => {
  test.for<[MessengerErrorKind, { code: number; subcode?: number; message?: string }]>([
    ["reauth", { code: 190, subcode: 460 }],
    ["permission", { code: 10 }],
    ["code_used", { code: 100, message: "This authorization code has been used." }],
    ["asset", { code: 803 }],
    ["foreign", { code: 2388103 }],
    ["name_review", { code: 100, subcode: 2388001 }],
    ["pin_mismatch", { code: 133005 }],
    ["unverified", { code: 133006 }],
    ["locked", { code: 133016 }],
    ["registering", { code: 133000 }],
    ["wait", { code: 133015 }],
    ["not_registered", { code: 133010 }],
    ["callback", { code: 2200 }],
    ["coexistence", { code: 100, message: "Not available for API solution for SMB businesses" }],
    ["throttled", { code: 130429 }],
    ["window", { code: 131047 }],
    ["undeliverable", { code: 131026 }],
    ["spam", { code: 131048 }],
    ["media", { code: 131053 }],
    ["blocked", { code: 131031 }],
    ["payment", { code: 131042 }],
    ["transient", { code: 131000 }],
    ["rejected", { code: 131008 }],
  ])("is named: %s for %o", async ([kind, fault]) => {
    const { business, token } = customer();
    meta.fail({ path: business.wabaId }, fault);
    const error = await failure(messenger.subscribe(token, business.wabaId, signal));
    expect(error).toMatchObject({ kind, metaCode: fault.code, isAmbiguous: false });
    expect(error.traceId).toMatch(/^A[\w-]{20,}$/);
  });

  test("a connection that breaks, or a proxy that answers, leaves open whether it was done", async () => {
    const { number, token, person } = connected();
    const text = { type: "text", text: { body: "Hi" } };
    meta.fail({ method: "POST", path: "/messages" }, "reset");
    expect(await failure(messenger.send(token, number.id, person, text, "r", signal))).toMatchObject({
      kind: "transient",
      code: "unavailable",
      isAmbiguous: true,
      retryable: true,
    });
    for (const [status, body, isAmbiguous] of [
      [502, "<html>Bad Gateway</html>", true],
      [200, "<html>Welcome</html>", true],
      [200, "{}", true],
      [404, "no such page", false],
    ] as const) {
      const odd = messengerOf({ fetch: async () => new Response(body, { status }) });
      const error = await failure(odd.send("t", "1", person, text, "r", signal));
      expect([status, error.isAmbiguous]).toEqual([status, isAmbiguous]);
    }
  });

  test("what never left this machine was surely not done", async () => {
    const nobody = messengerOf({ baseUrl: await closedUrl() });
    const error = await failure(nobody.subscribe("token", "1", signal));
    expect(error).toMatchObject({ kind: "transient", isAmbiguous: false, retryable: true });
    const nowhere = messengerOf({ baseUrl: "http://meta.invalid" });
    expect(await failure(nowhere.subscribe("token", "1", signal))).toMatchObject({ isAmbiguous: false });
  });

  test("no answer in time leaves it open, too: the message may be there", async () => {
    const { number, token, person } = connected();
    const hasty = messengerOf({ timeoutMs: 200 });
    meta.fail({ method: "POST", path: "/messages" }, "accept-then-timeout");
    const before = meta.sent.length;
    const text = { type: "text", text: { body: "Hi" } };
    const error = await failure(hasty.send(token, number.id, person, text, "our-3", signal));
    expect(error).toMatchObject({ kind: "transient", code: "timeout", isAmbiguous: true });
    expect(meta.sent.slice(before)).toMatchObject([{ biz_opaque_callback_data: "our-3" }]);
    meta.fail({ method: "POST", path: "/messages" }, "timeout");
    expect((await failure(hasty.send(token, number.id, person, text, "r", signal))).isAmbiguous).toBe(true);
    expect(meta.sent.length).toBe(before + 1);
  });

  test("whoever gives up hears his own reason", async () => {
    const { business, token } = customer();
    const giving = new AbortController();
    meta.fail({ path: business.wabaId }, "timeout");
    const call = messenger.subscribe(token, business.wabaId, giving.signal);
    const reason = new Error("the server stops");
    setTimeout(() => giving.abort(reason), 50);
    await expect(call).rejects.toBe(reason);
  });

  test("no secret is in any message, however Meta repeats it", async () => {
    const { number, token } = customer();
    const code = "AQ+code/with=signs";
    const echo = `${meta.appSecret} ${token} ${encodeURIComponent(code)} ${code} 987654`;
    const fault = { code: 100, message: echo, details: echo };
    const check = (error: MessengerError, secrets: string[]) => {
      expect(error.message).toContain("[redacted]");
      const all = inspect(error, { depth: 10 });
      for (const secret of secrets) expect(all).not.toContain(secret);
    };
    meta.fail({ path: "access_token" }, fault);
    check(await failure(messenger.exchangeCode(code, null, signal)), [meta.appSecret, code]);
    meta.fail({ path: "debug_token" }, fault);
    check(await failure(messenger.inspectToken(token, signal)), [meta.appSecret, token]);
    meta.fail({ path: "register" }, fault);
    check(await failure(messenger.register(token, number.id, "987654", signal)), [token, "987654"]);
    const nobody = messengerOf({ baseUrl: await closedUrl() });
    for (const error of [
      await failure(nobody.exchangeCode(code, null, signal)),
      // What cannot be a header is quoted by whoever refuses to send it.
      await failure(messenger.register(`${token}\nmore`, number.id, "987654", signal)),
    ]) {
      const all = inspect(error, { depth: 10 });
      for (const secret of [meta.appSecret, token, "987654"]) expect(all).not.toContain(secret);
    }
  });
});
