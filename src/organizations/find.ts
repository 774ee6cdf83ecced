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

const SHARDS = 16;
let nextShard = 0;

/**
 * Keeps count of what the originals of an organization take: in one of {@link SHARDS} rows, since those who meet in one
 * wait for each other's commit.
 *
 * @returns whether the organization is still there and not being erased; it stays so until the transaction ends
 */
export async function addStorageBytes(tx: Tx, organizationId: number, bytes: number): Promise<boolean> {
  nextShard = (nextShard + 1) % SHARDS;
  const { numAffectedRows } = await sql`
    insert into organization_storage as stored (partner_id, account_id, organization_id, shard, bytes)
    select partner_id, account_id, id, ${nextShard}::smallint, ${bytes}::bigint
    from organizations where id = ${organizationId} and erasing_at is null for share
    on conflict (organization_id, shard) do update set bytes = stored.bytes + excluded.bytes`.execute(tx);
  return (numAffectedRows ?? 0n) > 0n;
}

/** Of the row `organizations` in a query: what its originals take, in bytes. */
export const storageBytes = sql<number>`(select greatest(0, coalesce(sum(bytes), 0))::bigint
  from organization_storage where organization_id = organizations.id)`;
