import { type RawBuilder, sql } from "kysely";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { AccountCaller } from "../http/caller.ts";
import type { AskedFacts } from "./call-facts.ts";
import { TOTAL_MAX, type WorkspaceCallQuery } from "./call-log.schemas.ts";
import { type CallKey, type CallOrder, isAfter } from "./call-order.ts";
import { askedOf, wordsQuery } from "./call-words.ts";

/** Where in the tenant is looked. */
export interface CallPlace {
  organizationId?: number | undefined;
  workspaceId?: number | undefined;
}

export type CallTotal = number | `${typeof TOTAL_MAX}+`;

/**
 * Calls that are found by their words.
 * - `rows`: the page, and one call more when there is another page
 * - `query`: too many to be sorted; whoever goes through the calls in their order meets enough of them soon
 */
export type FoundCalls = ({ rows: CallKey[] } | { query: string }) & {
  /** To be asked while the page is read: where it is not known yet, it takes longer. */
  count: () => Promise<CallTotal>;
};

const MANY = `${TOTAL_MAX}+` as const;
/** Calls near the cursor in which a page is looked for first. */
const NEAR_CALLS = 5_000;
/** Where they all but fill it, in so many times their span. */
const WIDER = 8;
/** A wider look is to find so many, if words are as frequent there as near the cursor. */
const AIMED_HITS = 1.3 * TOTAL_MAX;
const DAY_MS = 86_400_000;

interface Window {
  from: Date | undefined;
  to: Date | undefined;
}

/**
 * Looks calls up by the index of their words, past the policy, which keeps `@@` from using it; so with the tenant in the
 * statement, and the calls of a page go through the policy when they are read.
 *
 * A rare word's calls are all of them looked up. Of a frequent one's, those near the cursor make the page, and as many
 * more as are counted are looked for where they must be expected.
 */
export async function searchCalls(
  app: App,
  caller: AccountCaller,
  place: CallPlace,
  query: WorkspaceCallQuery & { q: string },
  order: CallOrder,
): Promise<FoundCalls> {
  const words = askedOf(query.q);
  // Words are known of calls that have ended.
  if (words.length === 0 || query.status === "ringing" || query.status === "in_progress")
    return { rows: [], count: async () => 0 };
  // A key that is narrowed to a workspace sees no other.
  const { organizationId } = place;
  const workspaceId = caller.workspaceId ?? place.workspaceId;
  const asked = { caller, place: { organizationId, workspaceId }, query, words, order, now: app.now() };
  return inSearch(app, (tx) => search(app, tx, asked));
}

/** Words that most calls have are rare in a part of them, and transcripts are long: no table is read as a whole. */
function inSearch<T>(app: App, work: (tx: Tx) => Promise<T>): Promise<T> {
  return app.db.asSystem("jobs", async (tx) => {
    await sql`select set_config('work_mem', '64MB', true), set_config('enable_seqscan', 'off', true)`.execute(
      tx,
    );
    return work(tx);
  });
}

interface Asked {
  caller: AccountCaller;
  place: CallPlace;
  query: WorkspaceCallQuery;
  words: readonly string[];
  order: CallOrder;
  now: Date;
}

async function search(app: App, tx: Tx, asked: Asked): Promise<FoundCalls> {
  const { order, query } = asked;
  const isByTime = order.column === "started_at";
  if (isByTime) {
    const { near, rows, total } = await lookNear(tx, asked);
    if (near.isAll || rows.length > query.limit)
      return { rows, count: () => inSearch(app, (counting) => countAll(counting, asked, near, total)) };
  }
  const all = await look(tx, asked, wholeWindow(asked), TOTAL_MAX + 1);
  const count = async () => (all.total > TOTAL_MAX ? MANY : all.total);
  if (all.total <= TOTAL_MAX) return { rows: all.rows, count };
  if (!isByTime) return { query: wordsQuery(asked.words, factsOf(asked, wholeWindow(asked))), count };
  for (let calls = NEAR_CALLS * WIDER; ; calls *= WIDER) {
    const near = await nearWindow(tx, asked, calls);
    const { rows } = await look(tx, asked, near);
    if (near.isAll || rows.length > query.limit) return { rows, count };
  }
}

