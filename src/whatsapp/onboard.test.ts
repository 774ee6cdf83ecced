import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  finished,
  mintToken,
  newConnectedWorld,
  postOnboard,
  startWhatsAppServer,
  type WhatsAppServer,
  whatsappPath,
} from "../../test/onboard-support.ts";
import type { SimBusiness } from "../../test/simulators/meta/meta-world.ts";
import { hex, newWorld, type Reply, type World } from "../../test/support.ts";
import type { OnboardBody } from "./onboard.schemas.ts";

let whatsapp: WhatsAppServer;
const logged: string[] = [];

beforeAll(async () => {
  whatsapp = await startWhatsAppServer(
    { LOG_LEVEL: "debug" },
    { onLog: (line) => logged.push(line), deliverer: false },
  );
});
afterAll(() => whatsapp.close());

const post = (world: World, token: string, body: OnboardBody | string, headers?: Record<string, string>) =>
  postOnboard(whatsapp.server.url, world, token, body, headers);

/** A signup at its beginning. */
async function begin(options: { numbers?: object[]; mint?: object } = {}) {
  const world = await newWorld(whatsapp.server);
  const business = whatsapp.meta.addBusiness(
    options.numbers === undefined ? {} : { numbers: options.numbers },
  );
  const token = await mintToken(world, options.mint);
  return { world, business, token };
}

async function whatsappOf(world: World) {
  return (await world.api.get(whatsappPath(world))).body.whatsapp;
}

/** Requests of a kind that reached Meta about a business. */
function asked(business: SimBusiness, method: string, what: string): number {
  const ids = [business.wabaId, ...business.numbers.map(({ id }) => id)];
  return whatsapp.meta.requests.filter(
    (request) =>
      request.method === method &&
      request.path.endsWith(`/${what}`) &&
      ids.some((id) => request.path.includes(id)),
  ).length;
}

