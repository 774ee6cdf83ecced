import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { expectNamed, expectProblem } from "../../test/expectations.ts";
import {
  client,
  hex,
  newKey,
  newWorld,
  startTestServer,
  testDatabase,
  testServer,
  type World,
} from "../../test/support.ts";
import { countUsage, type UsageCounts, type UsageTenant } from "./count.ts";
import { createUsageMeter } from "./meter.ts";
import { recordStorage } from "./storage.ts";

const server = await testServer();
const { app } = server;
const on = (day: string) => ({ ...app, now: () => new Date(`${day}T12:00:00Z`) });
const today = () => new Date().toISOString().slice(0, 10);

function tenantOf({ partner, accountId, organizationId, workspaceId }: World): UsageTenant {
  return { partnerId: partner.id, accountId, organizationId, workspaceId };
}

async function count(
  world: World,
  counts: UsageCounts,
  day = today(),
  tenant = tenantOf(world),
): Promise<void> {
  await app.db.asTenant({ partnerId: tenant.partnerId, accountId: tenant.accountId }, (tx) =>
    countUsage(on(day), tx, tenant, counts),
  );
}

const nothing = {
  messages: 0,
  input_tokens: 0,
  output_tokens: 0,
  searches: 0,
  documents: 0,
  call_seconds: 0,
};