/** Looks a second time, as many times as wide, where the page can be expected to be full then. */
async function lookNear(tx: Tx, asked: Asked) {
  const near = await nearWindow(tx, asked, NEAR_CALLS);
  const found = await look(tx, asked, near);
  const { limit } = asked.query;
  if (near.isAll || found.rows.length > limit || found.total * WIDER < limit * 1.3) return { near, ...found };
  const wider = stretched(asked, near, WIDER);
  return { near: wider, ...(await look(tx, asked, wider)) };
}

/** @param hits how many were found near the cursor */
async function countAll(tx: Tx, asked: Asked, near: NearWindow, hits: number): Promise<CallTotal> {
  if (hits > TOTAL_MAX) return MANY;
  if (near.isAll && asked.order.after === undefined) return hits;
  const aimed = stretched(asked, near, AIMED_HITS / hits);
  const isWorthIt = !near.isAll && !(await isToTheEnd(tx, asked, aimed));
  if (isWorthIt && (await countIn(tx, asked, aimed)) > TOTAL_MAX) return MANY;
  const total = await countIn(tx, asked, wholeWindow(asked));
  return total > TOTAL_MAX ? MANY : total;
}

/** From the cursor on, so many times as wide, within what is asked about. */
function stretched({ order, query, now }: Asked, near: NearWindow, factor: number): NearWindow {
  const spanMs = (near.to.getTime() - near.from.getTime()) * factor;
  if (order.direction === "desc") {
    const beginMs = query.from?.getTime() ?? 0;
    return { ...near, from: new Date(Math.max(near.to.getTime() - spanMs, beginMs)) };
  }
  const endMs = (query.to ?? now).getTime();
  return { ...near, to: new Date(Math.min(near.from.getTime() + spanMs, endMs)) };
}

/** Whether there is nothing beyond it, seen from the cursor. */
async function isToTheEnd(tx: Tx, asked: Asked, { from, to }: NearWindow): Promise<boolean> {
  const { order, query, now } = asked;
  if (order.direction === "asc") return to >= (query.to ?? now);
  return (query.from !== undefined && from <= query.from) || from <= (await firstCall(tx, asked));
}

function wholeWindow({ query: { from, to } }: Asked): Window {
  return { from, to };
}

interface NearWindow {
  from: Date;
  to: Date;
  /** There are no calls beyond. */
  isAll: boolean;
}

/** The time in which the place's next so many calls began, seen from the cursor. */
async function nearWindow(tx: Tx, asked: Asked, calls: number): Promise<NearWindow> {
  const { order, now } = asked;
  const { from, to } = wholeWindow(asked);
  const at = order.after === undefined ? undefined : new Date(order.after.value);
  // The cursor's own moment belongs to it: others may have begun in it.
  const edges =
    order.direction === "desc"
      ? { from, to: at === undefined ? to : momentAfter(at) }
      : { from: at ?? from, to };
  const { rows } = await sql<{ first: Date | null; last: Date | null; count: number }>`
    with near as (
      select started_at from calls
      where ${isInPlace(asked)} and ${within(edges)}
      order by started_at ${sql.raw(order.direction)} limit ${sql.lit(calls)}
    )
    select min(started_at) as first, max(started_at) as last, count(*) as count from near`.execute(tx);
  const { first, last, count } = rows[0] ?? { first: null, last: null, count: 0 };
  return { from: first ?? now, to: momentAfter(last ?? now), isAll: count < calls };
}

/** When the place's first call began. */
async function firstCall(tx: Tx, asked: Asked): Promise<Date> {
  const { rows } = await sql<{ started_at: Date }>`
    select started_at from calls where ${isInPlace(asked)} order by started_at limit 1`.execute(tx);
  return rows[0]?.started_at ?? asked.now;
}

/** A call of the narrowest place that is asked about, by its row of `calls`. */
function isInPlace({ caller, place: { organizationId, workspaceId } }: Asked): RawBuilder<boolean> {
  const name = workspaceId === undefined ? "organization_id" : "workspace_id";
  const id = workspaceId ?? organizationId;
  return id === undefined ? isOwn(caller) : sql<boolean>`${isOwn(caller)} and ${sql.ref(name)} = ${id}`;
}

