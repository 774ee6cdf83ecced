import { Problem } from "./problem.ts";

/** One page of a list: `limit` rows from just behind the row that `cursor` names. */
export interface PageRequest {
  limit: number;
  cursor?: string | undefined;
}

/** The page's rows, and the cursor of the next one. */
export interface Page<Row> {
  rows: Row[];
  nextCursor: string | null;
}

const UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
/** Fourteen digits end in the year 5138: a time that PostgreSQL and JavaScript both know. */
const TIME_AND_UUID = new RegExp(`^(\\d{1,14}):(${UUID})$`);
const UUID_AND_BIGINT = new RegExp(`^(${UUID}):(\\d{1,15})$`);

/** Cuts off the row that was fetched beyond the page: its presence means that there is a next page. */
export function toPage<Row>(fetched: Row[], limit: number, keyOf: (row: Row) => string | number): Page<Row> {
  const rows = fetched.slice(0, limit);
  const last = rows.at(-1);
  const more = fetched.length > limit && last !== undefined;
  return { rows, nextCursor: more ? encodeCursor(keyOf(last)) : null };
}

/** The integer id a cursor stands for, or `undefined` on the first page. */
export function integerCursor(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined;
  const text = decodeCursor(cursor);
  if (!/^[1-9]\d{0,9}$/.test(text)) throw badCursor();
  return Math.min(Number(text), 2_147_483_647);
}

/** The UUID a cursor stands for, or `undefined` on the first page. */
export function uuidCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const text = decodeCursor(cursor);
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) throw badCursor();
  return text;
}

/** The match of what a cursor of several parts stands for, or `undefined` on the first page. */
export function matchCursor(cursor: string | undefined, form: RegExp): RegExpExecArray | undefined {
  if (cursor === undefined) return undefined;
  const match = form.exec(decodeCursor(cursor));
  if (match === null) throw badCursor();
  return match;
}

/** The place in a list that is sorted by a time and then by UUID, or `undefined` on the first page. */
export function timeCursor(cursor: string | undefined): { time: Date; id: string } | undefined {
  const [, ms, id] = matchCursor(cursor, TIME_AND_UUID) ?? [];
  return ms === undefined || id === undefined ? undefined : { time: new Date(Number(ms)), id };
}

/** What {@link timeCursor} reads; times have the precision of milliseconds. */
export function timeKey(time: Date, id: string): string {
  return `${time.getTime()}:${id}`;
}

/** The `bigint` id a cursor stands for, or `undefined` on the first page. */
export function bigintCursor(cursor: string | undefined): number | undefined {
  const match = matchCursor(cursor, /^[1-9]\d{0,14}$/);
  return match === undefined ? undefined : Number(match[0]);
}

/** The place in a list of things that each have several rows: a UUID and a `bigint`. */
export function nestedCursor(cursor: string | undefined): { id: string; row: number } | undefined {
  const [, id, row] = matchCursor(cursor, UUID_AND_BIGINT) ?? [];
  return id === undefined || row === undefined ? undefined : { id, row: Number(row) };
}

function encodeCursor(key: string | number): string {
  return Buffer.from(String(key)).toString("base64url");
}

function decodeCursor(cursor: string): string {
  return Buffer.from(cursor, "base64url").toString("utf8");
}

function badCursor(): Problem {
  return new Problem("invalid_request", "cursor: is not one that this list has given out.", {
    details: [{ path: "query.cursor", message: "is not one that this list has given out" }],
  });
}
