import { sql } from "kysely";
import type { App } from "../context.ts";
import { onCommit, type Tx } from "../db/database.ts";
import type { EventType } from "./event-types.ts";

/** Whose event it is. When the workspace or organization is erased, what was not delivered yet goes with it. */
export interface EventTenant {
  partnerId: string;
  accountId: string | null;
  organizationId: number | null;
  workspaceId: number | null;
}

/** Something that partners are told of. */
export interface WebhookEvent {
  type: EventType;
  /** What it happened to, e.g. `{kind: "document", id: "0192…"}`; events of one subject are numbered in order. */
  subject: { kind: string; id: string | number };
  /** Ids and states only: a receiver asks for the rest, and what a person said must not lie in a delivery log. */
  data: Record<string, unknown>;
}

/**
 * Puts the event into the outbox, in the transaction of what happened: there is no event without it, and it does not
 * happen without its event. One statement; a partner that has no endpoint costs a look-up.
 *
 * It holds the subject's row until the transaction ends, so call it towards the end.
 */
export async function recordEvent(
  app: App,
  tx: Tx,
  tenant: EventTenant,
  { type, subject, data }: WebhookEvent,
): Promise<void> {
  const { partnerId, accountId, organizationId, workspaceId } = tenant;
  const { rows } = await sql`
    with counted as (
      insert into webhook_sequences (partner_id, account_id, organization_id, subject_kind, subject_id)
      select id, ${accountId}::uuid, ${organizationId}::integer, ${subject.kind}, ${String(subject.id)}
      from partners where id = ${partnerId} and has_webhooks
      on conflict (partner_id, subject_kind, subject_id) do update set sequence = webhook_sequences.sequence + 1
      returning partner_id, account_id, organization_id, subject_kind, subject_id, sequence
    )
    insert into webhook_events
      (partner_id, account_id, organization_id, subject_kind, subject_id, sequence, workspace_id, id, type, data)
    select counted.*, ${workspaceId}::integer, ${app.newId()}::uuid, ${type}, ${JSON.stringify(data)}::json from counted
    returning id`.execute(tx);
  if (rows.length > 0) onCommit(tx, () => app.deliveries.wake());
}