describe("a number is connected", () => {
  test("by one post of what the popup gave: subscribed, registered with a PIN, and shown as active", async () => {
    const { world, business, token } = await begin();
    const [number] = business.numbers;
    const { status, body } = await post(world, token, finished(whatsapp, business));
    expect(status).toBe(200);
    expect(body).toEqual({
      success: true,
      status: "active",
      step: "finished",
      needs: null,
      retryable: false,
      connection_id: expect.any(String),
      display_phone_number: number?.displayPhoneNumber,
      verified_name: "Acme Support",
      error: null,
    });
    expect(asked(business, "POST", "subscribed_apps")).toBe(1);
    expect(asked(business, "POST", "register")).toBe(1);
    expect(number?.status).toBe("CONNECTED");
    expect(await whatsappOf(world)).toMatchObject({
      status: "active",
      next_step: { what: "none" },
      number: `+${number?.digits}`,
      name: "Acme Support",
      quality: "GREEN",
      connection_id: body.connection_id,
      has_pin: true,
      token_expires_at: null,
      last_error: null,
      connected_at: expect.any(String),
    });
    const { pin } = (await world.api.post(whatsappPath(world, "/reveal-pin"))).body;
    expect(pin).toBe(number?.pin);
  });

  test("with an entry in the trail for the link, the connection and each look at the PIN, and one event", async () => {
    const world = await newWorld(whatsapp.server);
    await world.api.post("/v1/webhook-endpoints", { url: "https://partner.example.com/hooks" });
    const { connectionId } = await newConnectedWorld(whatsapp, { world });
    await world.api.post(whatsappPath(world, "/reveal-pin"));
    const { audit_events: trail } = (await world.api.get("/v1/audit-events")).body;
    const actions = trail.map(({ action }: { action: string }) => action);
    expect(actions.filter((action: string) => action.startsWith("whatsapp."))).toEqual([
      "whatsapp.pin_revealed",
      "whatsapp.connected",
      "whatsapp.connect_token_created",
    ]);
    expect(await eventsOf(world)).toEqual([
      {
        type: "whatsapp.connected",
        data: expect.objectContaining({ connection_id: connectionId, workspace_id: world.workspaceId }),
      },
    ]);
  });

  test("without the ids of the browser, found by what the token may reach", async () => {
    const { world, business, token } = await begin();
    const { body } = await post(world, token, { code: whatsapp.meta.issueCode(business) });
    expect(body).toMatchObject({
      status: "active",
      display_phone_number: business.numbers[0]?.displayPhoneNumber,
    });
  });

  test("although Meta no longer says which accounts a token reaches, as since June 2026", async () => {
    const { world, business, token } = await begin();
    const code = whatsapp.meta.issueCode(business, { granularScopes: false });
    const { body } = await post(world, token, { code, waba_id: business.wabaId });
    expect(body.status).toBe("active");
  });

  test("after the full-page dialog, with the address that it led back to; another origin's is refused", async () => {
    const { world, business, token } = await begin();
    const back = `${whatsapp.server.url}/api/v1/workspace/x/whatsapp/connect-return`;
    const foreign = await post(world, token, { code: "x", redirect_uri: "https://evil.example.com/" });
    expect(foreign.status).toBe(400);
    expect(foreign.body.details[0].path).toBe("body.redirect_uri");
    const code = whatsapp.meta.issueCode(business, { redirectUri: back });
    expect((await post(world, token, { code, redirect_uri: back })).body.status).toBe("active");
  });

  test("that is registered already, without registering it again", async () => {
    const { world, business, token } = await begin({
      numbers: [{ status: "CONNECTED", platformType: "CLOUD_API" }],
    });
    expect((await post(world, token, finished(whatsapp, business))).body.status).toBe("active");
    expect(asked(business, "POST", "register")).toBe(0);
  });

  test("in coexistence: never registered, and what is in the app is asked for once, contacts and history", async () => {
    const { world, business, token } = await begin({
      numbers: [{ isOnBizApp: true }],
      mint: { mode: "coexistence" },
    });
    const body = {
      event: "FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING",
      code: whatsapp.meta.issueCode(business),
      waba_id: business.wabaId,
    };
    expect((await post(world, token, body)).body.status).toBe("active");
    expect(asked(business, "POST", "register")).toBe(0);
    await expect
      .poll(() => [...(business.numbers[0]?.synced ?? [])])
      .toEqual(["smb_app_state_sync", "history"]);
    expect(await whatsappOf(world)).toMatchObject({ is_coexistence: true, has_pin: false });
    expect((await world.api.post(whatsappPath(world, "/reveal-pin"))).status).toBe(404);
  });

  test("with the token's end known, where it has one", async () => {
    const { world, business, token } = await begin();
    const tokenExpiresAt = new Date(Math.floor(Date.now() / 1000) * 1000 + 60 * 86_400_000);
    await post(world, token, { code: whatsapp.meta.issueCode(business, { tokenExpiresAt }) });
    expect((await whatsappOf(world)).token_expires_at).toBe(tokenExpiresAt.toISOString());
  });

  test("and is shown as wanting a payment method, or blocked, when its health says so", async () => {
    const { world, business, token } = await begin({ numbers: [{ canSendMessage: "BLOCKED" }] });
    const { status, body } = await post(world, token, finished(whatsapp, business));
    expect([status, body.success, body.status]).toEqual([200, true, "blocked"]);
    expect((await whatsappOf(world)).next_step.what).toBe("ask_meta");
  });
});

