import { expect, test } from "vitest";
import { newWorld, testServer } from "../../test/support.ts";
import type { Tx } from "./database.ts";
import { fixedQuery } from "./fixed-query.ts";

const { app, ...server } = await testServer();

test("a fixed query is written once, and answers each time for the values it is given", async () => {
  let built = 0;
  const bySlug = fixedQuery((db: Tx, accountId: string, slug: string) => {
    built += 1;
    return db
      .selectFrom("workspaces")
      .select("id")
      .where("slug", "=", slug)
      .where("account_id", "=", accountId)
      .where("top_n", "=", 4);
  });
  const worlds = [await newWorld({ app, ...server }), await newWorld({ app, ...server })];
  for (const { partner, accountId, workspaceSlug, workspaceId } of worlds) {
    const tenant = { partnerId: partner.id, accountId };
    const rows = await app.db.readAsTenant(tenant, (db) => bySlug(db, accountId, workspaceSlug));
    expect(rows).toEqual([{ id: workspaceId }]);
    expect(await app.db.readAsTenant(tenant, (db) => bySlug(db, accountId, "another"))).toEqual([]);
  }
  expect(built).toBe(1);
});
