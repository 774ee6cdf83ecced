import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { newWorld, startTestServer, type World } from "../../test/support.ts";
import { record } from "../../test/webhook-support.ts";
import { type Claimed, claimIn } from "./claim.ts";
import { reclaimDeliveries } from "./deliverer.ts";
import { fanOut } from "./fan-out.ts";
import { forgetOldEvents } from "./maintain.ts";
import type { Attempt } from "./send.ts";
import { backoffMs, giveBack, settle } from "./settle.ts";

/** Its own sender is told nothing and finds nothing: it is stopped, so that this test is the only one that claims. */
const server = await startTestServer({}, { deliverer: false });
const { app } = server;

const claim = (free = 64, freeForFailing = 32) =>
  app.db.asSystem("jobs", async (tx) => {
    await fanOut(tx);
    return claimIn(tx, free, freeForFailing);
  });
const arrived: Attempt = { status: 200, ms: 1, error: null, retryAfterMs: null };
const failed: Attempt = { status: 500, ms: 1, error: "It answered 500.", retryAfterMs: null };

async function worldWithEndpoint(): Promise<World & { endpointId: string }> {
  // What other tests left waiting is not to be found.
  await app.db.asSystem("superadmin", (tx) => sql`delete from webhook_endpoints`.execute(tx));
  const world = await newWorld(server);
  const { body } = await world.api.post("/v1/webhook-endpoints", { url: "https://example.com/" });
  return { ...world, endpointId: body.webhook_endpoint.id };
}

async function statusOf({ event_id }: Claimed) {
  return app.db.asSystem("superadmin", (tx) =>
    tx
      .selectFrom("webhook_deliveries")
      .select(["status", "attempts"])
      .where("event_id", "=", event_id)
      .executeTakeFirstOrThrow(),
  );
}

async function endLeases(): Promise<void> {
  await app.db.asSystem("superadmin", (tx) =>
    sql`update webhook_deliveries set due_at = now() where status = 'sending'`.execute(tx),
  );
}

function only([first]: Claimed[]): Claimed {
  if (first === undefined) throw new Error("nothing was claimed");
  return first;
}

describe("a claimed delivery", () => {
  test("belongs to one sender until its lease ends; the one that comes back late changes nothing", async () => {
    const world = await worldWithEndpoint();
    await record(app, world, "d-1");
    const late = only(await claim());
    expect(await claim()).toEqual([]);
    await endLeases();
    const next = only(await claim());
    expect(next).toMatchObject({ event_id: late.event_id, attempts: 2 });
    await settle(app, late, arrived);
    await settle(app, late, failed);
    await giveBack(app, late);
    expect(await statusOf(next)).toEqual({ status: "sending", attempts: 2 });
    await settle(app, next, arrived);
    expect(await statusOf(next)).toEqual({ status: "delivered", attempts: 2 });
    await settle(app, next, failed);
    expect(await statusOf(next)).toEqual({ status: "delivered", attempts: 2 });
    expect(await claim()).toEqual([]);
  });

  test("of a sender that stops, or of a process that is gone, is taken up at once", async () => {
    const world = await worldWithEndpoint();
    await record(app, world, "d-1");
    await giveBack(app, only(await claim()));
    const second = only(await claim());
    expect(second.attempts).toBe(2);
    await reclaimDeliveries(app);
    expect(only(await claim()).attempts).toBe(3);
  });

  test("of an endpoint is one of eight at most, of a failing one of two, and all failing ones have a share only", async () => {
    const world = await worldWithEndpoint();
    for (let i = 0; i < 12; i += 1) await record(app, world, `d-${i}`);
    expect(await claim()).toHaveLength(8);
    expect(await claim()).toEqual([]);
    await app.db.asSystem("superadmin", (tx) =>
      sql`update webhook_endpoints set failing_since = now() - interval '5 minutes'`.execute(tx),
    );
    await endLeases();
    const few = await claim();
    expect(few.map(({ is_failing }) => is_failing)).toEqual([true, true]);
    await endLeases();
    expect(await claim(64, 1)).toHaveLength(1);
    expect(await claim(64, 0)).toEqual([]);
    // Others are not concerned.
    const { body } = await world.api.post("/v1/webhook-endpoints", { url: "https://example.org/" });
    await record(app, world, "new");
    expect((await claim(64, 0)).map(({ endpoint_id }) => endpoint_id)).toEqual([body.webhook_endpoint.id]);
  });

  test("is chosen in turns: an endpoint with much to tell does not keep another waiting", async () => {
    const world = await worldWithEndpoint();
    for (let i = 0; i < 10; i += 1) await record(app, world, `d-${i}`);
    await claim(0);
    const { body } = await world.api.post("/v1/webhook-endpoints", { url: "https://example.org/" });
    await record(app, world, "last");
    const endpoints = (await claim(2)).map(({ endpoint_id }) => endpoint_id);
    expect(new Set(endpoints)).toEqual(new Set([world.endpointId, body.webhook_endpoint.id]));
  });
});

describe("old events", () => {
  test("are forgotten after 30 days; those that nobody asked for after an hour", async () => {
    const world = await worldWithEndpoint();
    const ids = async () => {
      const rows = await app.db.asSystem("superadmin", (tx) =>
        tx
          .selectFrom("webhook_events")
          .select("subject_id")
          .where("partner_id", "=", world.partner.id)
          .execute(),
      );
      return rows.map(({ subject_id }) => subject_id).sort();
    };
    const age = (subject: string, by: string) =>
      app.db.asSystem("superadmin", (tx) =>
        sql`update webhook_events set created_at = created_at - ${by}::interval
          where partner_id = ${world.partner.id} and subject_id = ${subject}`.execute(tx),
      );
    await world.api.patch(`/v1/webhook-endpoints/${world.endpointId}`, { events: ["document.embedded"] });
    await record(app, world, "kept");
    await record(app, world, "old");
    await record(app, world, "unasked", { type: "document.failed" });
    await record(app, world, "unasked-new", { type: "document.failed" });
    await claim();
    await age("kept", "29 days");
    await age("old", "31 days");
    await age("unasked", "2 hours");
    await record(app, world, "unseen", { type: "document.failed" });
    await age("unseen", "2 hours");
    await forgetOldEvents(app);
    expect(await ids()).toEqual(["kept", "unasked-new", "unseen"]);
  });
});

describe("the pause before the next attempt", () => {
  const pause = (retries: number, random: string, retryAfterMs: number | null = null) =>
    backoffMs(
      { ...example, retries, event_id: `0192f0c1-2b3c-7d4e-8f50-61728394${random}` },
      { ...failed, retryAfterMs },
    );
  const example = {
    endpoint_id: "",
    attempts: 1,
    is_failing: false,
    url: "",
    secret: "",
    previous_secret: null,
  } as Claimed;

  test("grows from 5 s to two hours, spread by a quarter", () => {
    const [low, high] = ["0000", "ffff"];
    expect([1, 2, 3, 4, 20].map((retries) => pause(retries, low))).toEqual([
      3_750, 15_000, 60_000, 240_000, 5_400_000,
    ]);
    expect([1, 20].map((retries) => pause(retries, high))).toEqual([6_250, 9_000_000]);
  });

  test("is as long as the receiver asks for, within two hours", () => {
    expect(pause(1, "0000", 60_000)).toBe(45_000);
    expect(pause(3, "0000", 1_000)).toBe(60_000);
    expect(pause(1, "0000", 999_999_000)).toBe(5_400_000);
  });
});