describe("the code", () => {
  test("is exchanged once: sent again after the end, it is answered what it was", async () => {
    const { world, business, token } = await begin();
    const sent = finished(whatsapp, business);
    const first = await post(world, token, sent);
    const again = await post(world, token, sent);
    expect([again.status, again.body]).toEqual([first.status, first.body]);
    expect(exchanges(sent.code)).toBe(1);
    expect((await post(world, token, { ...sent, code: whatsapp.meta.issueCode(business) })).status).toBe(410);
    expect((await post(world, token, {})).body).toMatchObject({ code: "gone", error: { code: "link_used" } });
  });

  test("of two clicks at once is exchanged once, and both are told the same", async () => {
    const { world, business, token } = await begin();
    const sent = finished(whatsapp, business);
    const replies = await Promise.all([1, 2, 3].map(() => post(world, token, sent)));
    for (const reply of replies) expect([reply.status, reply.body.status]).toEqual([200, "active"]);
    expect(new Set(replies.map(({ body }) => body.connection_id)).size).toBe(1);
    expect(exchanges(sent.code)).toBe(1);
    expect(asked(business, "POST", "register")).toBe(1);
  });

  test("that comes while another is at work is refused with 409 and stays unused", async () => {
    const { world, business, token } = await begin();
    const replies = await Promise.all([
      post(world, token, finished(whatsapp, business)),
      post(world, token, finished(whatsapp, business)),
    ]);
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 409]);
    const refused = replies.find(({ status }) => status === 409);
    expect(refused?.body).toMatchObject({ code: "conflict", needs: "wait", error: { code: "in_progress" } });
    expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThan(0);
  });

  test("that expired asks for a new one, which the same link takes", async () => {
    const { world, business, token } = await begin();
    const code = whatsapp.meta.issueCode(business, { expiresInMs: -1 });
    const late = await post(world, token, { code });
    expect([late.status, late.body.code]).toEqual([422, "unprocessable"]);
    expect(late.body).toMatchObject({
      success: false,
      status: "connecting",
      step: "exchange_code",
      needs: "new_code",
      retryable: true,
      connection_id: null,
      error: { code: "code_expired", trace_id: expect.any(String) },
      request_id: expect.any(String),
    });
    expect((await post(world, token, { code })).body.error.code).toBe("code_expired");
    expect(exchanges(code)).toBe(1);
    expect((await post(world, token, finished(whatsapp, business))).body.status).toBe("active");
  });

  test.each(["accept-then-timeout", "reset"] as const)(
    "whose exchange ended with %s is lost: never exchanged twice, and a new one is asked for",
    async (failure) => {
      const { world, business, token } = await begin();
      whatsapp.meta.fail({ path: "/oauth/access_token" }, failure);
      const sent = finished(whatsapp, business);
      const lost = await post(world, token, sent);
      expect([lost.status, lost.body.needs, lost.body.error.code]).toEqual([
        422,
        "new_code",
        "exchange_failed",
      ]);
      expect((await post(world, token, sent)).body.needs).toBe("new_code");
      expect(exchanges(sent.code)).toBe(1);
    },
    60_000,
  );

  test("is asked for when there was none", async () => {
    const { world, token } = await begin();
    const { status, body } = await post(world, token, { event: "FINISH" });
    expect([status, body.needs, body.error.code]).toEqual([422, "new_code", "code_missing"]);
  });

  test("of another app's token is of no use, and nothing is reserved", async () => {
    const { world, business, token } = await begin();
    const foreign = {
      ...finished(whatsapp, business),
      code: whatsapp.meta.issueCode(business, { foreignApp: true }),
    };
    expect((await post(world, token, foreign)).body).toMatchObject({
      step: "inspect_token",
      needs: "new_code",
      error: { code: "token_foreign" },
    });
    expect((await post(world, token, {})).body.error.code).toBe("token_foreign");
    expect((await post(world, token, finished(whatsapp, business))).body.status).toBe("active");
  });
});

