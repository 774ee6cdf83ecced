import { sql } from "kysely";
import type { App } from "../context.ts";
import { onCommit, type Tx } from "../db/database.ts";
import type { Caller } from "../http/caller.ts";
import { toPage, uuidCursor } from "../http/page.ts";
import { notFound, Problem } from "../http/problem.ts";
import { auditEndpoint, getEndpointRow } from "./endpoints.ts";
import { type DeliveryQuery, type ReplayDeliveries, WebhookDelivery } from "./webhooks.schemas.ts";

type Row = Awaited<ReturnType<ReturnType<typeof selectDeliveries>["execute"]>>[number];

/** Newest event first. */
export async function listDeliveries(app: App, caller: Caller, endpointId: string, query: DeliveryQuery) {
  const before = uuidCursor(query.cursor);
  return app.db.asTenant(caller, async (tx) => {
    const endpoint = await getEndpointRow(tx, caller, endpointId);
    let select = selectDeliveries(tx, endpoint.id)
      .orderBy("webhook_deliveries.event_id", "desc")
      .limit(query.limit + 1);
    if (before !== undefined) select = select.where("webhook_deliveries.event_id", "<", before);
    if (query.status !== undefined) select = select.where("webhook_deliveries.status", "=", query.status);
    if (query.event_type !== undefined) select = select.where("webhook_events.type", "=", query.event_type);
    if (query.subject_id !== undefined)
      select = select.where("webhook_events.subject_id", "=", query.subject_id);
    if (query.from !== undefined)
      select = select.where("webhook_events.created_at", ">=", new Date(query.from));
    if (query.to !== undefined) select = select.where("webhook_events.created_at", "<", new Date(query.to));
    const { rows, nextCursor } = toPage(await select.execute(), query.limit, (row) => row.event_id);
    return { deliveries: rows.map(toDelivery), next_cursor: nextCursor };
  });
}

/** Sends one event again, at once, with 24 h of retries before it. */
export async function replayDelivery(app: App, caller: Caller, endpointId: string, deliveryId: string) {
  return app.db.asTenant(caller, async (tx) => {
    const endpoint = await getEnabledEndpoint(tx, caller, endpointId);
    const find = selectDeliveries(tx, endpoint.id).where("webhook_deliveries.event_id", "=", deliveryId);
    const found = await find.forUpdate("webhook_deliveries").executeTakeFirst();
    if (found === undefined) throw notFound("delivery");
    if (found.status === "sending") {
      throw new Problem("conflict", "This event is being sent just now. Look again when that has ended.");
    }
    await tx
      .updateTable("webhook_deliveries")
      .set(queuedAnew)
      .where("endpoint_id", "=", endpoint.id)
      .where("event_id", "=", deliveryId)
      .execute();
    await auditEndpoint(app, tx, caller, "webhook_endpoint.replayed", endpoint, { delivery: deliveryId });
    onCommit(tx, () => app.deliveries.wake());
    return { success: true as const, delivery: toDelivery(await find.executeTakeFirstOrThrow()) };
  });
}

/** Sends again what did not arrive since a time, or everything since then. */
export async function replaySince(
  app: App,
  caller: Caller,
  endpointId: string,
  { since, include_delivered: all }: ReplayDeliveries,
) {
  return app.db.asTenant(caller, async (tx) => {
    const endpoint = await getEnabledEndpoint(tx, caller, endpointId);
    const { numUpdatedRows } = await tx
      .updateTable("webhook_deliveries")
      .set(queuedAnew)
      .from("webhook_events")
      .whereRef("webhook_events.id", "=", "webhook_deliveries.event_id")
      .where("endpoint_id", "=", endpoint.id)
      .where("webhook_deliveries.status", "in", all ? ["failed", "held", "delivered"] : ["failed", "held"])
      .where("webhook_events.created_at", ">=", new Date(since))
      .executeTakeFirstOrThrow();
    const replayed = Number(numUpdatedRows);
    await auditEndpoint(app, tx, caller, "webhook_endpoint.replayed", endpoint, { since, replayed });
    onCommit(tx, () => app.deliveries.wake());
    return { success: true as const, replayed };
  });
}

const queuedAnew = {
  status: "pending",
  retries: 0,
  queued_at: sql<Date>`now()`,
  due_at: sql<Date>`now()`,
  delivered_at: null,
};

async function getEnabledEndpoint(tx: Tx, caller: Caller, endpointId: string) {
  // Held, so that it is not disabled while its deliveries are queued.
  const endpoint = await getEndpointRow(tx, caller, endpointId, "update");
  if (endpoint.disabled_at !== null) {
    throw new Problem("conflict", "This endpoint is disabled. Enable it first.");
  }
  return endpoint;
}

function selectDeliveries(tx: Tx, endpointId: string) {
  return tx
    .selectFrom("webhook_deliveries")
    .innerJoin("webhook_events", "webhook_events.id", "webhook_deliveries.event_id")
    .selectAll("webhook_deliveries")
    .select(["type", "subject_kind", "subject_id", "sequence", "created_at"])
    .where("endpoint_id", "=", endpointId);
}

function toDelivery(row: Row): WebhookDelivery {
  return WebhookDelivery.parse({
    ...row,
    id: row.event_id,
    event_type: row.type,
    subject: { kind: row.subject_kind, id: row.subject_id },
    next_attempt_at: row.status === "pending" ? row.due_at.toISOString() : null,
    last_attempt_at: row.last_attempt_at?.toISOString() ?? null,
    delivered_at: row.delivered_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
  });
}
