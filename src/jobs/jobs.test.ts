import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { eventsOf, expectProblem } from "../../test/expectations.ts";
import { client, hex, newKey, newWorld, startTestServer, type World } from "../../test/support.ts";
import type { NewJob } from "./queue.ts";
import { JobFailure, type JobHandler, JobRetry } from "./worker.ts";

/** Lets a handler wait until a test says so. */
function createGate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { wait: promise, open: resolve };
}

const gates = new Map<string, ReturnType<typeof createGate>>();
const ran: string[] = [];

const jobHandlers: Record<string, JobHandler> = {
  async count(_app, job) {
    for (let done = 1; done <= 3; done += 1) {
      await job.progress({ done, total: 3 });
      await gates.get(`${job.id} ${done}`)?.wait;
    }
    return { counted: 3 };
  },
  async refuse() {
    throw new JobFailure("file_unreadable", "The file is encrypted. Send it without a password.");
  },
  async crash(_app, job) {
    throw new Error(`secret inside of ${job.id}`);
  },
  async depend(_app, job) {
    if (job.attempt < 3) throw new JobRetry("provider_down", "The provider answered 503.", { withinMs: 100 });
    return "at last";
  },
  async limp(_app, job) {
    ran.push(`${job.id} ${job.attempt}`);
    if (job.attempt === 1) throw new Error("not yet");
    return "at last";
  },
  async patient(_app, job) {
    await new Promise<void>((resolve) => job.signal.addEventListener("abort", () => resolve()));
    job.signal.throwIfAborted();
  },
};

const server = await startTestServer({}, { jobHandlers });
const { app } = server;

async function enqueue(
  { partner, accountId }: World,
  kind: string,
  more: Partial<NewJob> = {},
): Promise<string> {
  const job: NewJob = { kind, partnerId: partner.id, accountId, organizationId: null, payload: {}, ...more };
  return app.db.asTenant({ partnerId: partner.id, accountId }, (tx) => app.queue.enqueue(tx, job));
}

/** Asks for the job until it is as wanted. */
async function until({ api }: World, id: string, wanted: (job: Record<string, unknown>) => boolean) {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const { body } = await api.get(`/v1/jobs/${id}`);
    if (wanted(body.job)) return body.job;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`job ${id} did not come to what was awaited`);
}

