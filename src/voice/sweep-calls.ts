import { sql } from "kysely";
import type { App } from "../context.ts";
import { ownerOf } from "../conversations/conversation.ts";
import { LATE_KINDS } from "./call-events.ts";
import { type CallRow, LEASE_MS, leaseFrom } from "./call-row.ts";
import { endCallIn } from "./end-call.ts";

const AT_ONCE = 100;

/** Keeps calls alive in which nothing happens. To be called at least twice a minute, with all that a process has. */
export async function renewCalls(app: App, callIds: readonly string[]): Promise<void> {
  if (callIds.length === 0) return;
  await app.db.asSystem("jobs", (tx) =>
    tx
      .updateTable("calls")
      .set({ lease_until: leaseFrom(app.now()) })
      .where("id", "in", [...callIds])
      .where("lease_until", "is not", null)
      .execute(),
  );
}

/**
 * Ends the calls whose process has not been heard of for a minute, with what was written of them until then: a call
 * that rang and was never answered was never connected, any other was lost.
 *
 * @returns how many
 */
export async function endLostCalls(app: App): Promise<number> {
  return endOverdue(app, app.now());
}

/**
 * Ends all calls that are live. For the start of the embedded database: it has one process, so whoever had them is
 * gone.
 */
export async function reclaimCalls(app: App): Promise<number> {
  return endOverdue(app, new Date(app.now().getTime() + LEASE_MS + 1));
}

async function endOverdue(app: App, before: Date): Promise<number> {
  for (let total = 0; ; ) {
    const overdue = await findOverdue(app, before);
    const ended = await endAll(app, overdue, before);
    total += ended;
    // What could not be ended now would be found again at once: it is the next sweep's.
    if (overdue.length < AT_ONCE || ended === 0) return total;
  }
}

async function endAll(app: App, calls: readonly OverdueCall[], before: Date): Promise<number> {
  let ended = 0;
  for (const call of calls) {
    try {
      if (await endOne(app, call, before)) ended += 1;
    } catch (error) {
      app.log.warn({ error, callId: call.id }, "a lost call could not be ended; it is tried again");
    }
  }
  return ended;
}

type OverdueCall = Pick<
  CallRow,
  "id" | "partner_id" | "account_id" | "organization_id" | "workspace_id" | "answered_at" | "lease_until"
>;

async function findOverdue(app: App, before: Date): Promise<OverdueCall[]> {
  return app.db.asSystem(
    "jobs",
    (tx) =>
      tx
        .selectFrom("calls")
        .select(["id", "partner_id", "account_id", "organization_id", "workspace_id"])
        .select(["answered_at", "lease_until"])
        .where("lease_until", "<", before)
        // They go on without any process of ours; see `vapi/reconcile-calls.ts`.
        .$if(app.engineCalls !== null, (select) => select.where("provider", "<>", "vapi"))
        .orderBy("lease_until")
        .limit(AT_ONCE)
        .execute(),
    "background",
  );
}

async function endOne(app: App, call: OverdueCall, before: Date): Promise<boolean> {
  const owner = ownerOf(call);
  return app.db.asTenant(
    owner,
    async (tx) => {
      // Looked at again under the lock: its process may have been heard of just now.
      const { rows } = await sql<{ lease_until: Date | null; last_at: Date | null }>`
        select lease_until, (select max(at) from call_events
          where call_id = calls.id and kind <> all(${[...LATE_KINDS]}::text[])) as last_at
        from calls where id = ${call.id} for no key update of calls`.execute(tx);
      const [held] = rows;
      const lease = held?.lease_until ?? null;
      if (lease === null || lease >= before) return false;
      const heardOf = new Date(lease.getTime() - LEASE_MS);
      const lastAt = held?.last_at ?? heardOf;
      const reason = call.answered_at === null ? "never_connected" : "process_lost";
      // When it was last heard of is as near to the end as anybody can know.
      await endCallIn(app, tx, owner, call.id, { reason, at: lastAt > heardOf ? lastAt : heardOf });
      return true;
    },
    "background",
  );
}
