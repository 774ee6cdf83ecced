import { sql } from "kysely";
import type { App } from "../context.ts";
import type { AccountCaller } from "../http/caller.ts";
import { TOTAL_MAX, type WorkspaceCallQuery } from "./call-log.schemas.ts";
import { wordsQuery } from "./call-words.ts";

/** How words narrow a list of calls: to these, or, where too many said them, by looking at each. */
export type Said = { ids: string[] } | { query: string } | null;

/** Where in the tenant is looked. */
export interface CallPlace {
  organizationId?: number | undefined;
  workspaceId?: number | undefined;
}

/**
 * Few calls: all of them are looked up by their words, and the rest of the filters looks at those. Many: whoever goes
 * through the calls in their order meets enough of them soon. Looked up past the policy, which keeps `@@` from using an
 * index, and so with the tenant in the statement; the ids go through the policy of the calls afterwards.
 */
export async function findSaid(
  app: App,
  { partnerId, accountId, workspaceId }: AccountCaller,
  place: CallPlace,
  asked: WorkspaceCallQuery,
): Promise<Said | "nothing"> {
  if (asked.q === undefined) return null;
  const query = wordsQuery(asked.q, {
    account: accountId,
    organization: place.organizationId,
    workspace: workspaceId ?? place.workspaceId,
    direction: asked.direction,
    reason: asked.ended_reason,
    tools: asked.has_tool_calls,
    number: asked.number_id,
    caller: asked.caller,
  });
  if (query === undefined) return "nothing";
  const own = workspaceId === undefined ? sql`` : sql`and workspace_id = ${workspaceId}`;
  const rows = await app.db.asSystem("jobs", async (tx) => {
    await sql`set local work_mem = '64MB'`.execute(tx);
    const found = await sql<{ id: string }>`select call_id as id from call_transcripts
      where words @@ ${query}::tsquery and partner_id = ${partnerId} and account_id = ${accountId} ${own}
      limit ${TOTAL_MAX + 1}`.execute(tx);
    return found.rows;
  });
  if (rows.length === 0) return "nothing";
  return rows.length > TOTAL_MAX ? { query } : { ids: rows.map(({ id }) => id) };
}
