import { type Selectable, sql } from "kysely";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { Caller } from "../http/caller.ts";
import { auditEndpoint, getEndpointRow, toEndpoint } from "./endpoints.ts";
import { recordEvent } from "./record-event.ts";
import type { WebhookTables } from "./webhooks.tables.ts";

type Row = Selectable<WebhookTables["webhook_endpoints"]>;

/** From now on events are held back; a replay sends them. */
export async function disableEndpoint(app: App, caller: Caller, endpointId: string) {
  return app.db.asTenant(caller, async (tx) => {
    const before = await getEndpointRow(tx, caller, endpointId, "update");
    const row = (await markDisabled(tx, endpointId, "manual")) ?? before;
    if (row !== before) await auditEndpoint(app, tx, caller, "webhook_endpoint.disabled", row);
    return { success: true as const, webhook_endpoint: toEndpoint(row) };
  });
}

/** New events are sent again. Those held meanwhile are not: a receiver asks for them when it is ready (`replay`). */
export async function enableEndpoint(app: App, caller: Caller, endpointId: string) {
  return app.db.asTenant(caller, async (tx) => {
    const before = await getEndpointRow(tx, caller, endpointId, "update");
    if (before.disabled_at === null) return { success: true as const, webhook_endpoint: toEndpoint(before) };
    const row = await tx
      .updateTable("webhook_endpoints")
      .set({ disabled_at: null, disabled_reason: null, failing_since: null, updated_at: sql`now()` })
      .where("id", "=", endpointId)
      .returningAll()
      .executeTakeFirstOrThrow();
    await auditEndpoint(app, tx, caller, "webhook_endpoint.enabled", row);
    return { success: true as const, webhook_endpoint: toEndpoint(row) };
  });
}

/**
 * What the sender does with an endpoint that is gone or has failed for too long, once: it says so in the trail, and
 * tells the partner's other endpoints. Runs as the system.
 */
export async function disableFailing(
  app: App,
  tx: Tx,
  endpointId: string,
  reason: "gone" | "failing",
  eventId: string,
): Promise<void> {
  const row = await markDisabled(tx, endpointId, reason);
  if (row === undefined) return;
  const caller: Caller = {
    partnerId: row.partner_id,
    actor: { kind: "system", id: null },
    requestId: `webhook-${eventId}`,
  };
  await auditEndpoint(app, tx, caller, "webhook_endpoint.disabled", row, { reason });
  const tenant = {
    partnerId: row.partner_id,
    accountId: row.account_id,
    organizationId: null,
    workspaceId: null,
  };
  const subject = { kind: "webhook_endpoint", id: row.id };
  await recordEvent(app, tx, tenant, { type: "endpoint.disabled", subject, data: { reason } });
}

/** `undefined`: it was disabled already. */
async function markDisabled(
  tx: Tx,
  endpointId: string,
  reason: "manual" | "gone" | "failing",
): Promise<Row | undefined> {
  const row = await tx
    .updateTable("webhook_endpoints")
    .set({ disabled_at: sql<Date>`now()`, disabled_reason: reason, updated_at: sql`now()` })
    .where("id", "=", endpointId)
    .where("disabled_at", "is", null)
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) return undefined;
  await tx
    .updateTable("webhook_deliveries")
    .set({ status: "held" })
    .where("endpoint_id", "=", endpointId)
    .where("status", "=", "pending")
    .execute();
  return row;
}
