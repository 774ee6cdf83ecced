import { createHmac } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { newWorld, startTestServer } from "../../test/support.ts";
import { inboxOf, newConnected, startWithMeta } from "../../test/whatsapp-inbox-support.ts";
import { createWhatsAppInbox } from "./inbox.ts";
import { forgetOldWhatsApp } from "./maintain.ts";
import { readUpdates } from "./webhook-updates.ts";

const PREVIOUS_SECRET = "the-secret-before-this-one";
const logged: string[] = [];
const { meta, server } = await startWithMeta(
  { META_APP_SECRET_PREVIOUS: PREVIOUS_SECRET, LOG_LEVEL: "trace" },
  { onLog: (line) => logged.push(line) },
);
const { app, url } = server;
const { webhook } = meta;

async function sendBytes(body: string | Buffer, signature: string | undefined): Promise<number> {
  const headers = signature === undefined ? {} : { "x-hub-signature-256": signature };
  const answer = await fetch(`${url}/webhooks/whatsapp`, {
    method: "POST",
    headers,
    body: new Uint8Array(Buffer.from(body)),
  });
  return answer.status;
}

function sign(body: string | Buffer, secret = meta.appSecret): string {
  return `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
}

async function countOf(outcome: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`lumenone_whatsapp_updates_total{outcome="${outcome}"} (\\d+)`).exec(text)?.[1]);
}

describe("the challenge", () => {
  const ask = (query: Record<string, string>) =>
    fetch(`${url}/webhooks/whatsapp?${new URLSearchParams(query)}`);

  test("is given back as plain text to who knows the verify token", async () => {
    const answer = await ask({
      "hub.mode": "subscribe",
      "hub.verify_token": meta.verifyToken,
      "hub.challenge": "<b>1158201444</b>",
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(await answer.text()).toBe("<b>1158201444</b>");
  });

  test.each([
    ["another token", { "hub.mode": "subscribe", "hub.verify_token": "wrong" }],
    ["no token", { "hub.mode": "subscribe" }],
    ["another mode", { "hub.mode": "unsubscribe", "hub.verify_token": meta.verifyToken }],
    ["nothing", {}],
  ])("is refused with %s", async (_what, query: Record<string, string>) => {
    const answer = await ask({ ...query, "hub.challenge": "1158201444" });
    expect(answer.status).toBe(403);
    expect(await answer.text()).not.toContain("1158201444");
  });

  test("is not there where Meta's app is not configured", async () => {
    const bare = await startTestServer();
    const address = `${bare.url}/webhooks/whatsapp`;
    expect((await fetch(address)).status).toBe(404);
    expect((await fetch(address, { method: "POST", body: "{}" })).status).toBe(404);
    await bare.close();
  });
});

describe("a signature", () => {
  test("is of the bytes as they came, escaped as Meta escapes them", async () => {
    const connected = await newConnected(server, meta);
    const body = 'Perché così? 🙂 Ja/Nein, 漢字, "Zitat" \\ Ende';
    const [reply] = await webhook.send(url, webhook.message(connected.number, { body }));
    expect(reply).toEqual({ status: 200, body: "" });
    const [row] = await inboxOf(app, connected);
    expect(row?.raw).toMatchObject({ message: { text: { body } } });
  });

  test("by the secret before is good while it is being changed", async () => {
    const connected = await newConnected(server, meta);
    const payload = webhook.message(connected.number);
    expect(await webhook.send(url, payload, { secret: PREVIOUS_SECRET })).toMatchObject([{ status: 200 }]);
    expect(await inboxOf(app, connected)).toHaveLength(1);
  });

  test("that is missing, another's, of other bytes or no signature at all is refused, and nothing is stored", async () => {
    const connected = await newConnected(server, meta);
    const payload = webhook.message(connected.number);
    const before = await countOf("unsigned");
    for (const options of [{ secret: null }, { secret: "another" }, { tamper: true }])
      expect(await webhook.send(url, payload, options)).toMatchObject([{ status: 401 }]);
    const body = JSON.stringify(payload);
    const right = sign(body);
    for (const wrong of [
      right.slice(0, -2),
      `${right}00`,
      right.replace("sha256=", "sha1="),
      right.replace("sha256=", ""),
      `sha256=${"z".repeat(64)}`,
      "sha256=",
      "",
    ])
      expect(await sendBytes(body, wrong)).toBe(401);
    expect(await sendBytes("", undefined)).toBe(401);
    expect(await inboxOf(app, connected)).toEqual([]);
    expect(await countOf("unsigned")).toBe(before + 11);
    // The body itself was fine.
    expect(await sendBytes(body, right)).toBe(200);
    expect(await inboxOf(app, connected)).toHaveLength(1);
  });
});

describe("what is stored", () => {
  test("is stored once, however often it comes at the same time", async () => {
    const connected = await newConnected(server, meta);
    const payload = webhook.message(connected.number, { body: "Are you open?" });
    const replies = await webhook.send(url, payload, { times: 30, parallel: true });
    expect(replies.map(({ status }) => status)).toEqual(Array(30).fill(200));
    expect(await webhook.send(url, payload, { times: 2 })).toHaveLength(2);
    expect(await inboxOf(app, connected)).toMatchObject([
      { kind: "message", state: "waiting", attempts: 0, phone_number_id: connected.number.id },
    ]);
  });

  test("of several tenants in one request goes to each its own, in the order of the request", async () => {
    const one = await newConnected(server, meta);
    const other = await newConnected(server, meta);
    const from = "16505550001";
    const payload = webhook.batch(
      webhook.message(one.number, { from, wamid: "wamid.a1" }),
      webhook.message(other.number, { from, wamid: "wamid.b1" }),
      webhook.message(one.number, { from, wamid: "wamid.a2" }),
      webhook.message(one.number, { from, wamid: "wamid.a0" }),
    );
    expect(await webhook.send(url, payload)).toMatchObject([{ status: 200 }]);
    const seenBy = async ({ partner, accountId, workspaceId }: typeof one) =>
      app.db.asTenant({ partnerId: partner.id, accountId, workspaceId }, (tx) =>
        tx.selectFrom("whatsapp_inbox").select("key").orderBy("id").execute(),
      );
    expect(await seenBy(one)).toEqual([{ key: "wamid.a1" }, { key: "wamid.a2" }, { key: "wamid.a0" }]);
    expect(await seenBy(other)).toEqual([{ key: "wamid.b1" }]);
  });

  test("is not stored for numbers that nobody has here, or no longer, which are counted and answered 200", async () => {
    const [unknown] = meta.addBusiness().numbers;
    const over = await newConnected(server, meta, { change: { status: "disconnected", token: null } });
    const ending = await newConnected(server, meta, { change: { status: "disconnecting" } });
    const connected = await newConnected(server, meta);
    const before = await countOf("unknown");
    const payload = webhook.batch(
      ...[unknown, over.number, ending.number].map((number) => webhook.message(number as typeof over.number)),
      webhook.message(connected.number),
    );
    expect(await webhook.send(url, payload)).toMatchObject([{ status: 200 }]);
    expect(await inboxOf(app, over)).toEqual([]);
    expect(await inboxOf(app, ending)).toEqual([]);
    expect(await inboxOf(app, connected)).toHaveLength(1);
    expect(await countOf("unknown")).toBe(before + 3);
  });

  test("is stored, too, while the account is suspended: nothing of it is lost", async () => {
    const connected = await newConnected(server, meta);
    await connected.api.post(`/v1/accounts/${connected.accountId}/suspend`);
    await webhook.send(url, webhook.message(connected.number));
    expect(await inboxOf(app, connected)).toMatchObject([{ state: "waiting" }]);
  });

  test("of a tenant that is erased in the same moment does not keep another's from being stored", async () => {
    const erased = await newConnected(server, meta);
    const connected = await newConnected(server, meta);
    const erasing = app.db.asSystem("superadmin", async (tx) => {
      await tx.deleteFrom("whatsapp_connections").where("id", "=", erased.connectionId).execute();
      await sleep(300);
    });
    await sleep(50);
    const payload = webhook.batch(webhook.message(erased.number), webhook.message(connected.number));
    const [[reply]] = await Promise.all([webhook.send(url, payload), erasing]);
    expect(reply?.status).toBe(200);
    expect(await inboxOf(app, erased)).toEqual([]);
    expect(await inboxOf(app, connected)).toHaveLength(1);
  });

  test("does not share the fate of what it was stored together with", async () => {
    const connected = await newConnected(server, meta);
    const inbox = createWhatsAppInbox(app);
    const updates = (wamid: string) =>
      readUpdates(Buffer.from(JSON.stringify(webhook.message(connected.number, { wamid })))) ?? [];
    // A kind that the table refuses stands for whatever can be wrong with one request.
    const refused = updates("wamid.refused").map((update) => ({ ...update, kind: "nonsense" as "other" }));
    const ends = await Promise.allSettled([
      inbox.store(updates("wamid.first")),
      inbox.store(updates("wamid.second")),
      inbox.store(refused),
      inbox.store(updates("wamid.third")),
    ]);
    expect(ends.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled"]);
    const rows = await inboxOf(app, connected);
    expect(rows.map(({ key }) => key).toSorted()).toEqual(["wamid.first", "wamid.second", "wamid.third"]);
    expect(inbox.counts()).toMatchObject({ stored: 3, repeated: 0, unknown: 0 });
  });

  test("may be 3 MB; what is beyond 4 MB is refused", async () => {
    const connected = await newConnected(server, meta);
    const payload = webhook.large(connected.number);
    expect(JSON.stringify(payload).length).toBeGreaterThan(2_900_000);
    expect(await webhook.send(url, payload)).toMatchObject([{ status: 200 }]);
    expect(await inboxOf(app, connected)).toHaveLength(payload.entry.length);
    const tooLarge = Buffer.alloc(4 * 1024 * 1024 + 1, " ");
    expect(await sendBytes(tooLarge, sign(tooLarge))).toBe(413);
  });
});

describe("a signed body that nobody can read", () => {
  test.each([
    ["no JSON", '{"object":"whatsapp_business_account","entry":['],
    ["nothing", ""],
    ["a number", "7"],
    ["null", "null"],
    ["of another product", '{"object":"instagram","entry":[]}'],
    ["bytes that are no text", Buffer.from([0xff, 0xfe, 0x00])],
  ])("is taken and counted, so that it does not come for days: %s", async (_what, body) => {
    const before = await countOf("unreadable");
    expect(await sendBytes(body, sign(body))).toBe(200);
    expect(await countOf("unreadable")).toBe(before + 1);
  });

  test("in a part of it leaves the rest", async () => {
    const connected = await newConnected(server, meta);
    const good = webhook.message(connected.number).entry;
    const body = JSON.stringify({
      object: "whatsapp_business_account",
      entry: [
        null,
        7,
        { id: 5, changes: "none" },
        { changes: [null, {}, { field: 3, value: {} }, { field: "messages" }] },
        { changes: [{ field: "messages", value: { messages: [1, "x"], statuses: {}, contacts: null } }] },
        { changes: [{ field: "messages", value: { metadata: [], messages: [{}] } }] },
        ...good,
      ],
    });
    expect(await sendBytes(body, sign(body))).toBe(200);
    expect(await inboxOf(app, connected)).toHaveLength(1);
  });

  test("by PostgreSQL, a NUL or half a character, is stored without it", async () => {
    const connected = await newConnected(server, meta);
    const wamid = "wamid.\u0000\ud83d";
    await webhook.send(url, webhook.message(connected.number, { wamid, body: "a\u0000b\ud83dc 🙂" }));
    const rows = await inboxOf(app, connected);
    expect(rows).toMatchObject([{ raw: { message: { text: { body: "ab\ufffdc 🙂" } } } }]);
    expect(rows[0]?.key).toMatch(/^[0-9a-f]{64}$/);
  });
});

test("nothing that a person wrote, and nobody's number or name, is ever logged", async () => {
  const connected = await newConnected(server, meta);
  const person = { from: "16505557777", bsuid: "US.SECRETPERSON", name: "Ermintrude" };
  const payload = webhook.message(connected.number, { ...person, body: "my-diagnosis" });
  await webhook.send(url, payload, { times: 2 });
  await webhook.send(url, payload, { tamper: true });
  const broken = JSON.stringify(payload).slice(0, -3);
  await sendBytes(broken, sign(broken));
  expect(logged.join()).toContain("Meta sent what cannot be read");
  expect(logged.join()).not.toMatch(/16505557777|SECRETPERSON|Ermintrude|my-diagnosis/);
});

test("what is done is forgotten after nine days, and what still waits is not", async () => {
  const connected = await newConnected(server, meta, { world: await newWorld(server) });
  for (const wamid of ["wamid.done", "wamid.waiting", "wamid.young"])
    await webhook.send(url, webhook.message(connected.number, { wamid }));
  const days = (wamid: string, count: number, state: string) =>
    app.db.asSystem("superadmin", (tx) =>
      // Taken away from whoever may be about to answer it here, and not due again.
      sql`update whatsapp_inbox set state = ${state}, received_at = now() - ${`${count} days`}::interval,
        attempts = attempts + 1, lease_until = null, due_at = now() + interval '1 hour'
        where key = ${wamid}`.execute(tx),
    );
  await days("wamid.done", 10, "done");
  await days("wamid.waiting", 10, "waiting");
  await days("wamid.young", 8, "done");
  await forgetOldWhatsApp(app);
  expect((await inboxOf(app, connected)).map(({ key }) => key)).toEqual(["wamid.waiting", "wamid.young"]);
});
