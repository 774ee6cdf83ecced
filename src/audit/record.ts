import { sql } from "kysely";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { Caller } from "../http/caller.ts";

/** One change, for the trail. Ids and field names only: values may be personal data, and the trail outlives them. */
export interface AuditEntry {
  /** `<resource>.<what happened>`, e.g. `workspace.updated`. */
  action: `${string}.${string}`;
  resourceType: string;
  resourceId: string | number;
  accountId?: string;
  organizationId?: number;
  workspaceId?: number;
  /** E.g. `{fields: ["topN"]}`. */
  details?: Record<string, unknown>;
}

/** Writes the entry in the transaction of the change: there is no change without it, and no entry without a change. */
export async function recordAudit(app: App, tx: Tx, caller: Caller, entry: AuditEntry): Promise<void> {
  await tx
    .insertInto("audit_events")
    .values({
      partner_id: caller.partnerId,
      account_id: entry.accountId ?? caller.accountId ?? null,
      organization_id: entry.organizationId ?? null,
      workspace_id: entry.workspaceId ?? null,
      id: app.newId(),
      actor_kind: caller.actor.kind,
      actor_id: caller.actor.id,
      action: entry.action,
      resource_type: entry.resourceType,
      resource_id: String(entry.resourceId),
      details: sql`${JSON.stringify(entry.details ?? {})}::jsonb`,
      request_id: caller.requestId,
    })
    .execute();
}
