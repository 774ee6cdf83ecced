import { type Selectable, sql } from "kysely";
import type { Tx } from "../db/database.ts";
import type { AccountCaller } from "../http/caller.ts";
import { notFound } from "../http/problem.ts";
import type { OrganizationTables } from "./organizations.tables.ts";

export type OrganizationRow = Selectable<OrganizationTables["organizations"]>;

/** How a row is held until the transaction ends: `share` keeps others from erasing it meanwhile. */
export type Hold = "none" | "share" | "update";

/** The organization of this account, or 404, also for one that exists elsewhere or is being erased. */
export async function getOrganizationRow(
  tx: Tx,
  caller: AccountCaller,
  slug: string,
  hold: Hold = "none",
): Promise<OrganizationRow> {
  let select = tx
    .selectFrom("organizations")
    .selectAll()
    .where("account_id", "=", caller.accountId)
    .where("slug", "=", slug)
    .where("erasing_at", "is", null);
  if (hold === "share") select = select.forShare();
  // Rows that refer to it may be added meanwhile: their check waits only for a change of the key.
  if (hold === "update") select = select.forNoKeyUpdate();
  const row = await select.executeTakeFirst();
  if (row === undefined) throw notFound("organization");
  return row;
}

/** The same by its id, where people name it so. */
export async function getOrganizationById(
  tx: Tx,
  caller: AccountCaller,
  id: number,
): Promise<OrganizationRow> {
  const row = await tx
    .selectFrom("organizations")
    .selectAll()
    .where("id", "=", id)
    .where("account_id", "=", caller.accountId)
    .where("erasing_at", "is", null)
    .executeTakeFirst();
  if (row === undefined) throw notFound("organization");
  return row;
}

/**
 * Keeps count of what the originals of an organization take.
 *
 * @returns whether the organization is still there and not being erased
 */
export async function addStorageBytes(tx: Tx, organizationId: number, bytes: number): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable("organizations")
    .set({ storage_bytes: sql`greatest(0, storage_bytes + ${bytes})` })
    .where("id", "=", organizationId)
    .where("erasing_at", "is", null)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}
