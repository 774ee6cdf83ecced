import { type RawBuilder, sql } from "kysely";
import { matchCursor } from "../http/page.ts";
import type { CALL_SORTS } from "./call-log.schemas.ts";

/** What a list of calls is ordered by, and what its cursor is made of. */
export interface CallKey {
  id: string;
  started_at: Date;
  duration_seconds: number | null;
}

/** In which order, and where a page begins. */
export interface CallOrder {
  column: "started_at" | "duration_seconds";
  direction: "asc" | "desc";
  /** What the page before ended with; undefined: it is the first. */
  after: { value: number; id: string } | undefined;
  /** A page's cursor: the sort is part of it, since one of another sort would skip calls. */
  cursorOf(row: CallKey): string;
}

const UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";

/** @throws Problem `invalid_request` for a cursor that is none of this sort's */
export function orderOf(sort: (typeof CALL_SORTS)[number], cursor: string | undefined): CallOrder {
  const column = sort.endsWith("duration") ? "duration_seconds" : "started_at";
  const [, value, id] = matchCursor(cursor, new RegExp(`^${sort} (\\d{1,14}) (${UUID})$`)) ?? [];
  return {
    column,
    direction: sort.startsWith("-") ? "desc" : "asc",
    after: value === undefined || id === undefined ? undefined : { value: Number(value), id },
    cursorOf: (row) => `${sort} ${Number(row[column])} ${row.id}`,
  };
}

/** What follows the cursor. */
export function isAfter({ column, direction, after }: CallOrder, id: "id" | "call_id"): RawBuilder<boolean> {
  if (after === undefined) return sql<boolean>`true`;
  const value =
    column === "started_at" ? sql`${new Date(after.value)}::timestamptz` : sql`${after.value}::integer`;
  const sign = sql.raw(direction === "desc" ? "<" : ">");
  return sql<boolean>`(${sql.ref(column)}, ${sql.ref(id)}) ${sign} (${value}, ${after.id}::uuid)`;
}
