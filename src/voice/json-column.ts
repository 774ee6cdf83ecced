import { type RawBuilder, sql } from "kysely";

/** A value for a column of the type `json`; `null` is no JSON but nothing. */
export function jsonOrNull(value: unknown): RawBuilder<unknown> | null {
  return value === null ? null : sql`${JSON.stringify(value)}::json`;
}
