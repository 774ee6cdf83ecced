import type { Selectable } from "kysely";
import type { App } from "../context.ts";
import type { Caller } from "../http/caller.ts";
import { toPage, uuidCursor } from "../http/page.ts";
import { AuditEvent, type AuditQuery } from "./audit.schemas.ts";
import type { AuditTables } from "./audit.tables.ts";

/** Newest first; the partner's whole trail, or one account's when the caller names one. */
export async function listAuditEvents(app: App, caller: Caller, query: AuditQuery) {
  const before = uuidCursor(query.cursor);
  const fetched = await app.db.readAsTenant<Selectable<AuditTables["audit_events"]>>(caller, (db) => {
    let select = db
      .selectFrom("audit_events")
      .selectAll()
      .where("partner_id", "=", caller.partnerId)
      .orderBy("id", "desc")
      .limit(query.limit + 1);
    if (caller.accountId !== undefined) select = select.where("account_id", "=", caller.accountId);
    if (before !== undefined) select = select.where("id", "<", before);
    if (query.action !== undefined) select = select.where("action", "=", query.action);
    if (query.resource_type !== undefined) select = select.where("resource_type", "=", query.resource_type);
    if (query.resource_id !== undefined) select = select.where("resource_id", "=", query.resource_id);
    if (query.from !== undefined) select = select.where("created_at", ">=", new Date(query.from));
    if (query.to !== undefined) select = select.where("created_at", "<", new Date(query.to));
    return select;
  });
  const { rows, nextCursor } = toPage(fetched, query.limit, (row) => row.id);
  return { audit_events: rows.map(toAuditEvent), next_cursor: nextCursor };
}

function toAuditEvent(row: Selectable<AuditTables["audit_events"]>): AuditEvent {
  return AuditEvent.parse({
    ...row,
    actor: { kind: row.actor_kind, id: row.actor_id },
    resource: { type: row.resource_type, id: row.resource_id },
    created_at: row.created_at.toISOString(),
  });
}