describe("a job", () => {
  test("is given up when every attempt has begun and none has ended, as when it ends the process", async () => {
    const world = await newWorld(server);
    const id = await app.db.asTenant(
      { partnerId: world.partner.id, accountId: world.accountId },
      async (tx) => {
        const job = { kind: "limp", partnerId: world.partner.id, accountId: world.accountId, payload: {} };
        const made = await app.queue.enqueue(tx, { ...job, organizationId: null, maxAttempts: 1 });
        return made;
      },
    );
    await until(world, id, ({ status }) => status === "failed");
    await app.db.asSystem("jobs", (tx) =>
      tx
        .updateTable("jobs")
        .set({ status: "running", attempts: 1, due_at: sql`now()`, finished_at: null })
        .where("id", "=", id)
        .execute(),
    );
    const job = await until(world, id, ({ status }) => status === "failed");
    expect(job.error).toMatchObject({ code: "gave_up" });
    expect(ran.filter((line) => line.startsWith(id))).toHaveLength(1);
  });

  test("tells how far it is, and at the end what came of it", async () => {
    const world = await newWorld(server);
    const lane = { organizationId: world.organizationId };
    const id = await app.db.asTenant(
      { partnerId: world.partner.id, accountId: world.accountId },
      async (tx) => {
        const job = {
          kind: "count",
          partnerId: world.partner.id,
          accountId: world.accountId,
          payload: {},
          ...lane,
        };
        const made = await app.queue.enqueue(tx, job);
        gates.set(`${made} 2`, createGate());
        return made;
      },
    );
    const half = await until(world, id, (job) => JSON.stringify(job.progress) === '{"done":2,"total":3}');
    expect(half).toMatchObject({
      kind: "count",
      status: "running",
      attempts: 1,
      result: null,
      finished_at: null,
    });
    gates.get(`${id} 2`)?.open();
    expect(await until(world, id, (job) => job.status === "succeeded")).toMatchObject({
      progress: { done: 3, total: 3 },
      result: { counted: 3 },
      error: null,
      finished_at: expect.any(String),
    });
  });

  test("is followed as server-sent events, each a change, the last its end", async () => {
    const world = await newWorld(server);
    const id = await app.db.asTenant(
      { partnerId: world.partner.id, accountId: world.accountId },
      async (tx) => {
        const base = {
          partnerId: world.partner.id,
          accountId: world.accountId,
          organizationId: null,
          payload: {},
        };
        const made = await app.queue.enqueue(tx, { kind: "count", ...base });
        gates.set(`${made} 1`, createGate());
        return made;
      },
    );
    await until(world, id, (job) => job.status === "running");
    const following = world.api.get(`/v1/jobs/${id}/events`);
    setTimeout(() => gates.get(`${id} 1`)?.open(), 300);
    const reply = await following;
    expect(reply.status).toBe(200);
    expect(reply.headers.get("cache-control")).toBe("no-cache, no-transform");
    expect(reply.headers.get("x-request-id")).toBeTruthy();
    const events = eventsOf(reply).map((event) => Object(event));
    expect(events[0]).toMatchObject({ id, status: "running", progress: { done: 1 } });
    expect(events.at(-1)).toMatchObject({ id, status: "succeeded", result: { counted: 3 } });
    expect(new Set(events.map((event) => JSON.stringify(event))).size).toBe(events.length);
  });

  test("whose client goes away goes on, and so does the server", async () => {
    const world = await newWorld(server);
    const id = await enqueue(world, "patient");
    await until(world, id, (job) => job.status === "running");
    const leaving = new AbortController();
    const response = await fetch(`${server.url}/api/v1/jobs/${id}/events`, {
      headers: { authorization: `Bearer ${world.partner.key}` },
      signal: leaving.signal,
    });
    expect(response.status).toBe(200);
    leaving.abort();
    expect((await world.api.get(`/v1/jobs/${id}`)).body.job.status).toBe("running");
  });

  test("that cannot succeed fails at once, with the reason in a sentence", async () => {
    const world = await newWorld(server);
    const id = await enqueue(world, "refuse");
    expect(await until(world, id, (job) => job.status === "failed")).toMatchObject({
      attempts: 1,
      error: { code: "file_unreadable", message: "The file is encrypted. Send it without a password." },
      result: null,
      finished_at: expect.any(String),
    });
  });

  test("that fails by our fault says nothing of its inside, and is given up after its last attempt", async () => {
    const world = await newWorld(server);
    const id = await enqueue(world, "crash", { maxAttempts: 1 });
    const job = await until(world, id, ({ status }) => status === "failed");
    expect(job.error).toMatchObject({ code: "internal" });
    expect(JSON.stringify(job)).not.toContain("secret inside");
  });

  test("that somebody else's fault holds up says so meanwhile, and is tried again as soon as its handler says", async () => {
    const world = await newWorld(server);
    const id = await enqueue(world, "depend");
    const waiting = await until(world, id, ({ status, attempts }) => status === "queued" && attempts !== 0);
    expect(waiting.error).toEqual({ code: "provider_down", message: "The provider answered 503." });
    const done = await until(world, id, ({ status }) => status === "succeeded");
    expect(done).toMatchObject({ attempts: 3, error: null });
  });

  test("that fails is tried again after about two seconds, then four, and forgets the failure once it succeeds", async () => {
    const world = await newWorld(server);
    const id = await enqueue(world, "limp");
    const waiting = await until(world, id, ({ status, attempts }) => status === "queued" && attempts === 1);
    expect(waiting.error).toMatchObject({ code: "internal" });
    expect(await delayOf(id)).toBeGreaterThan(1_400);
    expect(await delayOf(id)).toBeLessThan(2_600);
    expect(await until(world, id, ({ status }) => status === "succeeded")).toMatchObject({
      attempts: 2,
      result: "at last",
      error: null,
    });
    expect(ran.filter((run) => run.startsWith(id))).toEqual([`${id} 1`, `${id} 2`]);

    const crashing = await enqueue(world, "crash");
    await until(world, crashing, ({ attempts, status }) => attempts === 2 && status === "queued");
    expect(await delayOf(crashing)).toBeGreaterThan(2_900);
    expect(await delayOf(crashing)).toBeLessThan(5_100);
  });

  test("of a kind that this version does not know waits for one that does", async () => {
    const world = await newWorld(server);
    const id = await enqueue(world, "from-the-future");
    const job = await until(world, id, ({ attempts, status }) => attempts === 1 && status === "queued");
    expect(job.error).toMatchObject({ code: "internal" });
  });

  test("whose enqueueing is rolled back does not exist", async () => {
    const world = await newWorld(server);
    let id = "";
    const work = app.db.asTenant({ partnerId: world.partner.id, accountId: world.accountId }, async (tx) => {
      const base = {
        partnerId: world.partner.id,
        accountId: world.accountId,
        organizationId: null,
        payload: {},
      };
      id = await app.queue.enqueue(tx, { kind: "count", ...base });
      throw new Error("changed my mind");
    });
    await expect(work).rejects.toThrow("changed my mind");
    expectProblem(await world.api.get(`/v1/jobs/${id}`), "not_found");
  });

  test("with a key is one while it is unfinished, and a new one afterwards", async () => {
    const world = await newWorld(server);
    const key = `once ${world.accountId}`;
    const later = { key, payload: {} };
    const first = await enqueue(world, "patient", later);
    expect(await enqueue(world, "patient", later)).toBe(first);
    expect(await enqueue(world, "count", later)).not.toBe(first);
    const done = await enqueue(world, "count", { key: `other ${world.accountId}` });
    await until(world, done, ({ status }) => status === "succeeded");
    expect(await enqueue(world, "count", { key: `other ${world.accountId}` })).not.toBe(done);
  });

  test("is the account's: with another account's header or key it is not found, without a header it is the partner's", async () => {
    const world = await newWorld(server);
    const other = await newWorld(server, world.partner);
    const id = await enqueue(world, "count");
    expectProblem(await other.api.get(`/v1/jobs/${id}`), "not_found");
    const narrowed = await newKey(app, world.partner.id, { accountId: other.accountId });
    expectProblem(await client(server.url, narrowed).get(`/v1/jobs/${id}/events`), "not_found");
    expect((await client(server.url, world.partner.key).get(`/v1/jobs/${id}`)).status).toBe(200);
  });

  test("beyond ten thousand waiting in one lane is refused with 503 and Retry-After, elsewhere not", async () => {
    const world = await newWorld(server);
    const neighbour = await newWorld(server, world.partner);
    await app.db.asSystem("jobs", (tx) =>
      sql`insert into jobs (partner_id, account_id, id, kind, lane, payload, max_attempts, due_at)
        select ${world.partner.id}, ${world.accountId}, gen_random_uuid(), 'count',
          ${`organization:${world.organizationId}`}, '{}', 1, now() + interval '1 day'
        from generate_series(1, 10000)`.execute(tx),
    );
    const refused = await world.api.delete(`/v1/org/${hex(world.orgSlug)}`);
    expectProblem(refused, "overloaded");
    expect(refused.headers.get("retry-after")).toBe("30");
    expect((await world.api.get(`/v1/org/${hex(world.orgSlug)}`)).status).toBe(200);
    expect(typeof (await enqueue(neighbour, "count"))).toBe("string");
    await app.db.asSystem("jobs", (tx) =>
      sql`delete from jobs where lane = ${`organization:${world.organizationId}`}`.execute(tx),
    );
  });

  test("lets those who wait for it go at once when the process stops, and does not hold up its end", async () => {
    const world = await newWorld(server);
    const id = await enqueue(world, "patient", { organizationId: world.organizationId });
    await until(world, id, ({ status }) => status === "running");
    const waiting = app.queue.wait(id, 60_000);
    app.queue.stopWaiting();
    expect(await waiting).toBeUndefined();
    const since = performance.now();
    await server.close();
    expect(performance.now() - since).toBeLessThan(8_000);
  });
});

/** How long the job's next attempt was put off, in milliseconds. */
async function delayOf(id: string): Promise<number> {
  const { rows } = await app.db.asSystem("jobs", (tx) =>
    sql<{ ms: number }>`select (extract(epoch from due_at - updated_at) * 1000)::float8 as ms
      from jobs where id = ${id}`.execute(tx),
  );
  return rows[0]?.ms ?? 0;
}
