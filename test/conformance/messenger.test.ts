import { createHash, randomBytes } from "node:crypto";
import { afterAll, describe, expect, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { openMessenger } from "../../src/outside.ts";
import { failure, HOUR_MS, signal, startBench } from "./messenger-bench.ts";

// The adapter against the simulator, over real HTTP: what every method sends, and what it makes of the answer.

const { meta, messenger, messengerOf, customer, connected, lastRequest } = await startBench();
afterAll(() => meta.close());

describe("signing up", () => {
  test("exchanges a popup's code without a redirect_uri, and a dialog's with its own", async () => {
    const business = meta.addBusiness();
    const popup = await messenger.exchangeCode(meta.issueCode(business), null, signal);
    expect(popup).toEqual({ accessToken: expect.stringMatching(/^EAA/), expiresInSeconds: null });
    expect(lastRequest().query).not.toHaveProperty("redirect_uri");
    const redirectUri = "https://us.example/back?x=1";
    const dialog = await messenger.exchangeCode(
      meta.issueCode(business, { redirectUri }),
      redirectUri,
      signal,
    );
    expect(dialog.accessToken).toMatch(/^EAA/);
    expect(lastRequest().query).toMatchObject({ redirect_uri: redirectUri });
  });

  test("tells when a token ends", async () => {
    const tokenExpiresAt = new Date(meta.now.ms() + 60 * 24 * HOUR_MS);
    const code = meta.issueCode(meta.addBusiness(), { tokenExpiresAt });
    const { accessToken, expiresInSeconds } = await messenger.exchangeCode(code, null, signal);
    expect(expiresInSeconds).toBeCloseTo(60 * 24 * 3_600, -1);
    const { expiresAt } = await messenger.inspectToken(accessToken, signal);
    expect(expiresAt?.getTime()).toBeCloseTo(tokenExpiresAt.getTime(), -4);
  });

  test("finds out whose a token is, whom it reaches, and that it is no longer good", async () => {
    const { business, token } = customer();
    expect(await messenger.inspectToken(token, signal)).toEqual({
      appId: meta.appId,
      isValid: true,
      expiresAt: null,
      scopes: ["whatsapp_business_management", "whatsapp_business_messaging"],
      wabaIds: [business.wabaId],
    });
    const silent = meta.issueToken(business, { granularScopes: false });
    expect(await messenger.inspectToken(silent, signal)).toMatchObject({ isValid: true, wabaIds: [] });
    const several = [meta.addBusiness().wabaId, business.wabaId];
    const shared = meta.issueToken(business, { wabaIds: several });
    expect((await messenger.inspectToken(shared, signal)).wabaIds).toEqual(several);
    const foreign = meta.issueToken(business, { appId: "42" });
    expect(await messenger.inspectToken(foreign, signal)).toMatchObject({ appId: "42" });
    expect(await messenger.inspectToken("EAAunknown", signal)).toMatchObject({ appId: "", isValid: false });
    meta.endTokens(business, "expired");
    expect(await messenger.inspectToken(token, signal)).toMatchObject({ isValid: false });
  });

  test("asks about tokens with the app's own credential, in the header", async () => {
    const { token } = customer();
    await messenger.inspectToken(token, signal);
    expect(lastRequest().headers.authorization).toBe(`Bearer ${meta.appId}|${meta.appSecret}`);
    const wrong = messengerOf({ appSecret: "wrong" });
    expect(await failure(wrong.inspectToken(token, signal))).toMatchObject({
      kind: "rejected",
      code: "unauthorized",
      retryable: false,
      metaCode: 190,
    });
  });

  test("reads the account, and all of its numbers, page after page", async () => {
    const business = meta.addBusiness({ numbers: Array.from({ length: 205 }, () => ({})) });
    const token = meta.issueToken(business);
    expect(await messenger.getBusinessAccount(token, business.wabaId, signal)).toEqual({
      id: business.wabaId,
      name: "Acme Ltd",
      ownerBusinessId: business.businessId,
    });
    const before = meta.requests.length;
    const numbers = await messenger.listNumbers(token, business.wabaId, signal);
    expect(numbers.map(({ id }) => id)).toEqual(business.numbers.map(({ id }) => id));
    expect(meta.requests.length - before).toBe(3);
    expect(numbers[0]).toEqual({
      id: business.numbers[0]?.id,
      displayPhoneNumber: business.numbers[0]?.displayPhoneNumber,
      verifiedName: "Acme Support",
      codeVerificationStatus: "VERIFIED",
      nameStatus: "APPROVED",
      status: "PENDING",
      qualityRating: "GREEN",
      platformType: "NOT_APPLICABLE",
      throughput: "NOT_APPLICABLE",
      isOnBusinessApp: false,
    });
  });

  test("neither loses a page nor asks for pages without end", async () => {
    const answers = (paging: object) =>
      messengerOf({ fetch: async () => Response.json({ data: [], paging }) });
    const next = "https://graph.facebook.com/v25.0/1/phone_numbers?after=abc";
    for (const paging of [
      { next, cursors: { after: "abc" } },
      { next },
      { next: "https://graph.facebook.com/" },
    ]) {
      const error = await failure(answers(paging).listNumbers("token", "1", signal));
      expect(error).toMatchObject({ code: "bad_answer", kind: "transient" });
    }
    expect(await answers({ cursors: { after: "abc" } }).listNumbers("token", "1", signal)).toEqual([]);
  });

  test("finds no number where there is none", async () => {
    const business = meta.addBusiness({ numbers: [] });
    const token = meta.issueToken(business);
    expect(await messenger.listNumbers(token, business.wabaId, signal)).toEqual([]);
  });

  test("subscribes with an empty body, twice without harm, and unsubscribes", async () => {
    const { business, token } = customer();
    await messenger.subscribe(token, business.wabaId, signal);
    await messenger.subscribe(token, business.wabaId, signal);
    expect(lastRequest()).toMatchObject({
      method: "POST",
      path: `/v25.0/${business.wabaId}/subscribed_apps`,
    });
    expect(lastRequest().raw.length).toBe(0);
    await messenger.unsubscribe(token, business.wabaId, signal);
    expect(lastRequest().method).toBe("DELETE");
  });

  test("registers, reads health, and deregisters", async () => {
    const { number, token, business } = customer();
    await messenger.register(token, number.id, "123456", signal);
    expect(lastRequest().body).toEqual({ messaging_product: "whatsapp", pin: "123456" });
    const [after] = await messenger.listNumbers(token, business.wabaId, signal);
    expect(after).toMatchObject({ status: "CONNECTED", platformType: "CLOUD_API", throughput: "STANDARD" });
    expect(await messenger.getHealth(token, number.id, signal)).toMatchObject({
      can_send_message: "AVAILABLE",
    });
    await messenger.deregister(token, number.id, signal);
    expect(number.status).toBe("DISCONNECTED");
  });

  test("verifies a number by the code that was sent to it", async () => {
    const { number, token } = customer({ codeVerificationStatus: "NOT_VERIFIED" });
    expect((await failure(messenger.register(token, number.id, "123456", signal))).kind).toBe("unverified");
    await messenger.requestCode(token, number.id, { method: "SMS", language: "en_US" }, signal);
    expect((await failure(messenger.verifyCode(token, number.id, "000000", signal))).kind).toBe("rejected");
    await messenger.verifyCode(token, number.id, number.verificationCode ?? "", signal);
    await messenger.register(token, number.id, "123456", signal);
    expect(number.status).toBe("CONNECTED");
  });

  test("starts the two synchronisations of coexistence, once each and within a day", async () => {
    const { number, token } = customer({ isOnBizApp: true });
    for (const what of ["smb_app_state_sync", "history"] as const) {
      expect(await messenger.startSync(token, number.id, what, signal)).toMatch(/^[\da-f-]{36}$/);
      expect(await failure(messenger.startSync(token, number.id, what, signal))).toMatchObject({
        kind: "rejected",
        metaSubcode: 2593108,
      });
    }
    const { number: late, token: theirs } = customer({ isOnBizApp: true, onboardedMs: 0 });
    expect((await failure(messenger.startSync(theirs, late.id, "history", signal))).metaSubcode).toBe(
      2593107,
    );
  });
});

describe("talking", () => {
  test("sends to a phone, or to a BSUID where there is no phone, and learns the message's id", async () => {
    const { number, token } = connected();
    const to = { phone: "16505551234", bsuid: "US.13491208655302741918" };
    const message = { type: "text", text: { body: "Hi" }, context: { message_id: "wamid.x" } };
    const wamid = await messenger.send(token, number.id, to, message, "our-1", signal);
    expect(meta.sent.at(-1)).toMatchObject({
      phoneNumberId: number.id,
      to: to.phone,
      recipient: null,
      type: "text",
      body: { body: "Hi" },
      context: { message_id: "wamid.x" },
      biz_opaque_callback_data: "our-1",
      wamid,
    });
    await messenger.send(token, number.id, { ...to, phone: null }, message, "our-2", signal);
    expect(meta.sent.at(-1)).toMatchObject({ to: null, recipient: to.bsuid });
    expect(meta.dropped).toEqual([]);
    const nobody = { phone: null, bsuid: null };
    expect((await failure(messenger.send(token, number.id, nobody, message, "x", signal))).kind).toBe(
      "undeliverable",
    );
  });

  test("marks as read, with the typing indicator or without", async () => {
    const { number, token, wamid } = connected();
    await messenger.markRead(token, number.id, wamid, false, signal);
    expect(lastRequest().body).toEqual({ messaging_product: "whatsapp", status: "read", message_id: wamid });
    expect(meta.typing.some((read) => read.wamid === wamid)).toBe(false);
    await messenger.markRead(token, number.id, wamid, true, signal);
    expect(meta.typing.at(-1)).toMatchObject({ phoneNumberId: number.id, wamid });
  });

  test("downloads media whose size and hash are right", async () => {
    const { business, number, token } = customer();
    const bytes = randomBytes(50_000);
    const media = meta.addMedia(business, bytes, "audio/ogg; codecs=opus");
    const facts = await messenger.getMedia(token, number.id, media.id, signal);
    expect(facts).toMatchObject({ mimeType: "audio/ogg; codecs=opus", sizeBytes: 50_000 });
    expect(Buffer.from(await messenger.downloadMedia(token, facts, 50_000, signal))).toEqual(bytes);
    const sha256 = createHash("sha256").update(bytes).digest("base64");
    expect((await messenger.downloadMedia(token, { ...facts, sha256 }, 50_000, signal)).length).toBe(50_000);
    const withoutHash = { url: facts.url, sha256: null };
    expect((await messenger.downloadMedia(token, withoutHash, 50_000, signal)).length).toBe(50_000);
  });

  test("refuses media that is too large, not what its hash says, or no longer there", async () => {
    const { business, number, token } = customer();
    const media = meta.addMedia(business, randomBytes(1_001), "image/jpeg");
    const facts = await messenger.getMedia(token, number.id, media.id, signal);
    const wrong = { url: facts.url, sha256: createHash("sha256").update("other").digest("hex") };
    expect(await failure(messenger.downloadMedia(token, facts, 1_000, signal))).toMatchObject({
      kind: "media",
      message: "The media is larger than 1000 bytes.",
    });
    expect((await failure(messenger.downloadMedia(token, wrong, 2_000, signal))).kind).toBe("media");
    meta.now.advance(5 * 60_000 + 1_000);
    expect(await failure(messenger.downloadMedia(token, facts, 2_000, signal))).toMatchObject({
      kind: "media",
      status: 404,
      retryable: false,
    });
    meta.fail({ path: "/media/" }, { code: 2 });
    expect(await failure(messenger.downloadMedia(token, facts, 2_000, signal))).toMatchObject({
      kind: "transient",
      retryable: true,
    });
  });

  test("hands the customer's token to no other host than Meta's", async () => {
    const asked: string[] = [];
    const spy = messengerOf({
      fetch: async (url) => {
        asked.push(String(url));
        return new Response("x");
      },
    });
    const refused = [
      "https://evilfbsbx.com/x",
      "https://fbsbx.com.evil.example/x",
      "http://lookaside.fbsbx.com/x",
      "https://lookaside.fbsbx.com:8443/x",
      "https://169.254.169.254/latest",
      "https://user@evil.example/lookaside.fbsbx.com",
      "file:///etc/passwd",
      "not a url",
    ];
    for (const url of refused) {
      expect((await failure(spy.downloadMedia("t", { url, sha256: null }, 10, signal))).kind).toBe("media");
    }
    expect(asked).toEqual([]);
    const url = "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1";
    await spy.downloadMedia("t", { url, sha256: null }, 10, signal);
    expect(asked).toEqual([url]);
  });
});

test("an installation talks to Meta where its settings say, as the app that they name", async () => {
  const { token } = customer();
  const opened = openMessenger(readConfig(meta.environment()));
  expect(await opened?.inspectToken(token, signal)).toMatchObject({ appId: meta.appId, isValid: true });
  expect(lastRequest().path).toBe("/v25.0/debug_token");
  expect(openMessenger(readConfig({}))).toBeNull();
});
