import type { Selectable } from "kysely";
import type { Tx } from "../db/database.ts";
import type { NumberTables } from "./numbers.tables.ts";

export type FoundNumber = Pick<
  Selectable<NumberTables["numbers"]>,
  "id" | "number" | "status" | "can_voice" | "provider" | "provider_id"
>;

/** An organization's number that calls can be taken on; it stays until the transaction ends. */
export async function holdVoiceNumber(
  tx: Tx,
  organizationId: number,
  id: number,
): Promise<FoundNumber | undefined> {
  return selectNumber(tx)
    .where("organization_id", "=", organizationId)
    .where("id", "=", id)
    .where("can_voice", "=", true)
    .where("status", "=", "active")
    .where("leaving_at", "is", null)
    .forShare()
    .executeTakeFirst();
}

/** A number of the tenant, whatever became of it; jobs see those of all tenants, and the pool. */
export async function findNumber(tx: Tx, id: number): Promise<FoundNumber | undefined> {
  return selectNumber(tx).where("id", "=", id).executeTakeFirst();
}

function selectNumber(tx: Tx) {
  return tx.selectFrom("numbers").select(["id", "number", "status", "can_voice", "provider", "provider_id"]);
}