describe("the assets are what Meta says they are", () => {
  test("an account that the token does not reach is not connected, whatever the browser says", async () => {
    const { world, business, token } = await begin();
    const other = whatsapp.meta.addBusiness();
    const code = whatsapp.meta.issueCode(business, { granularScopes: false });
    const { status, body } = await post(world, token, { code, waba_id: other.wabaId });
    expect([status, body.needs, body.error.code]).toEqual([422, "new_code", "asset_not_accessible"]);
    expect(asked(other, "POST", "subscribed_apps")).toBe(0);
  });

  test("a number of somebody else is not connected: one of the account's is asked for", async () => {
    const { world, business, token } = await begin();
    const other = whatsapp.meta.addBusiness();
    const sent = { ...finished(whatsapp, business), phone_number_id: other.numbers[0]?.id };
    const { status, body } = await post(world, token, sent);
    expect([status, body.needs, body.error.code]).toEqual([422, "choose_number", "number_not_accessible"]);
    expect(body.numbers).toHaveLength(1);
    expect(await whatsappOf(world)).toMatchObject({ status: "connecting", number: null });
  });

  test("of several numbers one is asked for, and chosen without another popup", async () => {
    const { world, business, token } = await begin({ numbers: [{}, {}, {}] });
    const code = whatsapp.meta.issueCode(business);
    const { status, body } = await post(world, token, { code, waba_id: business.wabaId });
    expect([status, body.success, body.needs]).toEqual([200, true, "choose_number"]);
    expect(body.numbers.map((number: { phone_number_id: string }) => number.phone_number_id).sort()).toEqual(
      business.numbers.map(({ id }) => id).sort(),
    );
    const chosen = business.numbers[1];
    const done = await post(world, token, { phone_number_id: chosen?.id });
    expect(done.body).toMatchObject({ status: "active", display_phone_number: chosen?.displayPhoneNumber });
    expect(exchanges(code)).toBe(1);
  });

  test("an account without a number is needs_number; after another popup the link goes on", async () => {
    const { world, business, token } = await begin({ numbers: [] });
    const sent = {
      event: "FINISH_ONLY_WABA",
      code: whatsapp.meta.issueCode(business),
      waba_id: business.wabaId,
    };
    const { status, body } = await post(world, token, sent);
    expect([status, body.status, body.needs]).toEqual([200, "needs_number", "number"]);
    expect(await whatsappOf(world)).toMatchObject({
      status: "needs_number",
      next_step: { what: "add_number" },
    });
    const full = whatsapp.meta.addBusiness();
    expect((await post(world, token, finished(whatsapp, full))).body.status).toBe("active");
  });

  test("a link for one number takes no other", async () => {
    const { world, business, token } = await begin({ mint: { expected_phone: "+4930123456" } });
    const { status, body } = await post(world, token, finished(whatsapp, business));
    expect([status, body.needs, body.error.code]).toEqual([422, "number", "unexpected_number"]);
    const right = whatsapp.meta.addBusiness({
      numbers: [{}, { digits: "4930123456", displayPhoneNumber: "+49 30 123456" }],
    });
    const done = await post(world, token, { code: whatsapp.meta.issueCode(right), waba_id: right.wabaId });
    expect(done.body).toMatchObject({ status: "active", display_phone_number: "+49 30 123456" });
  });

  test("a number that is connected elsewhere is refused without saying whose it is; freed, it is taken", async () => {
    const first = await newConnectedWorld(whatsapp);
    const { world, token } = await begin();
    const { status, body } = await post(world, token, finished(whatsapp, first.business));
    expect([status, body.code, body.error.code]).toEqual([409, "conflict", "number_in_use"]);
    expect(JSON.stringify(body)).not.toContain(first.world.accountId);
    await first.world.api.delete(whatsappPath(first.world));
    expect((await post(world, token, finished(whatsapp, first.business))).body.status).toBe("active");
  });

  test("of two workspaces that want one number at once, one gets it", async () => {
    const business = whatsapp.meta.addBusiness();
    const replies = await Promise.all(
      [1, 2].map(async () => {
        const world = await newWorld(whatsapp.server);
        return post(world, await mintToken(world), finished(whatsapp, business));
      }),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 409]);
  });
});