function isOwn({ partnerId, accountId, workspaceId }: AccountCaller): RawBuilder<boolean> {
  const workspace = workspaceId === undefined ? sql`true` : sql`workspace_id = ${workspaceId}`;
  return sql<boolean>`partner_id = ${partnerId} and account_id = ${accountId} and ${workspace}`;
}

/** A moment later, in the precision of a cursor. */
function momentAfter(at: Date): Date {
  return new Date(at.getTime() + 1);
}

/**
 * @param most so many are looked up; of more than these, the rows are any
 * @returns how many there are in the window, and the page that follows the cursor
 */
async function look(
  tx: Tx,
  asked: Asked,
  window: Window,
  most?: number,
): Promise<{ total: number; rows: CallKey[] }> {
  const { query, order } = asked;
  const by = sql.join(
    [order.column, "call_id"].map((name) => sql`${sql.ref(name)} ${sql.raw(order.direction)}`),
  );
  const { rows } = await sql<CallKey & { total: number }>`
    with found as materialized (
      select call_id, started_at, duration_seconds from call_transcripts where ${isAsked(asked, window)}
      ${most === undefined ? sql`` : sql`limit ${sql.lit(most)}`}
    ), page as (
      select * from found where ${isAfter(order, "call_id")} order by ${by} limit ${query.limit + 1}
    )
    select total, call_id as id, started_at, duration_seconds
    from (select count(*) as total from found) counted left join page on true order by ${by}`.execute(tx);
  return { total: rows[0]?.total ?? 0, rows: rows.filter(({ id }) => id !== null) };
}

/** Not farther than are counted. */
async function countIn(tx: Tx, asked: Asked, window: Window): Promise<number> {
  const { rows } = await sql<{ total: number }>`
    select count(*) as total from (
      select from call_transcripts where ${isAsked(asked, window)} limit ${sql.lit(TOTAL_MAX + 1)}
    ) found`.execute(tx);
  return rows[0]?.total ?? 0;
}

/** A call that is looked for, by its row of `call_transcripts`. */
function isAsked(asked: Asked, window: Window): RawBuilder<boolean> {
  const { caller, query, words } = asked;
  const { min_duration: min = 0, max_duration: max } = query;
  const longest = max === undefined ? sql`` : sql`and duration_seconds <= ${max}`;
  return sql<boolean>`words @@ ${wordsQuery(words, factsOf(asked, window))}::tsquery
    and ${isOwn(caller)} and ${within(window)} and duration_seconds >= ${min} ${longest} ${ofStatus(asked)}`;
}

function within({ from, to }: Window): RawBuilder<boolean> {
  const begin = from === undefined ? sql`true` : sql`started_at >= ${from}`;
  const end = to === undefined ? sql`true` : sql`started_at < ${to}`;
  return sql<boolean>`${begin} and ${end}`;
}

/** Those that have ended and are not finalized are few, whatever is looked for. */
function ofStatus({ caller, query }: Asked): RawBuilder<unknown> {
  if (query.status === undefined) return sql``;
  const sign = sql.raw(query.status === "ended" ? "in" : "not in");
  return sql`and call_id ${sign} (select id from calls where status = 'ended' and ${isOwn(caller)})`;
}

function factsOf({ caller, place, query, now }: Asked, { from, to }: Window): AskedFacts {
  const { workspaceId: workspace, organizationId: organization } = place;
  // Both are the account's own, and each word more is a longer look.
  const account = workspace === undefined && organization === undefined ? caller.accountId : undefined;
  return {
    place: { account, organization, workspace },
    equal: {
      direction: query.direction,
      reason: query.ended_reason,
      tools: query.has_tool_calls,
      number: query.number_id,
      caller: query.caller,
    },
    from,
    // No call is known to begin later than that, whatever a carrier's clock says.
    to: to ?? new Date(now.getTime() + DAY_MS),
    minSeconds: query.min_duration,
    maxSeconds: query.max_duration,
  };
}
