import { sql } from "kysely";
import { Webhook } from "standardwebhooks";
import { afterAll, describe, expect, test } from "vitest";
import { expectProblem } from "../../test/expectations.ts";
import { waitUntil } from "../../test/fault/process.ts";
import {
  type ReceivedEvent,
  startWebhookReceiver,
} from "../../test/simulators/webhook-receiver/webhook-receiver.ts";
import { client, hex, newWorld, startTestServer, testDatabase, testServer } from "../../test/support.ts";
import {
  arrival,
  deliveriesOf,
  deliveryWhen,
  hurry,
  newEndpoint,
  record,
  type TestEndpoint,
  tenantOf,
} from "../../test/webhook-support.ts";
import { recordEvent } from "./record-event.ts";

const server = await testServer();
const { app } = server;
const receiver = await startWebhookReceiver();
afterAll(() => receiver.close());

const requestsTo = ({ name }: TestEndpoint) =>
  receiver.requests.filter(({ path }) => path === `/hooks/${name}`);

describe("an event", () => {
  test("arrives signed, with its subject, and is written down as delivered", async () => {
    const world = await newWorld(server);
    const endpoint = await newEndpoint(world.api, receiver);
    await record(app, world, "d-1", { data: { document_id: "d-1", workspace: "support" } });
    const [event] = await arrival(receiver, endpoint, 1);
    const [request] = requestsTo(endpoint);
    expect(event).toEqual({
      id: request?.headers["webhook-id"],
      type: "document.embedded",
      timestamp: expect.any(String),
      account_id: world.accountId,
      organization_id: world.organizationId,
      workspace_id: world.workspaceId,
      subject: { kind: "document", id: "d-1" },
      sequence: 1,
      data: { document_id: "d-1", workspace: "support" },
    });
    expect(request?.headers["user-agent"]).toMatch(/^LumenOne\//);
    const delivery = await deliveryWhen(world.api, endpoint, ({ status }) => status === "delivered");
    expect(delivery).toEqual({
      id: event?.id,
      account_id: world.accountId,
      event_type: "document.embedded",
      subject: { kind: "document", id: "d-1" },
      sequence: 1,
      status: "delivered",
      attempts: 1,
      response_status: 200,
      response_ms: expect.any(Number),
      error: null,
      next_attempt_at: null,
      last_attempt_at: expect.any(String),
      delivered_at: expect.any(String),
      created_at: event?.timestamp,
    });
  });

  test("of a transaction that is rolled back never was", async () => {
    const world = await newWorld(server);
    const endpoint = await newEndpoint(world.api, receiver);
    const undone = app.db.asTenant(
      { partnerId: world.partner.id, accountId: world.accountId },
      async (tx) => {
        const subject = { kind: "document", id: "undone" };
        await recordEvent(app, tx, tenantOf(world), { type: "document.embedded", subject, data: {} });
        throw new Error("undone");
      },
    );
    await expect(undone).rejects.toThrow("undone");
    await record(app, world, "done");
    const events = await arrival(receiver, endpoint, 1);
    expect(events.map(({ subject }) => subject.id)).toEqual(["done"]);
    expect(await deliveriesOf(world.api, endpoint)).toHaveLength(1);
  });

  test("of a partner without any endpoint leaves nothing behind", async () => {
    const world = await newWorld(server);
    await record(app, world, "d-1");
    const rows = await app.db.asSystem("superadmin", async (tx) => [
      ...(await tx
        .selectFrom("webhook_events")
        .select("id")
        .where("partner_id", "=", world.partner.id)
        .execute()),
      ...(await tx
        .selectFrom("webhook_sequences")
        .select("sequence")
        .where("partner_id", "=", world.partner.id)
        .execute()),
    ]);
    expect(rows).toEqual([]);
  });

  test("goes to those who asked for it: by type, by account, and to the partner's", async () => {
    const first = await newWorld(server);
    const second = await newWorld(server, first.partner);
    const stranger = await newWorld(server);
    const whole = client(server.url, first.partner.key);
    const endpoints = {
      all: await newEndpoint(whole, receiver),
      failures: await newEndpoint(whole, receiver, { events: ["document.failed"] }),
      firsts: await newEndpoint(first.api, receiver),
      seconds: await newEndpoint(second.api, receiver),
      strangers: await newEndpoint(stranger.api, receiver),
    };
    await record(app, first, "a", { type: "document.embedded" });
    await record(app, first, "b", { type: "document.failed" });
    await record(app, second, "c", { type: "document.failed" });
    await arrival(receiver, endpoints.all, 3);
    await arrival(receiver, endpoints.failures, 2);
    await arrival(receiver, endpoints.firsts, 2);
    await arrival(receiver, endpoints.seconds, 1);
    const seen = Object.entries(endpoints).map(([who, { name }]) => [
      who,
      receiver
        .accepted(name)
        .map(({ subject }) => subject.id)
        .sort()
        .join(""),
    ]);
    expect(Object.fromEntries(seen)).toEqual({
      all: "abc",
      failures: "bc",
      firsts: "ab",
      seconds: "c",
      strangers: "",
    });
  });

  test("is numbered within its subject in the order of commits, also when many are recorded at once", async () => {
    const world = await newWorld(server);
    const endpoint = await newEndpoint(world.api, receiver);
    const numbers = Array.from({ length: 20 }, (_, i) => i);
    await Promise.all(
      numbers.flatMap((i) => [record(app, world, "x", { data: { i } }), record(app, world, "y")]),
    );
    const events = await arrival(receiver, endpoint, 40);
    for (const id of ["x", "y"]) {
      const own = events.filter(({ subject }) => subject.id === id).map(({ sequence }) => sequence);
      expect(own.sort((a, b) => a - b)).toEqual(numbers.map((i) => i + 1));
    }
    expect(new Set(events.map(({ id }) => id)).size).toBe(40);
  });

  test("of a suspended account is still told: it is the partner who listens", async () => {
    const world = await newWorld(server);
    const whole = client(server.url, world.partner.key);
    const endpoint = await newEndpoint(whole, receiver);
    await whole.post(`/v1/accounts/${world.accountId}/suspend`);
    await record(app, world, "d-1");
    await arrival(receiver, endpoint, 1);
  });
});

describe("a failed attempt", () => {
  test.each([
    ["an error of the receiver", { kind: "status", status: 500 }, 500, "It answered 500."],
    [
      "a redirect, which is not followed",
      { kind: "status", status: 307, headers: { location: "/hooks/other" } },
      307,
      "It answered 307.",
    ],
    ["a broken connection", { kind: "reset" }, null, "The link cannot be reached or broke off (ECONNRESET)."],
  ] as const)("is repeated under the same id until it arrives: %s", async (_what, fault, status, error) => {
    const world = await newWorld(server);
    const endpoint = await newEndpoint(world.api, receiver);
    receiver.fail({ fault: { ...fault }, times: 2, path: endpoint.name });
    await record(app, world, "d-1");
    for (const attempts of [1, 2]) {
      const failed = await deliveryWhen(
        world.api,
        endpoint,
        (delivery) => delivery.status === "pending" && delivery.attempts === attempts,
      );
      expect(failed).toMatchObject({ response_status: status, error, delivered_at: null });
      const delayMs = Date.parse(failed.next_attempt_at) - Date.parse(failed.last_attempt_at);
      expect(delayMs).toBeGreaterThan(3_700 * 4 ** (attempts - 1));
      expect(delayMs).toBeLessThan(6_600 * 4 ** (attempts - 1));
      const { webhook_endpoint: shown } = (await world.api.get(`/v1/webhook-endpoints/${endpoint.id}`)).body;
      expect(shown.failing_since).not.toBeNull();
      await hurry(app, endpoint);
    }
    await deliveryWhen(world.api, endpoint, (delivery) => delivery.status === "delivered");
    // Where the answer was lost, it had arrived before: the same id tells the receiver.
    expect(new Set(receiver.accepted(endpoint.name).map(({ id }) => id)).size).toBe(1);
    const sent = requestsTo(endpoint);
    expect(sent).toHaveLength(3);
    expect(new Set(sent.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    expect(new Set(sent.map(({ body }) => body.toString())).size).toBe(1);
    const { webhook_endpoint: recovered } = (await world.api.get(`/v1/webhook-endpoints/${endpoint.id}`))
      .body;
    expect(recovered.failing_since).toBeNull();
  });

  test("does not hold up other events of the endpoint, nor other endpoints; one that hangs is given up after 15 s", async () => {
    const world = await newWorld(server);
    const [hanging, partly, healthy] = [
      await newEndpoint(world.api, receiver),
      await newEndpoint(world.api, receiver),
      await newEndpoint(world.api, receiver),
    ];
    receiver.fail({ fault: { kind: "slow", ms: 20_000 }, path: hanging.name });
    receiver.answerWith((event, name) => (name === partly.name && event.subject.id === "poison" ? 503 : 200));
    const started = performance.now();
    await record(app, world, "poison");
    for (let i = 0; i < 30; i += 1) await record(app, world, `d-${i}`);
    expect(await arrival(receiver, healthy, 31)).toHaveLength(31);
    expect(await arrival(receiver, partly, 30)).toHaveLength(30);
    expect(performance.now() - started).toBeLessThan(8_000);
    expect(requestsTo(hanging).length).toBeLessThanOrEqual(8);
    await waitUntil("the first were given up", 25_000, async () => {
      const all = await deliveriesOf(world.api, hanging, "?status=pending");
      return all.some(({ attempts }) => attempts === 1);
    });
    expect(performance.now() - started).toBeGreaterThan(14_500);
    const late = (await deliveriesOf(world.api, hanging)).find(
      ({ attempts, status }) => status === "pending" && attempts === 1,
    );
    expect(late).toMatchObject({
      response_status: null,
      error: "The link did not answer in full within 15000 ms.",
    });
    await world.api.delete(`/v1/webhook-endpoints/${hanging.id}`);
    receiver.answerWith(() => 200);
  }, 60_000);

  test("of an address that is not public says so", async () => {
    const world = await newWorld(server);
    const { body } = await world.api.post("/v1/webhook-endpoints", { url: "https://10.0.0.1/hooks" });
    await record(app, world, "d-1");
    const endpoint = { id: body.webhook_endpoint.id, name: "", secret: "" };
    const failed = await deliveryWhen(
      world.api,
      endpoint,
      ({ attempts, status }) => attempts > 0 && status === "pending",
    );
    expect(failed.error).toBe("The link does not lead to the public internet.");
  });

  test("after 24 h is the last: the event is given up, and the endpoint stays while others arrived in three days", async () => {
    const world = await newWorld(server);
    const endpoint = await newEndpoint(world.api, receiver);
    receiver.fail({ fault: { kind: "status", status: 500 }, path: endpoint.name });
    await record(app, world, "d-1");
    await deliveryWhen(world.api, endpoint, ({ status, attempts }) => status === "pending" && attempts === 1);
    await age(endpoint, "25 hours");
    await hurry(app, endpoint);
    const failed = await deliveryWhen(world.api, endpoint, ({ status }) => status === "failed");
    expect(failed).toMatchObject({ attempts: 2, next_attempt_at: null });
    const { webhook_endpoint: shown } = (await world.api.get(`/v1/webhook-endpoints/${endpoint.id}`)).body;
    expect(shown).toMatchObject({ status: "enabled", failing_since: expect.any(String) });
  });
});

describe("an endpoint", () => {
  test("that nothing reached for three days is disabled, with a notice, and catches up by a replay", async () => {
    const world = await newWorld(server);
    const endpoint = await newEndpoint(world.api, receiver);
    const other = await newEndpoint(world.api, receiver, { events: ["endpoint.disabled"] });
    receiver.fail({ fault: { kind: "status", status: 500 }, times: 2, path: endpoint.name });
    await record(app, world, "d-1");
    await deliveryWhen(world.api, endpoint, ({ status, attempts }) => status === "pending" && attempts === 1);
    await age(endpoint, "73 hours");
    await hurry(app, endpoint);
    await expectDisabled(world, endpoint, other, "failing");
    expectProblem(
      await world.api.post(`/v1/webhook-endpoints/${endpoint.id}/replay`, { since: ago(1) }),
      "conflict",
    );

    await record(app, world, "d-2");
    const held = await deliveryWhen(world.api, endpoint, ({ subject }) => subject.id === "d-2");
    expect(held).toMatchObject({ status: "held", attempts: 0, next_attempt_at: null });
    const path = `/v1/webhook-endpoints/${endpoint.id}`;
    expectProblem(await world.api.post(`${path}/deliveries/${held.id}/replay`), "conflict");
    expect((await world.api.post(`${path}/enable`)).body.webhook_endpoint).toMatchObject({
      status: "enabled",
      failing_since: null,
    });
    await record(app, world, "d-3");
    await arrival(receiver, endpoint, 1);
    expect((await world.api.post(`${path}/replay`, { since: ago(1) })).body).toEqual({
      success: true,
      replayed: 2,
    });
    const events = await arrival(receiver, endpoint, 3);
    expect(events.map(({ subject }) => subject.id).sort()).toEqual(["d-1", "d-2", "d-3"]);
    await waitUntil("all are delivered", 5_000, async () =>
      (await deliveriesOf(world.api, endpoint)).every(({ status }) => status === "delivered"),
    );
    const again = { since: ago(1), include_delivered: true };
    expect((await world.api.post(`${path}/replay`, again)).body.replayed).toBe(3);
    await arrival(receiver, endpoint, 6);
    expect((await world.api.post(`${path}/replay`, { since: ago(-1) })).body.replayed).toBe(0);
  });

  test("that answers 410 is disabled at once", async () => {
    const world = await newWorld(server);
    const endpoint = await newEndpoint(world.api, receiver);
    const other = await newEndpoint(client(server.url, world.partner.key), receiver, {
      events: ["endpoint.disabled"],
    });
    receiver.fail({ fault: { kind: "status", status: 410 }, path: endpoint.name });
    await Promise.all([record(app, world, "d-1"), record(app, world, "d-2")]);
    await expectDisabled(world, endpoint, other, "gone");
    expect(receiver.accepted(other.name)).toHaveLength(1);
  });

  test("whose secret was rotated is signed for with both, then with the new one only", async () => {
    const world = await newWorld(server);
    const endpoint = await newEndpoint(world.api, receiver);
    const { secret } = (await world.api.post(`/v1/webhook-endpoints/${endpoint.id}/rotate-secret`)).body;
    await record(app, world, "d-1");
    await arrival(receiver, endpoint, 1);
    await app.db.asSystem("superadmin", (tx) =>
      sql`update webhook_endpoints set previous_secret_until = now() where id = ${endpoint.id}`.execute(tx),
    );
    receiver.learn(endpoint.name, secret);
    await record(app, world, "d-2");
    await arrival(receiver, endpoint, 2);
    const [both, one] = requestsTo(endpoint);
    const verify = (request: typeof both, key: string) =>
      new Webhook(key).verify(request?.body ?? "", {
        "webhook-id": String(request?.headers["webhook-id"]),
        "webhook-timestamp": String(request?.headers["webhook-timestamp"]),
        "webhook-signature": String(request?.headers["webhook-signature"]),
      });
    expect(verify(both, secret)).toEqual(verify(both, endpoint.secret));
    expect(verify(one, secret)).toMatchObject({ subject: { id: "d-2" } });
    expect(() => verify(one, endpoint.secret)).toThrow("No matching signature");
  });

  test("lists its deliveries in pages and by filters, and replays one of them", async () => {
    const world = await newWorld(server);
    const endpoint = await newEndpoint(world.api, receiver);
    for (const id of ["a", "b", "c", "d", "e"])
      await record(app, world, id, { type: id < "c" ? "document.failed" : "document.embedded" });
    await arrival(receiver, endpoint, 5);
    const ids = async (query: string) =>
      (await deliveriesOf(world.api, endpoint, query)).map(({ subject }) => subject.id).join("");
    expect(await ids("?event_type=document.failed")).toBe("ba");
    expect(await ids("?subject_id=c")).toBe("c");
    expect(await ids("?status=failed")).toBe("");
    expect(await ids(`?from=${ago(1)}`)).toBe("edcba");
    expect(await ids(`?to=${ago(1)}`)).toBe("");
    const path = `/v1/webhook-endpoints/${endpoint.id}/deliveries`;
    let seen = "";
    let cursor = "";
    do {
      const { body } = await world.api.get(`${path}?limit=2${cursor}`);
      seen += body.deliveries.map(({ subject }: ReceivedEvent) => subject.id).join("");
      cursor = body.next_cursor === null ? "" : `&cursor=${body.next_cursor}`;
    } while (cursor !== "");
    expect(seen).toBe("edcba");

    const first = await deliveryWhen(world.api, endpoint, ({ status }) => status === "delivered");
    const replayed = await world.api.post(`${path}/${first.id}/replay`);
    expect(replayed.body.delivery).toMatchObject({ id: first.id, status: "pending", delivered_at: null });
    const events = await arrival(receiver, endpoint, 6);
    expect(events[5]).toEqual(events.find(({ id }) => id === first.id));
    expectProblem(await world.api.post(`${path}/0192f0c1-2b3c-7d4e-8f50-61728394a5b6/replay`), "not_found");
  });

  test("goes with its account; events go with their workspace", async () => {
    const world = await newWorld(server);
    const endpoint = await newEndpoint(world.api, receiver);
    await record(app, world, "d-1");
    await arrival(receiver, endpoint, 1);
    const count = async () => {
      const { rows } = await app.db.asSystem("superadmin", (tx) =>
        sql<{
          table: string;
          rows: number;
        }>`select 'endpoints' as table, count(*) as rows from webhook_endpoints where partner_id = ${world.partner.id}
          union all select 'events', count(*) from webhook_events where partner_id = ${world.partner.id}
          union all select 'sequences', count(*) from webhook_sequences where partner_id = ${world.partner.id}
          union all select 'deliveries', count(*) from webhook_deliveries where partner_id = ${world.partner.id}`.execute(
          tx,
        ),
      );
      return rows.map((row) => `${row.table} ${row.rows}`);
    };
    expect(await count()).toEqual(["endpoints 1", "events 1", "sequences 1", "deliveries 1"]);
    expect((await world.api.delete(`/v1/workspace/${hex(world.workspaceSlug)}`)).status).toBe(200);
    // A document may be in other workspaces, and goes on being numbered.
    expect(await count()).toEqual(["endpoints 1", "events 0", "sequences 1", "deliveries 0"]);
    await app.db.asTenant({ partnerId: world.partner.id, accountId: world.accountId }, (tx) =>
      recordEvent(
        app,
        tx,
        { ...tenantOf(world), workspaceId: null },
        { type: "document.failed", subject: { kind: "document", id: "d-1" }, data: {} },
      ),
    );
    expect((await arrival(receiver, endpoint, 2))[1]).toMatchObject({ sequence: 2, workspace_id: null });
    const whole = client(server.url, world.partner.key);
    expect((await whole.delete(`/v1/accounts/${world.accountId}`, { confirm: "Acme" })).status).toBe(200);
    expect(await count()).toEqual(["endpoints 0", "events 0", "sequences 0", "deliveries 0"]);
  });
});

describe("a sender that is told to stop", () => {
  test("does not wait for a receiver that hangs; the event is sent again at once by the next", async () => {
    const environment = await testDatabase();
    const first = await startTestServer(environment);
    const world = await newWorld(first);
    const endpoint = await newEndpoint(world.api, receiver);
    receiver.fail({ fault: { kind: "slow", ms: 5_000 }, times: 1, path: endpoint.name });
    await record(first.app, world, "d-1");
    await waitUntil("it was sent", 5_000, () => requestsTo(endpoint).length === 1);
    const started = performance.now();
    await first.close();
    expect(performance.now() - started).toBeLessThan(3_000);
    const next = await startTestServer(environment);
    await waitUntil("it was sent again", 5_000, () => requestsTo(endpoint).length === 2);
    const api = client(next.url, world.partner.key, world.accountId);
    const delivery = await deliveryWhen(api, endpoint, ({ status }) => status === "delivered");
    expect(delivery.attempts).toBe(2);
    await next.close();
  });
});

/** As if its deliveries had been queued, and its failures begun, so long ago. */
async function age(endpoint: TestEndpoint, by: string): Promise<void> {
  await app.db.asSystem("superadmin", async (tx) => {
    await sql`update webhook_deliveries set queued_at = queued_at - ${by}::interval where endpoint_id = ${endpoint.id}`.execute(
      tx,
    );
    await sql`update webhook_endpoints set failing_since = failing_since - ${by}::interval where id = ${endpoint.id}`.execute(
      tx,
    );
  });
}

async function expectDisabled(
  world: Awaited<ReturnType<typeof newWorld>>,
  endpoint: TestEndpoint,
  other: TestEndpoint,
  reason: string,
): Promise<void> {
  const [notice] = await arrival(receiver, other, 1);
  expect(notice).toMatchObject({
    type: "endpoint.disabled",
    account_id: world.accountId,
    subject: { kind: "webhook_endpoint", id: endpoint.id },
    data: { reason },
  });
  const { webhook_endpoint: shown } = (await world.api.get(`/v1/webhook-endpoints/${endpoint.id}`)).body;
  expect(shown).toMatchObject({
    status: "disabled",
    disabled_reason: reason,
    disabled_at: expect.any(String),
  });
  const trail = (
    await world.api.get(`/v1/audit-events?action=webhook_endpoint.disabled&resource_id=${endpoint.id}`)
  ).body;
  expect(trail.audit_events).toMatchObject([{ actor: { kind: "system", id: null }, details: { reason } }]);
}

/** An hour ago, and the like. */
function ago(hours: number): string {
  return new Date(Date.now() - hours * 3_600_000).toISOString();
}