describe("what Meta refuses", () => {
  type Case = [
    fault: object,
    path: string,
    status: number,
    needs: string | null,
    code: string,
    state: string,
  ];
  test.each<Case>([
    [{ code: 190, subcode: 463 }, "/subscribed_apps", 422, "new_code", "token_invalid", "connecting"],
    [{ code: 10 }, "/subscribed_apps", 422, "new_code", "permission", "connecting"],
    [{ code: 200 }, "/subscribed_apps", 422, "new_code", "permission", "connecting"],
    [{ code: 100, subcode: 33 }, "/subscribed_apps", 422, "new_code", "asset_not_accessible", "connecting"],
    [{ code: 2 }, "/subscribed_apps", 202, "wait", "meta_unavailable", "connecting"],
    [{ code: 4 }, "/subscribed_apps", 202, "wait", "meta_busy", "connecting"],
    [{ code: 80007 }, "/subscribed_apps", 202, "wait", "meta_busy", "connecting"],
    [{ code: 100 }, "/subscribed_apps", 422, null, "meta_100", "connecting"],
    [{ code: 2388103 }, "/register", 422, "number", "number_elsewhere", "connecting"],
    [{ code: 131031 }, "/register", 422, null, "blocked", "blocked"],
    [{ code: 131042 }, "/register", 422, null, "payment", "needs_payment"],
    [{ code: 133016 }, "/register", 422, "wait", "number_locked", "needs_register"],
    [
      { code: 133008, details: "Please wait 10 minutes" },
      "/register",
      202,
      "wait",
      "register_later",
      "needs_register",
    ],
    [{ code: 133015 }, "/register", 202, "wait", "register_later", "needs_register"],
    [{ code: 131000 }, "/register", 202, "wait", "meta_unavailable", "connecting"],
  ])("%j at %s: %d, needs %s, error %s, state %s", async (fault, path, status, needs, code, state) => {
    const { world, business, token } = await begin();
    const id = path === "/register" ? business.numbers[0]?.id : business.wabaId;
    whatsapp.meta.fail({ method: "POST", path: new RegExp(`${id}${path}$`) }, { code: 0, ...fault });
    const reply = await post(world, token, finished(whatsapp, business));
    expect([reply.status, reply.body.needs, reply.body.error.code, reply.body.status]).toEqual([
      status,
      needs,
      code,
      state,
    ]);
    expect(reply.body.error.trace_id).toEqual(expect.any(String));
    expect(await whatsappOf(world)).toMatchObject({
      status: state,
      last_error: { code: expect.stringMatching(/^meta_\d+$/), trace_id: reply.body.error.trace_id },
    });
    if (needs === "wait")
      expect(Number(reply.headers.get("retry-after"))).toBe(reply.body.retry_after_seconds);
  });

  test.each(["subscribed_apps", "register", "phone_numbers"])(
    "at %s for a moment: the next post goes on, without a code and without asking twice for what was done",
    async (what) => {
      const { world, business, token } = await begin();
      const id = what === "register" ? business.numbers[0]?.id : business.wabaId;
      whatsapp.meta.fail({ path: new RegExp(`${id}/${what}$`) }, { code: 131016 });
      const sent = finished(whatsapp, business);
      expect((await post(world, token, sent)).status).toBe(202);
      expect((await post(world, token, {})).body.status).toBe("active");
      expect(exchanges(sent.code)).toBe(1);
      expect(asked(business, "POST", "register")).toBe(what === "register" ? 2 : 1);
    },
  );

  test("a token that ends on the way is replaced by the next popup's, and the reserved number stays", async () => {
    const { world, business, token } = await begin();
    whatsapp.meta.fail({ path: `${business.wabaId}/subscribed_apps` }, { code: 190 });
    expect((await post(world, token, finished(whatsapp, business))).body.needs).toBe("new_code");
    expect((await post(world, token, finished(whatsapp, business))).body.status).toBe("active");
  });

  test("a number that turns out to belong elsewhere is changed for another by the next popup", async () => {
    const { world, business, token } = await begin();
    whatsapp.meta.fail({ path: `${business.numbers[0]?.id}/register` }, { code: 2388103 });
    expect((await post(world, token, finished(whatsapp, business))).body.needs).toBe("number");
    const other = whatsapp.meta.addBusiness();
    expect((await post(world, token, finished(whatsapp, other))).body).toMatchObject({
      status: "active",
      display_phone_number: other.numbers[0]?.displayPhoneNumber,
    });
    const elsewhere = await newConnectedWorld(whatsapp, { business });
    expect(elsewhere.connectionId).toEqual(expect.any(String));
  });

  test("a name in review: 202, the link is used up, and the connection waits for Meta", async () => {
    const { world, business, token } = await begin({
      numbers: [{ nameReviewAttempts: 1, nameStatus: "PENDING_REVIEW" }],
    });
    const { status, body } = await post(world, token, finished(whatsapp, business));
    expect([status, body.success, body.status, body.needs]).toEqual([
      202,
      true,
      "pending_name_review",
      "wait",
    ]);
    expect((await post(world, token, {})).status).toBe(410);
    expect(await whatsappOf(world)).toMatchObject({
      status: "pending_name_review",
      next_step: { what: "wait" },
      connected_at: null,
    });
  });

  test("a PIN of the customer's own is asked for, never guessed at again, and taken", async () => {
    const { world, business, token } = await begin({ numbers: [{ pin: "246810" }] });
    const first = await post(world, token, finished(whatsapp, business));
    expect([first.status, first.body.status, first.body.needs]).toEqual([200, "needs_pin", "pin"]);
    expect(first.body.error.code).toBe("pin_mismatch");
    await post(world, token, {});
    expect(asked(business, "POST", "register")).toBe(1);
    const wrong = await post(world, token, { pin: "111111" });
    expect([wrong.body.status, wrong.body.needs]).toEqual(["needs_pin", "pin"]);
    expect((await whatsappOf(world)).next_step.what).toBe("enter_pin");
    expect((await post(world, token, { pin: "246810" })).body.status).toBe("active");
    expect((await world.api.post(whatsappPath(world, "/reveal-pin"))).body.pin).toBe("246810");
  });

  test("a number that must be verified: a code is asked for, refused, and taken", async () => {
    const { world, business, token } = await begin({ numbers: [{ codeVerificationStatus: "NOT_VERIFIED" }] });
    const first = await post(world, token, finished(whatsapp, business));
    expect([first.status, first.body.status, first.body.needs]).toEqual([
      200,
      "needs_verification",
      "verification",
    ]);
    expect((await post(world, token, {})).body.needs).toBe("verification");
    const asking = await post(world, token, { verification: { request: "SMS" } });
    expect([asking.status, asking.body.error.code]).toEqual([200, "code_sent"]);
    const code = business.numbers[0]?.verificationCode ?? "";
    const wrong = await post(world, token, {
      verification: { code: code === "000000" ? "000001" : "000000" },
    });
    expect([wrong.status, wrong.body.error.code, wrong.body.needs]).toEqual([
      422,
      "verification_failed",
      "verification",
    ]);
    expect((await post(world, token, { verification: { code } })).body.status).toBe("active");
  });

  test("a number that turns out to stay in the app is connected in coexistence after all", async () => {
    const { world, business, token } = await begin();
    whatsapp.meta.fail(
      { path: `${business.numbers[0]?.id}/register` },
      { code: 100, message: "(#100) Register endpoint is not available for API solution for SMB businesses" },
    );
    expect((await post(world, token, finished(whatsapp, business))).body.status).toBe("active");
    expect(await whatsappOf(world)).toMatchObject({ status: "active", is_coexistence: true, has_pin: false });
  });

  test("an earlier deregistration is brought to its end, and the number registered", async () => {
    const { world, business, token } = await begin({ numbers: [{ isDeregistrationIncomplete: true }] });
    expect((await post(world, token, finished(whatsapp, business))).body.status).toBe("active");
    expect(asked(business, "POST", "deregister")).toBe(1);
  });

  test("registering is tried twice, and then not before its time: three days of lock are a high price", async () => {
    const { world, business, token } = await begin();
    whatsapp.meta.fail({ path: `${business.numbers[0]?.id}/register` }, { code: 131000 }, 5);
    await post(world, token, finished(whatsapp, business));
    await post(world, token, {});
    const third = await post(world, token, {});
    expect([third.status, third.body.status, third.body.error.code]).toEqual([
      202,
      "needs_register",
      "register_later",
    ]);
    expect(third.body.retry_after_seconds).toBeGreaterThan(500);
    expect(asked(business, "POST", "register")).toBe(2);
    expect((await whatsappOf(world)).next_step.what).toBe("try_again");
  });

  test("a register call of which nobody heard the answer is not made again when it was carried out", async () => {
    const { world, business, token } = await begin();
    whatsapp.meta.fail({ path: `${business.numbers[0]?.id}/register` }, "accept-then-timeout");
    expect((await post(world, token, finished(whatsapp, business))).status).toBe(202);
    expect((await post(world, token, {})).body.status).toBe("active");
    expect(asked(business, "POST", "register")).toBe(1);
    expect((await world.api.post(whatsappPath(world, "/reveal-pin"))).body.pin).toBe(
      business.numbers[0]?.pin,
    );
  }, 60_000);
});

