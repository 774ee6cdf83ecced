import { sql } from "kysely";
import { afterAll, describe, expect, test } from "vitest";
import { waitUntil } from "../../test/fault/process.ts";
import { startWebhookReceiver } from "../../test/simulators/webhook-receiver/webhook-receiver.ts";
import { newWorld, startTestServer, type World } from "../../test/support.ts";
import { arrival, newEndpoint } from "../../test/webhook-support.ts";
import { appendCallEvents } from "./append-call-events.ts";
import type { NewCallEvent } from "./call-events.ts";
import { endCall } from "./end-call.ts";
import { finalizeCallHandler } from "./finalize-call.jobs.ts";
import { openCall } from "./open-call.ts";
import { endLostCalls, reclaimCalls, renewCalls } from "./sweep-calls.ts";
import { callOwner } from "./test-support.ts";

/** Of its own: a sweep looks at every call there is, and a test sets the clock. */
const server = await startTestServer();
const { app } = server;
afterAll(() => server.close());

const T0 = new Date("2026-05-25T12:00:00.000Z");
const at = (seconds: number) => new Date(T0.getTime() + seconds * 1_000);

async function ring(world: World, providerCallId: string | null = null) {
  return openCall(app, callOwner(world), {
    direction: "inbound",
    provider: "twilio",
    providerCallId,
    from: "+390612345678",
    to: "+390600000000",
    numberId: null,
    configuration: null,
    startedAt: T0,
    metadata: { campaign: "spring" },
  });
}

async function answered(world: World, ...more: NewCallEvent[]): Promise<string> {
  const { id } = await ring(world);
  await append(world, id, { kind: "answered", at: at(2) }, ...more);
  return id;
}

const append = (world: World, id: string, ...events: NewCallEvent[]) =>
  appendCallEvents(app, callOwner(world), id, events);
const end = (world: World, id: string, seconds = 62) =>
  endCall(app, callOwner(world), id, { reason: "caller_hung_up", at: at(seconds) });
const show = async (world: World, id: string) =>
  (await world.api.get(`/v1/voice-integration/call-logs/${id}`)).body.call_log;
const usage = async (world: World): Promise<number> =>
  (await world.api.get("/v1/usage")).body.totals.call_seconds;

async function finalized(world: World, id: string) {
  await waitUntil(
    "the call is finalized",
    10_000,
    async () => (await show(world, id)).status === "finalized",
  );
  return show(world, id);
}

async function eventsOf(world: World, id: string) {
  return app.db.asTenant(callOwner(world), (tx) =>
    tx
      .selectFrom("call_events")
      .select(["sequence", "kind"])
      .where("call_id", "=", id)
      .orderBy("sequence")
      .execute(),
  );
}

const ASKED: NewCallEvent = { kind: "caller_said", turnId: "t1", text: "When do you deliver?", at: at(3) };
const SAID: NewCallEvent = { kind: "agent_said", turnId: "t1", text: "Within two days.", at: at(4) };

