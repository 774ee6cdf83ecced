import { sql } from "kysely";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { Claimed } from "./claim.ts";
import type { Attempt } from "./send.ts";
import { disableFailing } from "./switch.ts";

const BACKOFF_FIRST_MS = 5_000;
const BACKOFF_MAX_MS = 2 * 3_600_000;
/** How long an event is retried. */
const RETRIED = sql`interval '24 hours'`;
const GONE = 410;

/** Writes down how an attempt ended, and when the next one is due. */
export async function settle(app: App, delivery: Claimed, attempt: Attempt): Promise<void> {
  await app.db.asSystem(
    "jobs",
    (tx) =>
      attempt.error === null
        ? settleArrived(tx, delivery, attempt)
        : settleFailed(app, tx, delivery, attempt),
    "background",
  );
}

/** A process that is stopping gives the delivery back: another sends it at once, under the same id. */
export async function giveBack(app: App, delivery: Claimed): Promise<void> {
  await app.db.asSystem(
    "jobs",
    (tx) => ours(tx, delivery).set({ status: "pending", due_at: sql`now()` }).execute(),
    "background",
  );
}

async function settleArrived(tx: Tx, delivery: Claimed, { status, ms }: Attempt): Promise<void> {
  await ours(tx, delivery)
    .set({
      status: "delivered",
      delivered_at: sql<Date>`now()`,
      response_status: status,
      response_ms: ms,
      error: null,
    })
    .execute();
  await tx
    .updateTable("webhook_endpoints")
    .set({ failing_since: null })
    .where("id", "=", delivery.endpoint_id)
    .where("failing_since", "is not", null)
    .execute();
}

async function settleFailed(app: App, tx: Tx, delivery: Claimed, attempt: Attempt): Promise<void> {
  const isOver = sql<boolean>`now() >= queued_at + ${RETRIED}`;
  const isGone = attempt.status === GONE;
  const next = sql<Date>`least(now() + ${`${backoffMs(delivery, attempt)} milliseconds`}::interval, queued_at + ${RETRIED})`;
  const settled = await ours(tx, delivery)
    .set({
      status: isGone ? "failed" : sql<string>`case when ${isOver} then 'failed' else 'pending' end`,
      due_at: next,
      response_status: attempt.status,
      response_ms: attempt.ms,
      error: attempt.error,
    })
    .returning("status")
    .executeTakeFirst();
  if (settled === undefined) return;
  await tx
    .updateTable("webhook_endpoints")
    .set({ failing_since: sql<Date>`now()` })
    .where("id", "=", delivery.endpoint_id)
    .where("failing_since", "is", null)
    .execute();
  if (isGone) await disableFailing(app, tx, delivery.endpoint_id, "gone", delivery.event_id);
  else if (settled.status === "failed" && (await hasFailedForDays(tx, delivery.endpoint_id)))
    await disableFailing(app, tx, delivery.endpoint_id, "failing", delivery.event_id);
}

/**
 * Asked when an event is given up: it was tried for a day, and nothing else arrived in three. An endpoint that is
 * seldom called is not disabled for one failure long after another.
 */
async function hasFailedForDays(tx: Tx, endpointId: string): Promise<boolean> {
  const row = await tx
    .selectFrom("webhook_endpoints")
    .select(sql<boolean>`failing_since <= now() - interval '3 days'`.as("has"))
    .where("id", "=", endpointId)
    .executeTakeFirst();
  return row?.has ?? false;
}

/** `attempts` in the condition fences a sender that comes back after its lease went to another. */
function ours(tx: Tx, { endpoint_id, event_id, attempts }: Claimed) {
  return tx
    .updateTable("webhook_deliveries")
    .where("endpoint_id", "=", endpoint_id)
    .where("event_id", "=", event_id)
    .where("attempts", "=", attempts)
    .where("status", "=", "sending");
}

/**
 * 5, 20, 80 s … up to two hours, or later when the receiver asks for that; spread by a quarter, so that what failed
 * together does not come back together.
 */
export function backoffMs({ event_id, retries }: Claimed, { retryAfterMs }: Attempt): number {
  const growing = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 4 ** (retries - 1));
  const spread = 0.75 + 0.5 * (Number.parseInt(event_id.slice(-4), 16) / 0xffff);
  return Math.round(Math.max(growing, Math.min(retryAfterMs ?? 0, BACKOFF_MAX_MS)) * spread);
}
