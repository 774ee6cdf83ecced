import anyAscii from "any-ascii";
import { sql } from "kysely";
import type { Tx } from "../db/database.ts";

const SLUG_MAX = 64;
const ATTEMPTS = 5;

/** `Crème Brûlée GmbH & Co.` → `creme-brulee-gmbh-co`; a name without a single letter or digit gets `fallback`. */
export function slugOf(name: string, fallback: string): string {
  const slug = anyAscii(name)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, SLUG_MAX)
    .replace(/^-+|-+$/g, "");
  return slug === "" ? fallback : slug;
}

/**
 * Inserts with the first free slug of `base`, `base-2`, `base-3` …; slugs are unique inside their account.
 *
 * @param insert inserts and answers the row, or `undefined` when the slug is taken (`on conflict do nothing`)
 */
export async function insertWithFreeSlug<Row>(
  tx: Tx,
  table: "organizations" | "workspaces",
  accountId: string,
  base: string,
  insert: (slug: string) => Promise<Row | undefined>,
): Promise<Row> {
  const first = await insert(base);
  if (first !== undefined) return first;
  // From here on those who want the same name go one after the other; each sees what the one before has committed.
  await sql`select pg_advisory_xact_lock(hashtextextended(${`${table} ${accountId} ${base}`}, 0))`.execute(
    tx,
  );
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const row = await insert(`${base}-${await freeSuffix(tx, table, accountId, base)}`);
    if (row !== undefined) return row;
  }
  throw new Error(`no free slug was found for ${base}: others take them at the same time`);
}

/** The first number from 2 on that is free. */
async function freeSuffix(
  tx: Tx,
  table: "organizations" | "workspaces",
  accountId: string,
  base: string,
): Promise<number> {
  const { rows } = await sql<{ free: number }>`
    with taken as (
      select 1 as number
      union
      select substring(slug from ${base.length + 2}::int)::int from ${sql.table(table)}
      where account_id = ${accountId} and erasing_at is null and slug ~ ${`^${base}-[1-9][0-9]{0,7}$`}
    )
    select min(number) + 1 as free from taken
    where not exists (select from taken as next where next.number = taken.number + 1)`.execute(tx);
  return rows[0]?.free ?? 2;
}