describe("a call", () => {
  test("that a provider announces twice is one, also at the same moment", async () => {
    const world = await newWorld(server);
    const opened = await Promise.all([1, 2, 3].map(() => ring(world, "CA-once")));
    expect(new Set(opened.map(({ id }) => id)).size).toBe(1);
    expect(opened.filter(({ isNew }) => isNew)).toHaveLength(1);
    await end(world, opened[0]?.id ?? "");
    expect(await ring(world, "CA-once")).toMatchObject({ isNew: false });
  });

  test("is never handed to another workspace by a provider's id", async () => {
    const [world, other] = [await newWorld(server), await newWorld(server)];
    await ring(world, "CA-theirs");
    await expect(ring(other, "CA-theirs")).rejects.toThrow("another workspace's");
  });

  test("rings, is answered, ends and is finalized, with duration, summary and usage counted once", async () => {
    const world = await newWorld(server);
    const { id } = await ring(world);
    expect(await show(world, id)).toMatchObject({ status: "ringing", metadata: { campaign: "spring" } });
    expect(await append(world, id, { kind: "answered", at: at(2) }, ASKED, SAID)).toEqual({
      isLive: true,
      written: 3,
    });
    expect(await show(world, id)).toMatchObject({ status: "in_progress" });
    expect(await end(world, id)).toBe(true);
    const shown = await finalized(world, id);
    expect(shown).toMatchObject({
      duration_seconds: 60,
      summary: "“When do you deliver?” – “Within two days.”",
      ended_by: "caller",
    });
    expect(shown.finalized_at).toMatch(/Z$/);
    expect(await usage(world)).toBe(60);
    await rerunFinalizer(world, id);
    expect(await usage(world)).toBe(60);
    expect(await show(world, id)).toEqual(shown);
  });

  test("that nobody answered took no time and costs no usage", async () => {
    const world = await newWorld(server);
    const { id } = await ring(world);
    await endCall(app, callOwner(world), id, { reason: "caller_gave_up", at: at(20) });
    expect(await finalized(world, id)).toMatchObject({ duration_seconds: 0, summary: null, transcript: [] });
    expect(await usage(world)).toBe(0);
  });

  test("whose end is told before its beginning by another clock took no negative time", async () => {
    const world = await newWorld(server);
    const id = await answered(world);
    await end(world, id, -30);
    expect(await show(world, id)).toMatchObject({
      duration_seconds: 0,
      ended_at: "2026-05-25T12:00:02.000Z",
    });
  });

  test("tells partners of both ends once each, in order, without what was said", async () => {
    const world = await newWorld(server);
    const receiver = await startWebhookReceiver();
    try {
      const endpoint = await newEndpoint(world.api, receiver);
      const id = await answered(world, ASKED);
      await Promise.all([end(world, id), end(world, id), end(world, id)]);
      await arrival(receiver, endpoint, 2);
      await rerunFinalizer(world, id);
      const events = receiver.accepted(endpoint.name);
      expect(events.map(({ type }) => type)).toEqual(["call.ended", "call.finalized"]);
      expect(events).toMatchObject([
        { data: { call_id: id, ended_reason: "caller_hung_up", ended_by: "caller" } },
        { data: { call_id: id, duration_seconds: 60 } },
      ]);
      expect(JSON.stringify(events)).not.toContain("deliver");
    } finally {
      await receiver.close();
    }
  });

  test("ends once, whoever ends it and however often: the first end counts", async () => {
    const world = await newWorld(server);
    const id = await answered(world, ASKED, SAID);
    const ends = await Promise.all(
      (["caller_hung_up", "goodbye", "carrier_failed"] as const).map((reason) =>
        endCall(app, callOwner(world), id, { reason, at: at(62) }),
      ),
    );
    expect(ends.filter(Boolean)).toHaveLength(1);
    const shown = await finalized(world, id);
    expect(await end(world, id, 90)).toBe(false);
    expect(await show(world, id)).toEqual(shown);
    expect((await eventsOf(world, id)).filter(({ kind }) => kind === "ended")).toHaveLength(1);
  });

  test("that was erased while it went on is over, and nothing comes of what is written then", async () => {
    const world = await newWorld(server);
    const id = await answered(world);
    await app.db.asTenant(callOwner(world), (tx) => tx.deleteFrom("calls").where("id", "=", id).execute());
    expect(await append(world, id, ASKED)).toEqual({ isLive: false, written: 0 });
    expect(await end(world, id)).toBe(false);
  });
});

