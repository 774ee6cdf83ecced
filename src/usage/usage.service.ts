import { type RawBuilder, sql } from "kysely";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { Caller } from "../http/caller.ts";
import { matchCursor, toPage } from "../http/page.ts";
import { notFound, Problem } from "../http/problem.ts";
import { getWorkspaceRow } from "../workspaces/find.ts";
import { dayOf } from "./count.ts";
import type { UsageQuery } from "./usage.schemas.ts";

interface DayRow {
  date: string;
  account_id: string;
  organization_id: number;
  messages: number;
  input_tokens: number;
  output_tokens: number;
  searches: number;
  documents: number | null;
  call_seconds: number;
  storage_bytes: number | null;
}

type TotalsRow = Omit<DayRow, "date" | "account_id" | "organization_id" | "storage_bytes"> & {
  storage_byte_days: number | null;
};

interface Span {
  from: string;
  to: string;
}

const DAY_MS = 86_400_000;
const DAYS_DEFAULT = 30;
const DAYS_MAX = 366;

/** Every organization's days with their sums, latest first, and the totals of the whole time. */
export async function getUsage(app: App, caller: Caller, query: UsageQuery) {
  const span = spanOf(app, query);
  const place = matchCursor(query.cursor, /^(\d{1,6}) (\d{1,9})$/);
  // What this process counted up to now is part of the answer.
  await app.usage.flush();
  return app.db.asTenant(caller, async (tx) => {
    if (query.organization_id !== undefined) await requireOrganization(tx, query.organization_id);
    const workspaceId =
      query.workspace === undefined ? undefined : await findWorkspace(tx, caller, query.workspace);
    const days = daysOf(app, span, query.organization_id, workspaceId);
    const behind =
      place === undefined
        ? sql``
        : sql`where (day, organization_id) < ('1970-01-01'::date + ${Number(place[1])}::integer, ${Number(place[2])}::integer)`;
    const { rows: fetched } =
      await sql<DayRow>`${days} select day::text as date, account_id, organization_id, messages,
      input_tokens, output_tokens, searches, documents, call_seconds, storage_bytes
      from days ${behind} order by day desc, organization_id desc limit ${query.limit + 1}`.execute(tx);
    const { rows: totals } =
      await sql<TotalsRow>`${days} select ${sumsOf("messages", "input_tokens", "output_tokens", "searches", "call_seconds")},
      sum(documents)::bigint as documents, sum(storage_bytes)::bigint as storage_byte_days from days`.execute(
        tx,
      );
    const [total] = totals;
    if (total === undefined) throw new Error("a sum without a group has one row");
    const { rows, nextCursor } = toPage(
      fetched,
      query.limit,
      ({ date, organization_id: id }) => `${Date.parse(date) / DAY_MS} ${id}`,
    );
    const none = workspaceId === undefined ? 0 : null;
    const wholeTotal = {
      ...total,
      documents: total.documents ?? none,
      storage_byte_days: total.storage_byte_days ?? none,
    };
    return { ...span, usage: rows, totals: wholeTotal, next_cursor: nextCursor };
  });
}

/** Row-level security leaves the partner's rows, or the account's; the sums are of those. */
function daysOf(
  app: App,
  { from, to }: Span,
  organizationId: number | undefined,
  workspaceId: number | undefined,
): RawBuilder<unknown> {
  const whole = workspaceId === undefined;
  const stored = sql`union all
      select organization_id, day, 0, 0, 0, 0, 0, 0, bytes from usage_storage
      union all
      select organization_id, ${dayOf(app.now())}::date, 0, 0, 0, 0, 0, 0, sum(bytes)::bigint
      from organization_storage group by 1 having sum(bytes) > 0`;
  return sql`with used (organization_id, day, messages, input_tokens, output_tokens, searches, documents, call_seconds, bytes) as (
      select organization_id, day, messages, input_tokens, output_tokens, searches, documents, call_seconds, 0::bigint
      from usage_counts ${whole ? sql`` : sql`where workspace_id = ${workspaceId}`}
      ${whole ? stored : sql``}
    ), days as (
      select organizations.account_id, organization_id, day,
        ${sumsOf("messages", "input_tokens", "output_tokens", "searches", "call_seconds")},
        ${whole ? sql`sum(documents)::bigint` : sql`null::bigint`} as documents,
        ${whole ? sql`max(bytes)` : sql`null::bigint`} as storage_bytes
      from used join organizations on organizations.id = used.organization_id and erasing_at is null
      where day between ${from}::date and ${to}::date
        ${organizationId === undefined ? sql`` : sql`and organization_id = ${organizationId}`}
      group by organizations.account_id, organization_id, day
    )`;
}

function sumsOf(...columns: string[]): RawBuilder<unknown> {
  return sql.join(
    columns.map((column) => sql`coalesce(sum(${sql.ref(column)}), 0)::bigint as ${sql.ref(column)}`),
  );
}

function spanOf(app: App, query: UsageQuery): Span {
  const to = query.to ?? dayOf(app.now());
  const from = query.from ?? dayOf(new Date(Date.parse(to) - (DAYS_DEFAULT - 1) * DAY_MS));
  const days = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
  if (days < 1) throw wrong("to", "is before from");
  if (days > DAYS_MAX) throw wrong("from", `is more than ${DAYS_MAX} days before to`);
  return { from, to };
}

async function requireOrganization(tx: Tx, organizationId: number): Promise<void> {
  const row = await tx
    .selectFrom("organizations")
    .select("id")
    .where("id", "=", organizationId)
    .where("erasing_at", "is", null)
    .executeTakeFirst();
  if (row === undefined) throw notFound("organization");
}

async function findWorkspace(tx: Tx, caller: Caller, slug: string): Promise<number> {
  const { accountId } = caller;
  // Slugs are unique in their account only.
  if (accountId === undefined) throw wrong("workspace", "needs the X-Account-Id header");
  return (await getWorkspaceRow(tx, { ...caller, accountId }, slug)).id;
}

function wrong(name: string, message: string): Problem {
  return new Problem("invalid_request", `query.${name}: ${message}.`, {
    details: [{ path: `query.${name}`, message }],
  });
}