describe("a post that is not the page's", () => {
  test.each<[string, OnboardBody | string, Record<string, string>, number, string]>([
    ["of another origin", {}, { origin: "https://evil.example.com" }, 400, "invalid_request"],
    ["as a form would send it", {}, { "content-type": "text/plain" }, 415, "unsupported_media_type"],
    ["that is not JSON", "{", {}, 400, "invalid_request"],
    ["with an unknown field", '{"surprise":1}', {}, 400, "invalid_request"],
    ["with a PIN of five digits", '{"pin":"12345"}', {}, 400, "invalid_request"],
    ["with an id that is none", '{"waba_id":"../me"}', {}, 400, "invalid_request"],
    ["of an unknown link", {}, { authorization: `Bearer lo_wac_${"a".repeat(43)}` }, 404, "not_found"],
    ["with an API key", {}, { authorization: "Bearer lo_live_x" }, 404, "not_found"],
    ["with nothing", {}, { authorization: "" }, 404, "not_found"],
  ])("%s is refused and uses nothing up", async (_, body, headers, status, code) => {
    const { world, business, token } = await begin();
    const reply = await post(world, token, body, headers);
    expect([reply.status, reply.body.code]).toEqual([status, code]);
    expect((await post(world, token, finished(whatsapp, business))).body.status).toBe("active");
  });

  test("to another workspace, of this account or another, reads as if there were no such link", async () => {
    const { world, business, token } = await begin();
    const other = await namedWorkspace(await newWorld(whatsapp.server), "Sales");
    const sibling = await namedWorkspace(world, "Sales");
    const unknown = await post(world, `lo_wac_${"b".repeat(43)}`, {});
    for (const foreign of [other, sibling]) {
      const reply: Reply = await post(foreign, token, finished(whatsapp, business));
      const same = (body: Record<string, unknown>) => ({ ...body, request_id: "" });
      expect([reply.status, same(reply.body)]).toEqual([404, same(unknown.body)]);
    }
    expect((await post(world, token, finished(whatsapp, business))).body.status).toBe("active");
  });
});

