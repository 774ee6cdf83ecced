import { sql } from "kysely";
import { expect, test } from "vitest";
import { newWorld, testServer } from "../../test/support.ts";
import type { Tx } from "./database.ts";

const server = await testServer();
const { app } = server;

test("a transaction that PostgreSQL ends to resolve a deadlock is begun again", async () => {
  const [first, second] = [await newWorld(server), await newWorld(server)];
  const held = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let runs = 0;
  /** Touches one row, waits until the other transaction has touched its own, and goes for that one. */
  const crossing = (mine: number, theirs: number, hold: number) =>
    app.db.asSystem("bootstrap", async (tx) => {
      runs += 1;
      const touch = (id: number) =>
        sql`update workspaces set index_version = index_version + 1 where id = ${id}`.execute(tx);
      await touch(mine);
      held[hold]?.resolve();
      // The embedded database has one connection: nobody can cross anybody there.
      if (app.db.kind === "postgres") await held[1 - hold]?.promise;
      await touch(theirs);
    });
  await Promise.all([
    crossing(first.workspaceId, second.workspaceId, 0),
    crossing(second.workspaceId, first.workspaceId, 1),
  ]);
  expect(runs).toBe(app.db.kind === "postgres" ? 3 : 2);
  const rows = await app.db.asSystem("bootstrap", (tx) =>
    tx
      .selectFrom("workspaces")
      .select("index_version")
      .where("id", "in", [first.workspaceId, second.workspaceId])
      .execute(),
  );
  expect(rows).toEqual([{ index_version: 2 }, { index_version: 2 }]);
});

test("what follows a failed transaction on its connection does not suffer for a statement that it never prepared", async () => {
  const world = await newWorld(server);
  const tenant = { partnerId: world.partner.id, accountId: world.accountId };
  for (const text of ["select 101 as new", "select 102 as new", "select 103 as new"]) {
    const look = (tx: Tx) => sql<{ new: number }>`${sql.raw(text)}`.execute(tx);
    const [failed, ...others] = await Promise.allSettled([
      app.db.asTenant(tenant, (tx) => Promise.all([sql`select 1 / 0`.execute(tx), look(tx)])),
      ...Array.from({ length: 4 }, () => app.db.asTenant(tenant, look)),
      ...Array.from({ length: 4 }, () =>
        app.db.readAsTenant(tenant, (db) => ({ compile: () => sql`${sql.raw(text)}`.compile(db) })),
      ),
    ]);
    expect(failed?.status).toBe("rejected");
    expect(others.filter(({ status }) => status === "rejected")).toEqual([]);
  }
});

test("the embedded database is vacuumed while it serves, and rests in the restricted role afterwards", async () => {
  const world = await newWorld(server);
  const path = `/v1/workspace/${Buffer.from(world.workspaceSlug).toString("hex")}`;
  const [replies] = await Promise.all([
    Promise.all(Array.from({ length: 20 }, () => world.api.get(path))),
    app.db.vacuum(),
  ]);
  expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200));
  const [analyzed] = await app.db.asSystem("bootstrap", (tx) =>
    sql<{ analyzed: boolean }>`select bool_and(last_analyze is not null) as analyzed from pg_stat_user_tables
      where relname in ('jobs', 'workspaces')`
      .execute(tx)
      .then(({ rows }) => rows),
  );
  expect(analyzed?.analyzed ?? false).toBe(app.db.kind === "pglite");
  expect((await world.api.get(path)).status).toBe(200);
});

test("tables of the embedded database that have grown are analyzed within seconds", async () => {
  const analyzed = async () => {
    const { rows } = await app.db.asSystem("bootstrap", (tx) =>
      sql<{
        count: number;
      }>`select analyze_count as count from pg_stat_user_tables where relname = 'audit_events'`.execute(tx),
    );
    return rows[0]?.count ?? 0;
  };
  const before = await analyzed();
  const { partner } = await newWorld(server);
  await app.db.asSystem("bootstrap", (tx) =>
    sql`insert into audit_events (partner_id, id, actor_kind, action, resource_type, resource_id, details, request_id)
      select ${partner.id}::uuid, gen_random_uuid(), 'cli', 'test.grew', 'test', n::text, '{}', 'r'
      from generate_series(1, 20000) n`.execute(tx),
  );
  // PostgreSQL has a process of its own for that, in its own time.
  if (app.db.kind === "postgres") expect(await analyzed()).toBe(before);
  else await expect.poll(analyzed, { timeout: 20_000 }).toBeGreaterThan(before);
});
