import { describe, expect, test } from "vitest";
import {
  connectionOf,
  eventsOf,
  inboxOf,
  newConnected,
  newConnectedPair,
  settled,
  startWithMeta,
} from "../../test/whatsapp-inbox-support.ts";

const { meta, server } = await startWithMeta();
const { app, url } = server;
const { webhook } = meta;

describe("a customer who ends it on their side", () => {
  test.each([
    ["PARTNER_REMOVED", {}],
    ["PARTNER_APP_UNINSTALLED", {}],
    ["ACCOUNT_DELETED", {}],
    ["ACCOUNT_OFFBOARDED", {}],
    ["DISABLED_UPDATE", { ban_info: { waba_ban_state: "DISABLE", waba_ban_date: "November 22, 2026" } }],
  ])("by %s is disconnected: no secret stays, and the partner is told once", async (event, value) => {
    const connected = await newConnected(server, meta);
    await connected.api.post("/v1/webhook-endpoints", { url: "https://example.com/" });
    const payload = webhook.accountUpdate(connected.number, event, value);
    await webhook.send(url, payload, { times: 5, parallel: true });
    expect(await settled(app, connected)).toMatchObject([{ kind: "account", state: "done", error: null }]);
    expect(await connectionOf(app, connected)).toMatchObject({
      status: "disconnected",
      status_reason: "disconnected_by_customer",
      token: null,
      pin: null,
      check_at: null,
      disconnected_at: expect.any(Date),
    });
    expect(await eventsOf(app, connected)).toEqual([
      {
        type: "whatsapp.disconnected",
        data: expect.objectContaining({ reason: "disconnected_by_customer" }),
      },
    ]);
    const audit = await connected.api.get("/v1/audit-events?action=whatsapp.disconnected");
    expect(audit.body.audit_events).toMatchObject([
      { resource: { id: connected.connectionId }, actor: { kind: "system" } },
    ]);
    // What people write from now on is for nobody here.
    await webhook.send(url, webhook.message(connected.number));
    expect(await inboxOf(app, connected)).toHaveLength(1);
  });

  test("takes all numbers of the account along, or the one that is named", async () => {
    const [first, second] = await newConnectedPair(server, meta);
    await webhook.send(
      url,
      webhook.accountUpdate(first.number, "PARTNER_REMOVED", { phone_number: first.number.digits }),
    );
    await settled(app, first);
    expect(await connectionOf(app, first)).toMatchObject({ status: "disconnected" });
    expect(await connectionOf(app, second)).toMatchObject({ status: "active" });

    const [third, fourth] = await newConnectedPair(server, meta);
    await webhook.send(url, webhook.accountUpdate(third.number, "PARTNER_REMOVED"));
    for (const connected of [third, fourth]) {
      await settled(app, connected);
      expect(await connectionOf(app, connected)).toMatchObject({ status: "disconnected" });
    }
  });

  test("does not end what was connected after that", async () => {
    const connected = await newConnected(server, meta);
    const payload = webhook.accountUpdate(connected.number, "PARTNER_REMOVED");
    const twoDaysAgo = Math.floor(Date.now() / 1000) - 2 * 86_400;
    for (const entry of payload.entry) entry.time = twoDaysAgo;
    await webhook.send(url, payload);
    expect(await settled(app, connected)).toMatchObject([{ state: "done" }]);
    expect(await connectionOf(app, connected)).toMatchObject({ status: "active" });
  });

  test("and removes another partner's app has not removed ours", async () => {
    const connected = await newConnected(server, meta);
    const remove = (partner_app_id: string) => {
      const waba_info = { waba_id: connected.number.wabaId, owner_business_id: "1", partner_app_id };
      return webhook.send(
        url,
        webhook.accountUpdate(connected.number, "PARTNER_APP_UNINSTALLED", { waba_info }),
      );
    };
    await remove("4711");
    await settled(app, connected);
    expect(await connectionOf(app, connected)).toMatchObject({ status: "active" });
    await remove(meta.appId);
    await settled(app, connected);
    expect(await connectionOf(app, connected)).toMatchObject({ status: "disconnected" });
  });
});

