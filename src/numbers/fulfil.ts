import { isSuspended } from "../accounts/accounts.service.ts";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { Caller } from "../http/caller.ts";
import { integerCursor, toPage, uuidCursor } from "../http/page.ts";
import { Problem } from "../http/problem.ts";
import { moveRequest, type RequestRow } from "./move-request.ts";
import type { AdminNumberQuery, AdminRequestQuery, ProvisionNumberRequest } from "./numbers.schemas.ts";
import { enqueueOrder, safetyTime } from "./order.jobs.ts";
import { holdRequest } from "./orders.ts";
import type { RequestMove } from "./request-states.ts";
import { showRequest, showRequests, toAdminNumber } from "./show.ts";

/** A superadmin, who acts for nobody in particular: whose request it is, the request says. */
export type Operator = Pick<Caller, "actor" | "requestId">;

/** Everybody's requests, newest first. */
export async function listAllRequests(app: App, query: AdminRequestQuery) {
  const before = uuidCursor(query.cursor);
  return app.db.asSystem("superadmin", async (tx) => {
    let select = tx.selectFrom("number_requests").selectAll().where("erasing_at", "is", null);
    if (query.status !== undefined) select = select.where("status", "=", query.status);
    if (query.partner_id !== undefined) select = select.where("partner_id", "=", query.partner_id);
    if (query.organization_id !== undefined)
      select = select.where("organization_id", "=", query.organization_id);
    if (before !== undefined) select = select.where("id", "<", before);
    const fetched = await select
      .orderBy("id", "desc")
      .limit(query.limit + 1)
      .execute();
    const { rows, nextCursor } = toPage(fetched, query.limit, (row) => row.id);
    const shown = await showRequests(app, tx, rows);
    const owners = new Map(rows.map((row) => [row.id, ownerOf(row)]));
    return {
      number_requests: shown.map((request) => ({ ...request, ...ownerIn(owners, request.id) })),
      next_cursor: nextCursor,
    };
  });
}

/** Numbers of the pool, or all there are, newest first. */
export async function listAllNumbers(app: App, query: AdminNumberQuery) {
  const before = integerCursor(query.cursor);
  return app.db.asSystem("superadmin", async (tx) => {
    let select = tx.selectFrom("numbers").selectAll();
    if (query.scope !== "all")
      select = select.where("organization_id", query.scope === "pool" ? "is" : "is not", null);
    select =
      query.status === undefined
        ? select.where("status", "<>", "released")
        : select.where("status", "=", query.status);
    if (before !== undefined) select = select.where("id", "<", before);
    const fetched = await select
      .orderBy("id", "desc")
      .limit(query.limit + 1)
      .execute();
    const { rows, nextCursor } = toPage(fetched, query.limit, (row) => row.id);
    return { numbers: rows.map(toAdminNumber), next_cursor: nextCursor };
  });
}

/** Approves, rejects, takes into review, asks for something, or gives up. */
export async function decideRequest(
  app: App,
  operator: Operator,
  requestId: string,
  move: Omit<RequestMove, "by">,
) {
  return app.db.asSystem("superadmin", async (tx) => {
    const request = await getRequest(tx, requestId);
    if (move.to === "approved") await refuseSuspended(tx, request);
    const moved = await moveRequest(app, tx, operator, request, { ...move, by: "superadmin" });
    return answer(app, tx, moved);
  });
}

/**
 * Lets the carrier provide the numbers: a job orders them, and goes on until all are there. For a request that is being
 * provisioned already, what is still missing is ordered.
 */
export async function provisionRequest(
  app: App,
  operator: Operator,
  requestId: string,
  { bundle_sid, address_sid }: ProvisionNumberRequest,
) {
  return app.db.asSystem("superadmin", async (tx) => {
    const request = await getRequest(tx, requestId);
    if (app.carrier === null) {
      throw new Problem("conflict", "No carrier that sells numbers is configured: attach numbers by hand.", {
        details: [{ path: "path.requestId", message: "cannot be provisioned by a carrier" }],
      });
    }
    await refuseSuspended(tx, request);
    const besides = {
      bundle_id: bundle_sid ?? request.bundle_id,
      address_id: address_sid ?? request.address_id,
      check_at: safetyTime(app),
    };
    const moved =
      request.status === "provisioning"
        ? await tx
            .updateTable("number_requests")
            .set(besides)
            .where("id", "=", request.id)
            .returningAll()
            .executeTakeFirstOrThrow()
        : await moveRequest(app, tx, operator, request, { to: "provisioning", by: "superadmin" }, besides);
    await enqueueOrder(app, tx, moved);
    return answer(app, tx, moved);
  });
}

/** The request, held until the transaction ends. */
export async function getRequest(tx: Tx, requestId: string): Promise<RequestRow> {
  const row = await holdRequest(tx, requestId);
  if (row === undefined) throw new Problem("not_found", "There is no such number request.");
  return row;
}

/** Nothing is bought or given to an account that is suspended. */
export async function refuseSuspended(tx: Tx, request: RequestRow): Promise<void> {
  if (await isSuspended(tx, request.account_id)) {
    throw new Problem("conflict", "The account of this request is suspended: it must be resumed first.");
  }
}

export async function answer(app: App, tx: Tx, row: RequestRow) {
  return {
    success: true as const,
    number_request: { ...(await showRequest(app, tx, row)), ...ownerOf(row) },
  };
}

interface Owner {
  partner_id: string;
  account_id: string;
}

function ownerOf({ partner_id, account_id }: RequestRow): Owner {
  return { partner_id, account_id };
}

function ownerIn(owners: ReadonlyMap<string, Owner>, requestId: string): Owner {
  const owner = owners.get(requestId);
  if (owner === undefined) throw new Error("a request is shown that was not read");
  return owner;
}
