import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { AccountCaller } from "../http/caller.ts";
import { type PageRequest, toPage, uuidCursor } from "../http/page.ts";
import { notFound } from "../http/problem.ts";
import { getOrganizationRow } from "../organizations/find.ts";
import { auditRequest, moveRequest, type RequestRow, rememberMove } from "./move-request.ts";
import type { CreateNumberRequest } from "./numbers.schemas.ts";
import type { RequestStatus } from "./request-states.ts";
import { showRequest, showRequests } from "./show.ts";

/** Newest first. */
export async function listNumberRequests(
  app: App,
  caller: AccountCaller,
  orgSlug: string,
  query: PageRequest & { status?: RequestStatus | undefined },
) {
  const before = uuidCursor(query.cursor);
  return app.db.asTenant(caller, async (tx) => {
    const { id } = await getOrganizationRow(tx, caller, orgSlug);
    let select = tx.selectFrom("number_requests").selectAll().where("organization_id", "=", id);
    if (query.status !== undefined) select = select.where("status", "=", query.status);
    if (before !== undefined) select = select.where("id", "<", before);
    const fetched = await select
      .orderBy("id", "desc")
      .limit(query.limit + 1)
      .execute();
    const { rows, nextCursor } = toPage(fetched, query.limit, (row) => row.id);
    return { number_requests: await showRequests(app, tx, rows), next_cursor: nextCursor };
  });
}

export async function createNumberRequest(
  app: App,
  caller: AccountCaller,
  orgSlug: string,
  fields: CreateNumberRequest,
) {
  return app.db.asTenant(caller, async (tx) => {
    const organization = await getOrganizationRow(tx, caller, orgSlug, "share");
    const row = await tx
      .insertInto("number_requests")
      .values({
        partner_id: caller.partnerId,
        account_id: caller.accountId,
        organization_id: organization.id,
        id: app.newId(),
        country: fields.country,
        number_type: fields.number_type,
        area_code: fields.area_code ?? null,
        quantity: fields.quantity,
        notes: fields.notes ?? null,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    await rememberMove(tx, row, { status: row.status, by: "partner", reason: null });
    await auditRequest(app, tx, caller, row, "created");
    return { success: true as const, number_request: await showRequest(app, tx, row) };
  });
}

export async function getNumberRequest(app: App, caller: AccountCaller, orgSlug: string, requestId: string) {
  return app.db.asTenant(caller, async (tx) => {
    const row = await getRequestRow(tx, caller, orgSlug, requestId);
    return { number_request: await showRequest(app, tx, row) };
  });
}

/** While nothing is being ordered. What was bought before stays the organization's. */
export async function cancelNumberRequest(
  app: App,
  caller: AccountCaller,
  orgSlug: string,
  requestId: string,
) {
  return app.db.asTenant(caller, async (tx) => {
    const row = await getRequestRow(tx, caller, orgSlug, requestId, "update");
    const moved = await moveRequest(app, tx, caller, row, { to: "cancelled", by: "partner" });
    return { success: true as const, number_request: await showRequest(app, tx, moved) };
  });
}

/** The partner has done what was asked for: the request is looked at again. */
export async function answerNumberRequest(
  app: App,
  caller: AccountCaller,
  orgSlug: string,
  requestId: string,
  notes: string,
) {
  return app.db.asTenant(caller, async (tx) => {
    const row = await getRequestRow(tx, caller, orgSlug, requestId, "update");
    const moved = await moveRequest(app, tx, caller, row, { to: "in_review", by: "partner", reason: notes });
    return { success: true as const, number_request: await showRequest(app, tx, moved) };
  });
}

async function getRequestRow(
  tx: Tx,
  caller: AccountCaller,
  orgSlug: string,
  requestId: string,
  hold: "none" | "update" = "none",
): Promise<RequestRow> {
  const organization = await getOrganizationRow(tx, caller, orgSlug);
  const select = tx
    .selectFrom("number_requests")
    .selectAll()
    .where("id", "=", requestId)
    .where("organization_id", "=", organization.id)
    // The organization may have begun to be erased since it was read.
    .where("erasing_at", "is", null);
  const row = await (hold === "update" ? select.forNoKeyUpdate() : select).executeTakeFirst();
  if (row === undefined) throw notFound("number request");
  return row;
}
