import { type RawBuilder, sql } from "kysely";
import type { App } from "../context.ts";
import { deleteSome } from "../db/delete-some.ts";
import type { Tables } from "../db/tables.ts";
import type { ErasureTarget } from "./erase-step.ts";

/** Whether a row is in what is being erased. With both ids, so that an index may begin with either. */
export function placeOf(target: ErasureTarget): RawBuilder<boolean> {
  if (target.level === "workspace") return sql<boolean>`workspace_id = ${target.workspaceId}`;
  const inAccount = sql<boolean>`partner_id = ${target.partnerId} and account_id = ${target.accountId}`;
  if (target.level === "account") return inAccount;
  return sql<boolean>`${inAccount} and organization_id = ${target.organizationId}`;
}

/** Removes all rows of a table that are in it, `atOnce` in a transaction. */
export async function eraseRows(
  app: App,
  table: keyof Tables,
  target: ErasureTarget,
  atOnce: number,
  signal: AbortSignal,
): Promise<void> {
  for (let gone = atOnce; gone === atOnce; ) {
    signal.throwIfAborted();
    gone = await app.db.asSystem(
      "erasure",
      (tx) => deleteSome(tx, table, placeOf(target), atOnce),
      "background",
    );
  }
}
