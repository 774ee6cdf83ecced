import { type RawBuilder, sql } from "kysely";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { AccountCaller } from "../http/caller.ts";
import { matchCursor, toPage } from "../http/page.ts";
import { notFound } from "../http/problem.ts";
import { getOrganizationById } from "../organizations/find.ts";
import { getWorkspaceRow, slugsOf } from "../workspaces/find.ts";
import {
  type CALL_SORTS,
  type CallLog,
  type CallQuery,
  TOTAL_MAX,
  type WorkspaceCallQuery,
} from "./call-log.schemas.ts";
import { type CallPlace, findSaid, type Said } from "./find-said.ts";
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
  if (query.q === undefined)
    return app.db.asTenant(caller, async (tx) => pageOf(tx, caller, await findPlace(tx), query, null));
  // The place is one of the words that are looked up, which happens past the policy: it is found first.
  const place = await app.db.asTenant(caller, findPlace);
  const said = await findSaid(app, caller, place, query);
  return app.db.asTenant(caller, (tx) => pageOf(tx, caller, place, query, said));
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

async function pageOf(
  tx: Tx,
  caller: AccountCaller,
  place: CallPlace,
  query: WorkspaceCallQuery,
  said: Said | "nothing",
) {
  const order = orderOf(query.sort);
  const after = matchCursor(query.cursor, order.cursor);
  if (said === "nothing") return { call_logs: [], next_cursor: null, total: 0 };
  const selected = narrow(selectIds(tx), caller, place, query, said);
  const total = knownTotal(query, said) ?? (await count(tx, selected));
  const ids = await fetchIds(selected, order, after, query.limit + 1);
  const { rows, nextCursor } = toPage(ids, query.limit, (row) => order.keyOf(row));
  return { call_logs: await show(tx, rows), next_cursor: nextCursor, total };
}

/** Where words and facts are all that is asked for, they were counted when they were looked up. */
function knownTotal(query: WorkspaceCallQuery, said: Said): number | `${typeof TOTAL_MAX}+` | undefined {
  if (said === null || hasOtherFilters(query)) return undefined;
  return "ids" in said ? said.ids.length : `${TOTAL_MAX}+`;
}

/** Filters that are no facts of a call's words. */
function hasOtherFilters({ from, to, min_duration: min, max_duration: max, status }: WorkspaceCallQuery) {
  return [from, to, min, max, status].some((filter) => filter !== undefined);
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
  said: Said,
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
  return said === null ? narrowed : narrowed.where(hasSaid(said));
}

function hasSaid(said: NonNullable<Said>): RawBuilder<boolean> {
  if ("ids" in said) return sql<boolean>`calls.id = any(${said.ids}::uuid[])`;
  // As a value, which is asked for call by call: as a join, it would be made for all of them.
  return sql<boolean>`(select said.words @@ ${said.query}::tsquery from call_transcripts said
    where said.call_id = calls.id)`;
}

async function count(tx: Tx, selected: CallIds): Promise<number | `${typeof TOTAL_MAX}+`> {
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

type IdRow = { id: string; started_at: Date; duration_seconds: number | null };

interface Order {
  column: "started_at" | "duration_seconds";
  direction: "asc" | "desc";
  /** The sort is part of it: a cursor of another one would skip calls. */
  cursor: RegExp;
  keyOf(row: IdRow): string;
}

const UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";

function orderOf(sort: (typeof CALL_SORTS)[number]): Order {
  const column = sort.endsWith("duration") ? "duration_seconds" : "started_at";
  return {
    column,
    direction: sort.startsWith("-") ? "desc" : "asc",
    cursor: new RegExp(`^${sort} (\\d{1,14}) (${UUID})$`),
    keyOf: (row) => `${sort} ${Number(row[column])} ${row.id}`,
  };
}

async function fetchIds(
  selected: CallIds,
  { column, direction }: Order,
  after: RegExpExecArray | undefined,
  limit: number,
): Promise<IdRow[]> {
  const [, key, id] = after ?? [];
  const value = column === "started_at" ? sql`${new Date(Number(key))}::timestamptz` : sql`${key}::integer`;
  const sign = sql.raw(direction === "desc" ? "<" : ">");
  const rest =
    key === undefined
      ? selected
      : selected.where(sql<boolean>`(${sql.ref(column)}, id) ${sign} (${value}, ${id}::uuid)`);
  return rest.orderBy(column, direction).orderBy("id", direction).limit(limit).execute();
}

/** The calls of a page, in its order. */
async function show(tx: Tx, page: readonly IdRow[]): Promise<CallLog[]> {
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