test("no token, code, PIN or secret of Meta's stands in a row, a line of the log or the trail", async () => {
  const { world, business, token } = await begin({ numbers: [{ pin: "975310" }] });
  const sent = finished(whatsapp, business);
  await post(world, token, sent);
  await post(world, token, { pin: "975310" });
  const access = whatsapp.meta.requests.find(
    ({ path, headers }) => path.includes(business.wabaId) && headers.authorization !== undefined,
  )?.headers.authorization;
  const secrets = [token, sent.code, access?.replace("Bearer ", ""), whatsapp.meta.appSecret];
  const tables = [
    "whatsapp_connections",
    "whatsapp_page_tokens",
    "audit_events",
    "webhook_events",
    "jobs",
  ] as const;
  const stored = await whatsapp.server.app.db.asSystem("superadmin", (tx) =>
    Promise.all(tables.map((table) => tx.selectFrom(table).selectAll().execute())),
  );
  const trail = (await world.api.get("/v1/audit-events")).body;
  const everything = JSON.stringify([stored, logged, trail]);
  expect(everything).toContain(business.wabaId);
  for (const secret of secrets) {
    expect(secret).toEqual(expect.any(String));
    expect(everything).not.toContain(secret);
  }
  expect(everything).not.toContain("975310");
});

/** Slugs are unique in an account only: two accounts may each have a workspace of this name. */
async function namedWorkspace(world: World, name: string): Promise<World> {
  const made = await world.api.post(`/v1/org/${hex(world.orgSlug)}/workspaces`, { name });
  return { ...world, workspaceSlug: made.body.workspace.originalSlug, workspaceId: made.body.workspace.id };
}

function exchanges(code: string | undefined): number {
  return whatsapp.meta.requests.filter(
    ({ path, query }) => path.endsWith("/oauth/access_token") && query.code === code,
  ).length;
}

async function eventsOf(world: World) {
  return whatsapp.server.app.db.asSystem("superadmin", (tx) =>
    tx
      .selectFrom("webhook_events")
      .select(["type", "data"])
      .where("account_id", "=", world.accountId)
      .where("subject_kind", "=", "whatsapp_connection")
      .orderBy("sequence")
      .execute(),
  );
}
