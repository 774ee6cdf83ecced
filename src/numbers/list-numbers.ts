import { sql } from "kysely";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { AccountCaller } from "../http/caller.ts";
import { integerCursor, type PageRequest, toPage } from "../http/page.ts";
import { getOrganizationById, getOrganizationRow } from "../organizations/find.ts";
import type { NumberQuery } from "./numbers.schemas.ts";
import { linkOf, selectNumbers, toNumber } from "./show.ts";

/** The account's numbers, or one organization's, newest first; what was given back is no longer among them. */
export async function listNumbers(app: App, caller: AccountCaller, query: NumberQuery) {
  return app.db.asTenant(caller, async (tx) => {
    const { organization_id: organizationId, scope } = query;
    if (organizationId !== undefined) await getOrganizationById(tx, caller, organizationId);
    return page(app, tx, caller, query, { organizationId, scope });
  });
}

export async function listOrganizationNumbers(
  app: App,
  caller: AccountCaller,
  orgSlug: string,
  query: PageRequest,
) {
  return app.db.asTenant(caller, async (tx) => {
    const { id } = await getOrganizationRow(tx, caller, orgSlug);
    return page(app, tx, caller, query, { organizationId: id });
  });
}

export async function countNumbers(tx: Tx, organizationId: number): Promise<number> {
  const { count } = await tx
    .selectFrom("numbers")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("organization_id", "=", organizationId)
    .where("status", "<>", "released")
    .executeTakeFirstOrThrow();
  return Number(count);
}

async function page(
  app: App,
  tx: Tx,
  caller: AccountCaller,
  { limit, cursor }: PageRequest,
  filter: { organizationId: number | undefined; scope?: NumberQuery["scope"] },
) {
  const before = integerCursor(cursor);
  const { organizationId, scope = "all" } = filter;
  let select = selectNumbers(app, tx)
    .where("account_id", "=", caller.accountId)
    .where("status", "<>", "released")
    .where("leaving_at", "is", null);
  if (organizationId !== undefined) select = select.where("organization_id", "=", organizationId);
  if (scope !== "all") {
    const isLinked = sql<boolean>`${linkOf(app)} is not null`;
    select = select.where(scope === "linked" ? isLinked : sql<boolean>`not (${isLinked})`);
  }
  if (before !== undefined) select = select.where("id", "<", before);
  const fetched = await select
    .orderBy("id", "desc")
    .limit(limit + 1)
    .execute();
  const { rows, nextCursor } = toPage(fetched, limit, (row) => row.id);
  return { numbers: rows.map(toNumber), next_cursor: nextCursor };
}
