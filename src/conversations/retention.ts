import { sql } from "kysely";
import type { App } from "../context.ts";
import { Problem } from "../http/problem.ts";
import { listRetainingWorkspaces, type RetainingWorkspace } from "../workspaces/find.ts";
import { RETENTION_JOB } from "./retention.jobs.ts";
import { cutoffOf } from "./retention-cutoff.ts";

const WORKSPACES_AT_ONCE = 500;

/**
 * Begins a job for every workspace that holds what is older than its `retention_days` allow. One job a workspace, in
 * its organization's lane: a workspace with a million old messages keeps nobody else waiting.
 *
 * @returns how many jobs were begun, or are under way
 */
export async function beginRetention(app: App): Promise<number> {
  let begun = 0;
  for (let last = 0; ; ) {
    const some = await findOverdue(app, last);
    for (const workspace of some.overdue) begun += await begin(app, workspace);
    if (some.last === undefined) return begun;
    last = some.last;
  }
}

async function findOverdue(
  app: App,
  afterId: number,
): Promise<{ overdue: RetainingWorkspace[]; last: number | undefined }> {
  return app.db.asSystem(
    "jobs",
    async (tx) => {
      const workspaces = await listRetainingWorkspaces(tx, afterId, WORKSPACES_AT_ONCE);
      if (workspaces.length === 0) return { overdue: [], last: undefined };
      const ids = workspaces.map(({ id }) => id);
      const cutoffs = workspaces.map(({ retention_days: days }) => cutoffOf(app.now(), days).toISOString());
      const { rows } = await sql<{ id: number }>`
        select kept.id from unnest(${ids}::integer[], ${cutoffs}::timestamptz[]) as kept (id, cutoff)
        where exists (select from messages m where m.workspace_id = kept.id and m.created_at < kept.cutoff)
          or exists (select from conversations c where c.workspace_id = kept.id and c.last_message_at < kept.cutoff)
          ${sql.join(
            app.retentionParts.map(({ isOverdue }) => sql`or ${isOverdue}`),
            sql` `,
          )}`.execute(tx);
      const overdue = new Set(rows.map(({ id }) => id));
      return { overdue: workspaces.filter(({ id }) => overdue.has(id)), last: ids.at(-1) };
    },
    "background",
  );
}

async function begin(
  app: App,
  { id, partner_id, account_id, organization_id }: RetainingWorkspace,
): Promise<number> {
  try {
    await app.db.asTenant(
      { partnerId: partner_id, accountId: account_id },
      (tx) =>
        app.queue.enqueue(tx, {
          kind: RETENTION_JOB,
          partnerId: partner_id,
          accountId: account_id,
          organizationId: organization_id,
          workspaceId: id,
          key: String(id),
          payload: { workspaceId: id },
        }),
      "background",
    );
    return 1;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    app.log.warn(
      { error, workspaceId: id },
      "old conversations are removed an hour later: the organization's lane is full",
    );
    return 0;
  }
}