describe("what happens during a call", () => {
  test("is numbered by us without gaps, whoever writes at the same moment", async () => {
    const world = await newWorld(server);
    const id = await answered(world);
    await Promise.all(Array.from({ length: 8 }, () => append(world, id, ASKED, SAID)));
    const sequences = (await eventsOf(world, id)).map(({ sequence }) => sequence);
    expect(sequences).toEqual(Array.from({ length: 17 }, (_, index) => index + 1));
  });

  test("cannot be changed afterwards, not even by us", async () => {
    const world = await newWorld(server);
    const id = await answered(world, ASKED);
    const change = sql`update call_events set data = '{}' where call_id = ${id}`;
    await expect(app.db.asTenant(callOwner(world), (tx) => change.execute(tx))).rejects.toThrow("permission");
    await expect(app.db.asSystem("superadmin", (tx) => change.execute(tx))).rejects.toThrow("permission");
  });

  test("and is reported twice by a provider is written once, in whatever order it comes", async () => {
    const world = await newWorld(server);
    const id = await answered(world);
    const status = (name: string): NewCallEvent => ({
      kind: "provider_status",
      status: name,
      key: `status:${name}`,
      at: at(1),
    });
    const [a, b] = [status("completed"), status("ringing")];
    const written = await Promise.all([
      append(world, id, a, b, a),
      append(world, id, b),
      append(world, id, a),
    ]);
    expect(written.reduce((sum, one) => sum + one.written, 0)).toBe(2);
  });

  test("after its end is refused, but for bills and recordings, which add to it and tell nobody anew", async () => {
    const world = await newWorld(server);
    const id = await answered(world, ASKED, SAID);
    await end(world, id);
    const before = await finalized(world, id);
    expect(await append(world, id, SAID, { kind: "answered", at: at(99) })).toEqual({
      isLive: false,
      written: 0,
    });
    expect(await show(world, id)).toEqual(before);
    const recording: NewCallEvent = {
      kind: "recording",
      url: "https://carrier.example.com/recordings/1",
      key: "recording:1",
      at: at(99),
    };
    const cost: NewCallEvent = {
      kind: "cost",
      item: "carrier",
      amount: 0.0085,
      currency: "USD",
      key: "cost:carrier",
      at: at(99),
    };
    expect(await append(world, id, recording, cost)).toEqual({ isLive: false, written: 2 });
    expect(await append(world, id, cost, recording)).toEqual({ isLive: false, written: 0 });
    expect(await show(world, id)).toEqual({
      ...before,
      recording_url: "https://carrier.example.com/recordings/1",
      cost: {
        amount: 0.0085,
        currency: "USD",
        items: [{ item: "carrier", amount: 0.0085, currency: "USD" }],
      },
    });
  });
});

describe("a call whose process died", () => {
  test("is ended with what was written of it, and finalized", async () => {
    const world = await newWorld(server);
    const lost = await answered(world, ASKED, SAID);
    const { id: unanswered } = await ring(world);
    const alive = await answered(world);
    await forget(lost, unanswered);
    expect(await endLostCalls(app)).toBe(2);
    expect(await finalized(world, lost)).toMatchObject({
      ended_reason: "process_lost",
      ended_by: "platform",
      summary: "“When do you deliver?” – “Within two days.”",
      transcript: [{ role: "user" }, { role: "assistant" }],
    });
    expect(await finalized(world, unanswered)).toMatchObject({ ended_reason: "never_connected" });
    expect(await show(world, alive)).toMatchObject({ status: "in_progress" });
    expect(await endLostCalls(app)).toBe(0);
    expect(await append(world, lost, ASKED)).toEqual({ isLive: false, written: 0 });
  });

  test("is not one in which nothing happens, as long as its process says so", async () => {
    const world = await newWorld(server);
    const id = await answered(world);
    await forget(id);
    await renewCalls(app, [id]);
    expect(await endLostCalls(app)).toBe(0);
    await forget(id);
    await append(world, id, ASKED);
    expect(await endLostCalls(app)).toBe(0);
    await end(world, id);
    await renewCalls(app, [id]);
    expect((await show(world, id)).status).not.toBe("in_progress");
  });

  test("is ended once by many sweeps at the same moment", async () => {
    const world = await newWorld(server);
    const ids = [await answered(world), await answered(world), await answered(world)];
    await forget(...ids);
    const ended = await Promise.all([endLostCalls(app), endLostCalls(app), endLostCalls(app)]);
    expect(ended.reduce((sum, one) => sum + one, 0)).toBe(3);
  });

  test("is ended at once when the embedded database starts: it has no other process", async () => {
    const world = await newWorld(server);
    const id = await answered(world, ASKED);
    expect(await reclaimCalls(app)).toBeGreaterThanOrEqual(1);
    expect(await show(world, id)).toMatchObject({ ended_reason: "process_lost" });
  });
});

/** As if their process had not been heard of for longer than a minute. */
async function forget(...ids: string[]): Promise<void> {
  await app.db.asSystem("superadmin", (tx) =>
    tx
      .updateTable("calls")
      .set({ lease_until: new Date(app.now().getTime() - 1) })
      .where("id", "in", ids)
      .execute(),
  );
}

/** As a worker does whose first attempt was not known to have ended. */
async function rerunFinalizer(world: World, callId: string): Promise<void> {
  const { partnerId, accountId, organizationId } = callOwner(world);
  const result = await finalizeCallHandler(app, {
    id: app.newId(),
    partnerId,
    accountId,
    organizationId,
    payload: { callId },
    attempt: 2,
    isLastAttempt: false,
    signal: new AbortController().signal,
    progress: async () => undefined,
  });
  expect(result).toEqual({ finalized: false });
}