describe("an account that something is wrong with", () => {
  test.each([
    ["ACCOUNT_VIOLATION", { violation_info: { violation_type: "SCAM" } }, "SCAM"],
    ["DISABLED_UPDATE", { ban_info: { waba_ban_state: "SCHEDULE_FOR_DISABLE" } }, "SCHEDULE_FOR_DISABLE"],
    [
      "ACCOUNT_RESTRICTION",
      { restriction_info: [{ restriction_type: "RESTRICTED_BIZ_INITIATED_MESSAGING" }] },
      "RESTRICTED_BIZ_INITIATED_MESSAGING",
    ],
  ])("by %s stays connected, and how it stands is asked for", async (event, value, word) => {
    const connected = await newConnected(server, meta);
    await webhook.send(url, webhook.accountUpdate(connected.number, event, value));
    await settled(app, connected);
    expect(await connectionOf(app, connected)).toMatchObject({
      status: "active",
      token: expect.any(String),
      check_at: expect.any(Date),
      last_error: {
        code: event.toLowerCase(),
        message: expect.stringContaining(word),
        trace_id: null,
        at: expect.any(String),
      },
    });
  });

  test("so much that it may not answer is blocked", async () => {
    const connected = await newConnected(server, meta);
    const restriction_info = [{ restriction_type: "RESTRICTED_CUSTOMER_INITIATED_MESSAGING" }];
    await webhook.send(
      url,
      webhook.accountUpdate(connected.number, "ACCOUNT_RESTRICTION", { restriction_info }),
    );
    await settled(app, connected);
    expect(await connectionOf(app, connected)).toMatchObject({
      status: "blocked",
      status_reason: "restricted",
      check_at: expect.any(Date),
    });
  });

  test("is looked at after an alert or a review, too", async () => {
    const connected = await newConnected(server, meta);
    await webhook.send(url, webhook.change(connected.number, "account_alerts", { alert_type: "OBA" }));
    await settled(app, connected);
    expect(await connectionOf(app, connected)).toMatchObject({
      status: "active",
      check_at: expect.any(Date),
      last_error: null,
    });
  });

  test("no more is not said to be ill, and is looked at", async () => {
    const connected = await newConnected(server, meta, { change: { status: "blocked" } });
    const ban_info = { waba_ban_state: "REINSTATE" };
    await webhook.send(url, webhook.accountUpdate(connected.number, "DISABLED_UPDATE", { ban_info }));
    await settled(app, connected);
    expect(await connectionOf(app, connected)).toMatchObject({
      status: "blocked",
      check_at: expect.any(Date),
      last_error: null,
    });
  });

  test("in no way that concerns us is left as it is", async () => {
    const connected = await newConnected(server, meta);
    await webhook.send(url, webhook.accountUpdate(connected.number, "PARTNER_ADDED"));
    await webhook.send(url, webhook.accountUpdate(connected.number, "VOLUME_BASED_PRICING_TIER_UPDATE"));
    expect(await settled(app, connected)).toMatchObject([{ state: "done" }, { state: "done" }]);
    expect(await connectionOf(app, connected)).toMatchObject({ status: "active", check_at: null });
  });
});

describe("a number", () => {
  test.each([
    ["FLAGGED", { quality_rating: "RED" }],
    ["UNFLAGGED", { quality_rating: "UNKNOWN" }],
    ["THROUGHPUT_UPGRADE", { throughput: "HIGH", quality_rating: "GREEN" }],
    ["UPGRADE", { throughput: "STANDARD", quality_rating: "GREEN" }],
  ])("whose quality update is %s shows it, and is looked at", async (event, shown) => {
    const change = { quality_rating: "GREEN", throughput: "STANDARD" };
    const connected = await newConnected(server, meta, { change });
    await webhook.send(
      url,
      webhook.change(connected.number, "phone_number_quality_update", {
        display_phone_number: connected.number.digits,
        event,
        current_limit: "TIER_1K",
      }),
    );
    await settled(app, connected);
    expect(await connectionOf(app, connected)).toMatchObject({ ...shown, check_at: expect.any(Date) });
  });

  test.each([
    ["APPROVED", "Acme Pizza"],
    ["DECLINED", "Acme"],
  ])("whose name was %s is called %s", async (decision, name) => {
    const connected = await newConnected(server, meta, { change: { verified_name: "Acme" } });
    await webhook.send(
      url,
      webhook.change(connected.number, "phone_number_name_update", {
        display_phone_number: connected.number.digits,
        decision,
        requested_verified_name: "Acme Pizza",
        rejection_reason: null,
      }),
    );
    await settled(app, connected);
    expect(await connectionOf(app, connected)).toMatchObject({
      verified_name: name,
      name_status: decision,
      check_at: expect.any(Date),
    });
  });
});

test("templates, histories and fields of tomorrow are kept, and do nothing", async () => {
  const connected = await newConnected(server, meta);
  const before = await connectionOf(app, connected);
  const metadata = { phone_number_id: connected.number.id };
  await webhook.send(
    url,
    webhook.batch(
      webhook.change(connected.number, "message_template_status_update", {
        event: "PAUSED",
        message_template_id: 7,
      }),
      webhook.change(connected.number, "history", { metadata, history: [{ metadata: { phase: 0 } }] }),
      webhook.change(connected.number, "smb_app_state_sync", { metadata, state_sync: [] }),
      webhook.change(connected.number, "field_of_tomorrow", { metadata }),
    ),
  );
  expect((await settled(app, connected)).map(({ kind, state }) => `${kind} ${state}`)).toEqual([
    "template done",
    "history done",
    "other done",
    "other done",
  ]);
  expect(await connectionOf(app, connected)).toEqual(before);
});
