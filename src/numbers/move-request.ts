import { type Selectable, sql } from "kysely";
import { recordAudit } from "../audit/record.ts";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { Caller } from "../http/caller.ts";
import { recordEvent } from "../webhooks/record-event.ts";
import type { NumberTables } from "./numbers.tables.ts";
import { type MovedBy, moveState, type PastMove, type RequestMove } from "./request-states.ts";

export type RequestRow = Selectable<NumberTables["number_requests"]>;

/** What a move brings with it, beside its status. */
type Besides = Partial<Pick<RequestRow, "bundle_id" | "address_id" | "check_at">>;

/**
 * Moves a request whose row the transaction holds: its state, its history, the trail and the event, together.
 * Where a move says nothing of the next look at the carrier, there is none.
 */
export async function moveRequest(
  app: App,
  tx: Tx,
  actor: Pick<Caller, "actor" | "requestId">,
  row: RequestRow,
  move: RequestMove,
  besides: Besides = {},
): Promise<RequestRow> {
  const { state, past } = moveState(
    {
      status: row.status,
      reason: row.status_reason,
      providerStatus: row.provider_status,
      nextStep: row.next_step,
    },
    move,
  );
  const moved = await tx
    .updateTable("number_requests")
    .set({
      check_at: null,
      ...besides,
      status: state.status,
      status_reason: state.reason,
      provider_status: state.providerStatus,
      next_step: state.nextStep,
      updated_at: sql`now()`,
    })
    .where("id", "=", row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  await rememberMove(tx, moved, past);
  const caller = { ...actor, partnerId: row.partner_id, accountId: row.account_id };
  await auditRequest(app, tx, caller, row, "moved", { from: row.status, to: state.status });
  await tell(app, tx, moved, row.status, move.by);
  return moved;
}

/** One more line of the history; the row of the request is held, so that lines are counted one by one. */
export async function rememberMove(tx: Tx, row: RequestRow, past: PastMove): Promise<void> {
  await sql`
    insert into number_request_moves
      (partner_id, account_id, organization_id, request_id, position, status, moved_by, reason)
    select ${row.partner_id}::uuid, ${row.account_id}::uuid, ${row.organization_id}::integer, ${row.id}::uuid,
      coalesce(max(position), 0) + 1, ${past.status}, ${past.by}, ${past.reason}
    from number_request_moves where request_id = ${row.id}`.execute(tx);
}

export async function auditRequest(
  app: App,
  tx: Tx,
  caller: Caller,
  row: RequestRow,
  what: "created" | "answered" | "moved",
  details: Record<string, unknown> = {},
): Promise<void> {
  await recordAudit(app, tx, caller, {
    action: `number_request.${what}`,
    resourceType: "number_request",
    resourceId: row.id,
    accountId: row.account_id,
    organizationId: row.organization_id,
    details,
  });
}

async function tell(app: App, tx: Tx, row: RequestRow, previous: string, by: MovedBy): Promise<void> {
  const tenant = {
    partnerId: row.partner_id,
    accountId: row.account_id,
    organizationId: row.organization_id,
    workspaceId: null,
  };
  await recordEvent(app, tx, tenant, {
    type: "number_request.updated",
    subject: { kind: "number_request", id: row.id },
    data: { organization_id: row.organization_id, status: row.status, previous_status: previous, by },
  });
}
