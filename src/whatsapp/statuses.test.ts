import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import {
  type Connected,
  changeConnection,
  connectionOf,
  eventsOf,
  hurry,
  inboxOf,
  inboxWhen,
  messageOf,
  newConnected,
  newMessage,
  settled,
  startWithMeta,
} from "../../test/whatsapp-inbox-support.ts";
import { takeIn } from "./inbox-claim.ts";
import { nextState } from "./statuses.ts";

const { meta, server } = await startWithMeta();
const { app, url } = server;
const { webhook } = meta;

/** Statuses in this order, one request each. */
async function report(connected: Connected, wamid: string, statuses: string[], reference?: string) {
  for (const status of statuses)
    await webhook.send(
      url,
      webhook.status(connected.number, wamid, status, reference === undefined ? {} : { reference }),
    );
  return settled(app, connected);
}

async function reportFailure(connected: Connected, code: number, ageMs = 0) {
  const id = await newMessage(app, connected, { state: "accepted" });
  const errors = [{ code, title: `Title of ${code}`, error_data: { details: "Some details" } }];
  const timestampMs = Date.now() - ageMs;
  await webhook.send(
    url,
    webhook.status(connected.number, `wamid.${id}`, "failed", { errors, reference: id, timestampMs }),
  );
  await settled(app, connected);
  return messageOf(app, id);
}

describe("the state of a message", () => {
  test.each([
    ["pending", "sent", "sent"],
    ["sending", "delivered", "delivered"],
    ["accepted", "read", "read"],
    ["unknown", "sent", "sent"],
    ["delivered", "sent", "delivered"],
    ["read", "delivered", "read"],
    ["read", "played", "played"],
    ["played", "read", "played"],
    ["sent", "failed", "failed"],
    ["accepted", "failed", "failed"],
    ["delivered", "failed", "delivered"],
    ["read", "failed", "read"],
    ["failed", "sent", "failed"],
    ["failed", "delivered", "failed"],
  ] as const)("%s, when Meta says %s, is %s", (current, reported, next) => {
    expect(nextState(current, reported)).toBe(next);
  });

  test.each([
    ["in order", ["sent", "delivered", "read"]],
    ["reversed", ["read", "delivered", "sent"]],
    ["twice", ["sent", "sent", "read", "read", "delivered"]],
    ["with one left out", ["read", "sent"]],
  ])("ends the same with statuses %s", async (_what, statuses) => {
    const connected = await newConnected(server, meta);
    const id = await newMessage(app, connected, { state: "accepted", wamid: `wamid.${app.newId()}` });
    const { wamid } = await messageOf(app, id);
    await report(connected, wamid ?? "", statuses);
    expect(await messageOf(app, id)).toMatchObject({ state: "read", wamid });
  });

  test("is right when all its statuses come in one request, and again in parallel", async () => {
    const connected = await newConnected(server, meta);
    const id = await newMessage(app, connected, { state: "accepted" });
    const payload = webhook.batch(
      ...["read", "sent", "delivered", "played"].map((status) =>
        webhook.status(connected.number, "wamid.all-at-once", status, { reference: id }),
      ),
    );
    await webhook.send(url, payload, { times: 10, parallel: true });
    expect(await settled(app, connected)).toHaveLength(4);
    expect(await messageOf(app, id)).toMatchObject({ state: "played", wamid: "wamid.all-at-once" });
  });
});

describe("a status", () => {
  test("that overtakes the answer to our request is known by our own id, and brings Meta's", async () => {
    const connected = await newConnected(server, meta);
    const id = await newMessage(app, connected, { state: "sending" });
    await report(connected, "wamid.overtaking", ["delivered"], id);
    expect(await messageOf(app, id)).toMatchObject({ state: "delivered", wamid: "wamid.overtaking" });
  });

  test("that nobody knows yet finds its message when the answer to our request is stored", async () => {
    const connected = await newConnected(server, meta);
    await webhook.send(url, webhook.status(connected.number, "wamid.early", "delivered"));
    await inboxWhen(app, connected, ([row]) => row?.attempts === 1);
    expect(await inboxOf(app, connected)).toMatchObject([{ state: "waiting", error: "unknown_message" }]);
    const id = await newMessage(app, connected, { state: "accepted", wamid: "wamid.early" });
    await hurry(app, connected);
    expect(await settled(app, connected)).toMatchObject([{ state: "done", error: null }]);
    expect(await messageOf(app, id)).toMatchObject({ state: "delivered" });
  });

  test("of a message that is not ours is looked at four times, and no more", async () => {
    const connected = await newConnected(server, meta);
    await webhook.send(url, webhook.status(connected.number, "wamid.not-ours", "sent", { reference: "x" }));
    for (const attempts of [1, 2, 3]) {
      await inboxWhen(app, connected, ([row]) => row?.attempts === attempts);
      await hurry(app, connected);
    }
    expect(await settled(app, connected)).toMatchObject([
      { state: "done", error: "unknown_message", attempts: 4 },
    ]);
  });

  test("never touches a message of another workspace, whatever id it brings", async () => {
    const owner = await newConnected(server, meta);
    const stranger = await newConnected(server, meta);
    const id = await newMessage(app, owner, { state: "accepted", wamid: "wamid.owners" });
    await webhook.send(url, webhook.status(stranger.number, "wamid.owners", "read", { reference: id }));
    const rows = await inboxWhen(app, stranger, ([row]) => row?.attempts === 1);
    expect(rows).toMatchObject([{ state: "waiting", error: "unknown_message" }]);
    expect(await messageOf(app, id)).toMatchObject({ state: "accepted" });
  });

  test("of a kind that is not known is done with", async () => {
    const connected = await newConnected(server, meta);
    const id = await newMessage(app, connected, { state: "sent", wamid: "wamid.warned" });
    expect(await report(connected, "wamid.warned", ["warning"])).toMatchObject([
      { state: "done", error: "unknown_status" },
    ]);
    expect(await messageOf(app, id)).toMatchObject({ state: "sent" });
  });
});

