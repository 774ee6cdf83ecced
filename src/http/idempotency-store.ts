import { sql } from "kysely";
import type { Database, Tenant, Tx } from "../db/database.ts";
import type { Caller } from "./caller.ts";
import type { Claim, IdempotencyStore } from "./idempotency.ts";
import { Answer } from "./operation.ts";

/** After this an attempt that never finished counts as dead, and the next one may do the work. */
const LEASE = sql`interval '2 minutes'`;
const KEPT = sql`interval '24 hours'`;

/** Remembers keys in the database, so that every process knows them. */
export function databaseIdempotencyStore(db: Database, newId: () => string): IdempotencyStore {
  return {
    async claim(caller, key, requestHash) {
      const attempt = newId();
      return db.asTenant(tenantOf(caller), async (tx) => {
        const taken = await insertOrTakeOver(tx, caller, key, requestHash, attempt);
        if (taken) return { outcome: "claimed", attempt };
        const row = await tx
          .selectFrom("idempotency_keys")
          .select(["request_hash", "status", "result"])
          .where("caller", "=", callerOf(caller))
          .where("key", "=", key)
          .executeTakeFirst();
        if (row === undefined) return { outcome: "in-flight" };
        if (!requestHash.equals(row.request_hash)) return { outcome: "other-request" };
        if (row.status === null) return { outcome: "in-flight" };
        return { outcome: "finished", status: row.status, body: row.result };
      });
    },
    record: (caller, claim) => async (tx, answer) => {
      const { status, body } = answer instanceof Answer ? answer : { status: 200, body: answer };
      const written = await write(tx, caller, claim, status, body);
      if (!written) throw new Error("another attempt with this Idempotency-Key has taken over");
    },
    async finish(caller, claim, status, body) {
      await db.asTenant(tenantOf(caller), (tx) => write(tx, caller, claim, status, body));
    },
    async abandon(caller, claim) {
      return db.asTenant(tenantOf(caller), async (tx) => {
        const { numUpdatedRows } = await tx
          .updateTable("idempotency_keys")
          .set({ leased_until: sql`'-infinity'` })
          .where("caller", "=", callerOf(caller))
          .where("key", "=", claim.key)
          .where("attempt", "=", claim.attempt)
          .where("status", "is", null)
          .executeTakeFirstOrThrow();
        return numUpdatedRows > 0n;
      });
    },
  };
}

/** Deletes what is older than a day. */
export async function forgetOldIdempotencyKeys(db: Database): Promise<void> {
  await db.asSystem("idempotency", async (tx) => {
    await tx.deleteFrom("idempotency_keys").where("created_at", "<", sql<Date>`now() - ${KEPT}`).execute();
  });
}

/** One statement, so that two attempts at once cannot both win. */
async function insertOrTakeOver(
  tx: Tx,
  caller: Caller,
  key: string,
  requestHash: Buffer,
  attempt: string,
): Promise<boolean> {
  const fresh = {
    request_hash: requestHash,
    attempt,
    leased_until: sql<Date>`now() + ${LEASE}`,
    status: null,
    result: null,
    created_at: sql<Date>`now()`,
  };
  const row = await tx
    .insertInto("idempotency_keys")
    .values({
      partner_id: caller.partnerId,
      account_id: caller.accountId ?? null,
      caller: callerOf(caller),
      key,
      ...fresh,
    })
    .onConflict((conflict) =>
      conflict
        .columns(["caller", "key"])
        .doUpdateSet(fresh)
        .where(
          sql<boolean>`(idempotency_keys.status is null and idempotency_keys.leased_until < now()
            and idempotency_keys.request_hash = excluded.request_hash)
            or idempotency_keys.created_at < now() - ${KEPT}`,
        ),
    )
    .returning("attempt")
    .executeTakeFirst();
  return row !== undefined;
}

async function write(tx: Tx, caller: Caller, claim: Claim, status: number, body: unknown): Promise<boolean> {
  const result = await tx
    .updateTable("idempotency_keys")
    .set({ status, result: sql`${JSON.stringify(body ?? null)}::json` })
    .where("caller", "=", callerOf(caller))
    .where("key", "=", claim.key)
    .where("attempt", "=", claim.attempt)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** Keys belong to who sent them and to the account they were sent for: two accounts may use the same one. */
function callerOf(caller: Caller): string {
  return `${caller.actor.id}:${caller.accountId ?? ""}`;
}

/** The record is the partner's; a narrower tenant would hide it from its own repetition. */
function tenantOf(caller: Caller): Tenant {
  return { partnerId: caller.partnerId };
}
