import { type RawBuilder, sql } from "kysely";
import type { Tx } from "./database.ts";
import type { Tables } from "./tables.ts";

/**
 * Deletes some of the rows of which `which` is true, at most `limit`: all of a long table in one statement would hold
 * the embedded database's only connection for seconds. Returns how many went; `limit` when there may be more.
 *
 * @param table has a column `id`
 */
export async function deleteSome(
  tx: Tx,
  table: keyof Tables,
  which: RawBuilder<boolean>,
  limit: number,
): Promise<number> {
  const name = sql.table(table);
  const { numAffectedRows } = await sql`
    delete from ${name} where id in (select id from ${name} where ${which} limit ${limit})`.execute(tx);
  return Number(numAffectedRows ?? 0n);
}