describe("usage", () => {
  test("is added up by organization and UTC day, the latest day first, with totals", async () => {
    const world = await newWorld(server);
    await count(world, { messages: 1, inputTokens: 900, outputTokens: 64 }, "2026-05-25");
    await count(world, { messages: 2, inputTokens: 100, outputTokens: 6, callSeconds: 31 }, "2026-05-25");
    await count(world, { documents: 3 }, "2026-05-26", { ...tenantOf(world), workspaceId: null });
    await count(world, { messages: 99 }, "2026-06-01");
    const { body } = await world.api.get("/v1/usage?from=2026-05-25&to=2026-05-31");
    const place = { account_id: world.accountId, organization_id: world.organizationId };
    const sums = { messages: 3, input_tokens: 1_000, output_tokens: 70, call_seconds: 31 };
    expect(body).toEqual({
      from: "2026-05-25",
      to: "2026-05-31",
      usage: [
        { ...nothing, ...place, date: "2026-05-26", documents: 3, storage_bytes: 0 },
        { ...nothing, ...place, ...sums, date: "2026-05-25", storage_bytes: 0 },
      ],
      totals: { ...nothing, ...sums, documents: 3, storage_byte_days: 0 },
      next_cursor: null,
    });
  });

  test("counts everyone who counts at the same moment, and nothing of what is rolled back", async () => {
    const world = await newWorld(server);
    await Promise.all(Array.from({ length: 100 }, () => count(world, { messages: 1, inputTokens: 7 })));
    const tenant = tenantOf(world);
    const undone = app.db.asTenant(
      { partnerId: tenant.partnerId, accountId: tenant.accountId },
      async (tx) => {
        await countUsage(app, tx, tenant, { messages: 1_000 });
        throw new Error("undone");
      },
    );
    await expect(undone).rejects.toThrow("undone");
    const { totals } = (await world.api.get("/v1/usage")).body;
    expect(totals).toMatchObject({ messages: 100, input_tokens: 700 });
  });

  test("of searches is counted in memory and written within a second, or when somebody looks", async () => {
    const world = await newWorld(server);
    for (let i = 0; i < 1_000; i += 1) app.usage.add(tenantOf(world), { searches: 1 });
    expect((await world.api.get("/v1/usage")).body.totals.searches).toBe(1_000);
    app.usage.add(tenantOf(world), { searches: 5 });
    await expect.poll(() => searchesOf(world), { timeout: 3_000 }).toBe(1_005);
  });

  test("of searches survives a database that is away, an end in order, and an organization that is gone", async () => {
    const world = await newWorld(server);
    const errors: unknown[] = [];
    let isAway = true;
    const db = {
      ...app.db,
      asSystem: (...args: Parameters<typeof app.db.asSystem>) =>
        isAway ? Promise.reject(new Error("away")) : app.db.asSystem(...args),
    };
    const meter = createUsageMeter({
      db: Object.assign(Object.create(app.db), db),
      now: app.now,
      onError: (error) => errors.push(error),
    });
    meter.add(tenantOf(world), { searches: 2 });
    meter.add({ ...tenantOf(world), organizationId: 2_000_000_000 }, { searches: 2 });
    await expect(meter.flush()).rejects.toThrow("away");
    meter.add(tenantOf(world), { searches: 3 });
    isAway = false;
    await meter.close();
    expect(await searchesOf(world)).toBe(5);
    await meter.flush();
    expect(await searchesOf(world)).toBe(5);
    expect(errors).toEqual([]);
  });

  test("of storage is the most that was seen on a day, and today what is stored now", async () => {
    const world = await newWorld(server);
    const store = (bytes: number) =>
      app.db.asSystem("superadmin", (tx) =>
        sql`insert into organization_storage values
          (${world.partner.id}, ${world.accountId}, ${world.organizationId}, 0, ${bytes})
          on conflict (organization_id, shard) do update set bytes = excluded.bytes`.execute(tx),
      );
    for (const [bytes, day] of [
      [500, "2026-05-25"],
      [700, "2026-05-25"],
      [600, "2026-05-25"],
      [600, "2026-05-26"],
    ] as const) {
      await store(bytes);
      await recordStorage(on(day));
    }
    await store(42);
    const { body } = await world.api.get("/v1/usage?from=2026-05-25&to=2026-05-31");
    expect(body.usage).toMatchObject([
      { date: "2026-05-26", storage_bytes: 600 },
      { date: "2026-05-25", storage_bytes: 700 },
    ]);
    expect(body.totals.storage_byte_days).toBe(1_300);
    expect((await world.api.get("/v1/usage")).body.usage).toMatchObject([
      { date: today(), storage_bytes: 42 },
    ]);
  });

  test("is narrowed to an account, an organization and a workspace", async () => {
    const first = await newWorld(server);
    const second = await newWorld(server, first.partner);
    const stranger = await newWorld(server);
    await count(first, { messages: 1 });
    await count(first, { messages: 10, documents: 5 }, today(), { ...tenantOf(first), workspaceId: null });
    await count(second, { messages: 100 });
    await count(stranger, { messages: 1_000 });
    const whole = client(server.url, first.partner.key);
    const narrow = client(server.url, await newKey(app, first.partner.id, { accountId: second.accountId }));
    const messages = async (api: typeof whole, query = "") =>
      (await api.get(`/v1/usage${query}`)).body.totals?.messages;
    expect(await messages(whole)).toBe(111);
    expect(await messages(first.api)).toBe(11);
    expect(await messages(narrow)).toBe(100);
    expect(await messages(whole, `?organization_id=${second.organizationId}`)).toBe(100);
    const ofWorkspace = await first.api.get(`/v1/usage?workspace=${first.workspaceSlug}`);
    expect(ofWorkspace.body.totals).toMatchObject({ messages: 1, documents: null, storage_byte_days: null });
    expect(ofWorkspace.body.usage).toMatchObject([{ messages: 1, documents: null, storage_bytes: null }]);

    expectProblem(await first.api.get(`/v1/usage?organization_id=${second.organizationId}`), "not_found");
    expectProblem(await whole.get(`/v1/usage?organization_id=${stranger.organizationId}`), "not_found");
    expectProblem(await first.api.get("/v1/usage?workspace=nowhere"), "not_found");
    const nameless = await whole.get(`/v1/usage?workspace=${first.workspaceSlug}`);
    expectProblem(nameless, "invalid_request");
    expectNamed(nameless, "query.workspace");
  });

  test("outlives its workspace, and goes with its organization", async () => {
    const world = await newWorld(server);
    await count(world, { messages: 4 });
    app.usage.add(tenantOf(world), { searches: 1 });
    await app.usage.flush();
    await world.api.delete(`/v1/workspace/${hex(world.workspaceSlug)}`);
    expect((await world.api.get("/v1/usage")).body.totals).toMatchObject({ messages: 4, searches: 1 });
    await world.api.delete(`/v1/org/${hex(world.orgSlug)}`);
    expect((await world.api.get("/v1/usage")).body.usage).toEqual([]);
    const left = await app.db.asSystem("superadmin", (tx) =>
      tx.selectFrom("usage_counts").select("shard").where("partner_id", "=", world.partner.id).execute(),
    );
    expect(left).toEqual([]);
  });

  test("goes in pages, of several organizations and days", async () => {
    const world = await newWorld(server);
    const other = (await world.api.post("/v1/orgs", { name: "Other" })).body.organization.id;
    const days = ["2026-05-23", "2026-05-24", "2026-05-25"];
    for (const day of days)
      for (const organizationId of [world.organizationId, other])
        await count(world, { messages: 1 }, day, { ...tenantOf(world), organizationId, workspaceId: null });
    const seen: string[] = [];
    let cursor = "";
    do {
      const { body } = await world.api.get(`/v1/usage?from=2026-05-01&to=2026-05-31&limit=4${cursor}`);
      expect(body.totals.messages).toBe(6);
      seen.push(
        ...body.usage.map(
          (row: { date: string; organization_id: number }) => `${row.date} ${row.organization_id}`,
        ),
      );
      cursor = body.next_cursor === null ? "" : `&cursor=${body.next_cursor}`;
    } while (cursor !== "");
    expect(seen).toEqual(
      days.reverse().flatMap((day) => [`${day} ${other}`, `${day} ${world.organizationId}`]),
    );
    expectProblem(await world.api.get("/v1/usage?cursor=eHg"), "invalid_request");
  });

  test.each([
    ["from=2026-05-26&to=2026-05-25", "query.to"],
    ["from=2024-01-01&to=2026-05-25", "query.from"],
    ["from=yesterday", "query.from"],
    ["to=2026-02-30", "query.to"],
    ["from=1999-12-31&to=2000-01-02", "query.from"],
    ["organization_id=x", "query.organization_id"],
  ])("of %s is refused", async (query, path) => {
    const { api } = await newWorld(server);
    const reply = await api.get(`/v1/usage?${query}`);
    expectProblem(reply, "invalid_request");
    expectNamed(reply, path);
  });

  test("needs its scope", async () => {
    const { partner } = await newWorld(server);
    const key = await newKey(app, partner.id, { scopes: ["audit:read"] });
    expectProblem(await client(server.url, key).get("/v1/usage"), "insufficient_scope");
  });

  test("counted a moment before the end is written by the end", async () => {
    const environment = await testDatabase();
    const before = await startTestServer(environment);
    const world = await newWorld(before);
    before.app.usage.add(tenantOf(world), { searches: 7 });
    await before.close();
    const after = await startTestServer(environment);
    const { body } = await client(after.url, world.partner.key, world.accountId).get("/v1/usage");
    expect(body.totals.searches).toBe(7);
    await after.close();
  });
});

async function searchesOf(world: World): Promise<number> {
  const { rows } = await app.db.asSystem("superadmin", (tx) =>
    sql<{ sum: number }>`select coalesce(sum(searches), 0)::integer as sum from usage_counts
      where organization_id = ${world.organizationId}`.execute(tx),
  );
  return rows[0]?.sum ?? 0;
}