describe("a message that failed", () => {
  test("says why, and leaves the connection alone when it was the message's own fault", async () => {
    const connected = await newConnected(server, meta);
    expect(await reportFailure(connected, 131026)).toMatchObject({
      state: "failed",
      error: { code: 131026, message: "Title of 131026", details: "Some details" },
    });
    expect(await connectionOf(app, connected)).toMatchObject({ status: "active", last_error: null });
  });

  test.each([
    [131042, "needs_payment", "payment"],
    [131031, "blocked", "policy"],
    [368, "blocked", "policy"],
    [131045, "blocked", "certificate"],
    [133010, "needs_register", "not_registered"],
    [190, "reauth_required", "token"],
    [0, "reauth_required", "token"],
    [10, "reauth_required", "permission"],
    [230, "reauth_required", "permission"],
  ])("with code %i takes the connection to %s", async (code, status, reason) => {
    const connected = await newConnected(server, meta);
    await reportFailure(connected, code);
    expect(await connectionOf(app, connected)).toMatchObject({
      status,
      status_reason: reason,
      last_error: {
        code: `meta_${code}`,
        message: `Title of ${code}`,
        trace_id: null,
        at: expect.any(String),
      },
    });
  });

  test("for want of a token is told to the partner once", async () => {
    const connected = await newConnected(server, meta);
    await connected.api.post("/v1/webhook-endpoints", { url: "https://example.com/" });
    for (let i = 0; i < 3; i += 1) await reportFailure(connected, 190);
    expect(await eventsOf(app, connected)).toEqual([
      { type: "whatsapp.reauth_required", data: expect.objectContaining({ reason: "token" }) },
    ]);
  });

  test("long ago, or before the connection was made anew, says nothing of it now", async () => {
    const connected = await newConnected(server, meta);
    await reportFailure(connected, 190, 2 * 3_600_000);
    expect(await connectionOf(app, connected)).toMatchObject({ status: "active" });
    await changeConnection(app, connected.connectionId, { connected_at: sql`now()` });
    await reportFailure(connected, 190, 60_000);
    expect(await connectionOf(app, connected)).toMatchObject({ status: "active" });
  });

  test("does not hide what already is to be done", async () => {
    const connected = await newConnected(server, meta, { change: { status: "reauth_required" } });
    await reportFailure(connected, 131042);
    expect(await connectionOf(app, connected)).toMatchObject({ status: "reauth_required" });
  });
});

test("a number with a long backlog does not keep another's waiting", async () => {
  const busy = await newConnected(server, meta);
  const quiet = await newConnected(server, meta);
  await app.db.asSystem("superadmin", async (tx) => {
    const insert = (connected: Connected, count: number) =>
      sql`insert into whatsapp_inbox (partner_id, account_id, organization_id, workspace_id, connection_id,
          phone_number_id, kind, key, raw)
        select partner_id, account_id, organization_id, workspace_id, id, phone_number_id, 'template',
          'backlog ' || n, '{}'::json from whatsapp_connections, generate_series(1, ${count}) n
        where id = ${connected.connectionId}`.execute(tx);
    await insert(busy, 300);
    await insert(quiet, 2);
    // Within the transaction, so that nobody else takes them first.
    const taken = await takeIn(tx, ["template"], 10);
    const ofQuiet = taken.filter(({ connection_id }) => connection_id === quiet.connectionId);
    expect(taken.length).toBe(10);
    expect(ofQuiet).toHaveLength(2);
    await sql`delete from whatsapp_inbox where key like 'backlog %'`.execute(tx);
  });
});

test("one row that cannot be worked on is put off, and the others are not", async () => {
  const connected = await newConnected(server, meta);
  const taken = await newMessage(app, connected, { state: "sent", wamid: "wamid.taken" });
  const second = await newMessage(app, connected, { state: "accepted" });
  const third = await newMessage(app, connected, { state: "accepted" });
  // The id that Meta gives it is another message's already: the table refuses that.
  await webhook.send(
    url,
    webhook.batch(
      webhook.status(connected.number, "wamid.taken", "read", { reference: second }),
      webhook.status(connected.number, "wamid.third", "read", { reference: third }),
    ),
  );
  const rows = await inboxWhen(app, connected, (all) => all.every(({ attempts }) => attempts === 1));
  expect(rows).toMatchObject([
    { state: "waiting", error: "internal", attempts: 1 },
    { state: "done", error: null },
  ]);
  expect(await messageOf(app, taken)).toMatchObject({ state: "sent" });
  expect(await messageOf(app, third)).toMatchObject({ state: "read" });
  await app.db.asSystem("superadmin", (tx) =>
    sql`update whatsapp_inbox set due_at = now(), attempts = 9 where id = ${rows[0]?.id}`.execute(tx),
  );
  expect(await settled(app, connected)).toMatchObject([{ state: "failed", attempts: 10 }, { state: "done" }]);
});
