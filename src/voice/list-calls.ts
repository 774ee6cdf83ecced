import { type RawBuilder, sql } from "kysely";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { AccountCaller } from "../http/caller.ts";
import { toPage } from "../http/page.ts";
import { notFound } from "../http/problem.ts";
import { getOrganizationById } from "../organizations/find.ts";
import { getWorkspaceRow, slugsOf } from "../workspaces/find.ts";
import { type CallLog, type CallQuery, TOTAL_MAX, type WorkspaceCallQuery } from "./call-log.schemas.ts";
import { type CallKey, type CallOrder, isAfter, orderOf } from "./call-order.ts";
import { type CallPlace, type CallTotal, searchCalls } from "./search-calls.ts";
import { type ShownCall, toCallLog } from "./show-call.ts";

/** The account's calls, newest first unless asked otherwise. */
export async function listCalls(app: App, caller: AccountCaller, query: CallQuery) {
  const { organization_id: organizationId, workspace, ...filters } = query;
  return listPlace(app, caller, filters, async (tx) => {
    if (organizationId !== undefined) await getOrganizationById(tx, caller, organizationId);
    const found = workspace === undefined ? undefined : await getWorkspaceRow(tx, caller, workspace);
    return { organizationId, workspaceId: found?.id };
  });
}

export async function listWorkspaceCalls(
  app: App,
  caller: AccountCaller,
  slug: string,
  query: WorkspaceCallQuery,
) {
  return listPlace(app, caller, query, async (tx) => {
    const workspace = await getWorkspaceRow(tx, caller, slug);
    return { workspaceId: workspace.id };
  });
}

async function listPlace(
  app: App,
  caller: AccountCaller,
  query: WorkspaceCallQuery,
  findPlace: (tx: Tx) => Promise<CallPlace>,
) {
  const order = orderOf(query.sort, query.cursor);
  const { q } = query;
  if (q === undefined)
    return app.db.asTenant(caller, async (tx) => listAll(tx, caller, await findPlace(tx), query, order));
  // Words are looked up past the policy, and the place is one of them: it is found first.
  const place = await app.db.asTenant(caller, findPlace);
  const found = await searchCalls(app, caller, place, { ...query, q }, order);
  const showing = app.db.asTenant(caller, async (tx) => {
    if ("rows" in found) return showPage(tx, found.rows, query.limit, order);
    const said = narrow(selectIds(tx), caller, place, query).where(hasSaid(found.query));
    return showPage(tx, await fetchIds(said, order, query.limit + 1), query.limit, order);
  });
  const [page, total] = await Promise.all([showing, found.count()]);
  return { ...page, total };
}

export async function getCall(app: App, caller: AccountCaller, id: string) {
  return app.db.asTenant(caller, async (tx) => {
    const row: ShownCall | undefined = await selectShown(tx).where("calls.id", "=", id).executeTakeFirst();
    const slug = row && (await slugsOf(tx, [row.workspace_id])).get(row.workspace_id);
    if (row === undefined || slug === undefined) throw notFound("call");
    return { call_log: toCallLog(row, slug) };
  });
}

type CallIds = ReturnType<typeof selectIds>;

async function listAll(
  tx: Tx,
  caller: AccountCaller,
  place: CallPlace,
  query: WorkspaceCallQuery,
  order: CallOrder,
) {
  // Which index is best depends on what is looked for: no plan is kept for all.
  await sql`set local plan_cache_mode = force_custom_plan`.execute(tx);
  const selected = narrow(selectIds(tx), caller, place, query);
  const ids = await fetchIds(selected, order, query.limit + 1);
  const isAll = order.after === undefined && ids.length <= query.limit;
  const total = isAll ? ids.length : await count(tx, selected);
  return { ...(await showPage(tx, ids, query.limit, order)), total };
}

async function showPage(tx: Tx, ids: CallKey[], limit: number, order: CallOrder) {
  const { rows, nextCursor } = toPage(ids, limit, (row) => order.cursorOf(row));
  return { call_logs: await show(tx, rows), next_cursor: nextCursor };
}

/** Ids only until the page is known: transcripts are the most of a call. */
function selectIds(tx: Tx) {
  return tx.selectFrom("calls").select(["id", "started_at", "duration_seconds"]);
}

function narrow(
  select: CallIds,
  { accountId }: AccountCaller,
  { organizationId, workspaceId }: CallPlace,
  query: WorkspaceCallQuery,
): CallIds {
  const equal = {
    account_id: accountId,
    workspace_id: workspaceId,
    organization_id: organizationId,
    number_id: query.number_id,
    direction: query.direction,
    status: query.status,
    ended_reason: query.ended_reason,
    caller_number: query.caller,
    has_tool_calls: query.has_tool_calls,
  };
  const { from, to, min_duration: min, max_duration: max } = query;
  let narrowed = select.where((eb) =>
    eb.and(Object.fromEntries(Object.entries(equal).filter(([, value]) => value !== undefined))),
  );
  if (from !== undefined) narrowed = narrowed.where("started_at", ">=", from);
  if (to !== undefined) narrowed = narrowed.where("started_at", "<", to);
  if (min !== undefined) narrowed = narrowed.where("duration_seconds", ">=", min);
  if (max !== undefined) narrowed = narrowed.where("duration_seconds", "<=", max);
  if (query.sort.endsWith("duration")) narrowed = narrowed.where("duration_seconds", "is not", null);
  return narrowed;
}

/** As a value, which is asked for call by call: as a join, it would be made for all of them. */
function hasSaid(query: string): RawBuilder<boolean> {
  return sql<boolean>`(select said.words @@ ${query}::tsquery from call_transcripts said
    where said.call_id = calls.id)`;
}

async function count(tx: Tx, selected: CallIds): Promise<CallTotal> {
  const some = selected
    .clearSelect()
    .select("id")
    .limit(TOTAL_MAX + 1);
  const { total } = await tx
    .selectFrom(some.as("some"))
    .select(({ fn }) => fn.countAll<number>().as("total"))
    .executeTakeFirstOrThrow();
  return Number(total) > TOTAL_MAX ? `${TOTAL_MAX}+` : Number(total);
}

async function fetchIds(selected: CallIds, order: CallOrder, limit: number): Promise<CallKey[]> {
  const { column, direction } = order;
  const rest = selected.where(isAfter(order, "id"));
  return rest.orderBy(column, direction).orderBy("id", direction).limit(limit).execute();
}

/** The calls of a page, in its order. */
async function show(tx: Tx, page: readonly CallKey[]): Promise<CallLog[]> {
  if (page.length === 0) return [];
  const ids = page.map(({ id }) => id);
  const rows = await selectShown(tx).where("calls.id", "in", ids).execute();
  const slugs = await slugsOf(tx, [...new Set(rows.map((row) => row.workspace_id))]);
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.flatMap((id) => {
    const row = byId.get(id);
    const slug = row && slugs.get(row.workspace_id);
    // None: its workspace is being erased.
    return row === undefined || slug === undefined ? [] : [toCallLog(row, slug)];
  });
}

/** Calls with their transcripts. */
export function selectShown(tx: Tx) {
  return tx
    .selectFrom("calls")
    .leftJoin("call_transcripts", "call_transcripts.call_id", "calls.id")
    .selectAll("calls")
    .select("call_transcripts.transcript");
}
