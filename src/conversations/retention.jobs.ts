import { sql } from "kysely";
import { z } from "zod";
import type { App } from "../context.ts";
import type { Tenant, Tx } from "../db/database.ts";
import { JobFailure, type JobHandler, type RunningJob } from "../jobs/worker.ts";
import { deleteToolCallsBefore } from "../tools/tool-calls.ts";
import { findWorkspaceById } from "../workspaces/find.ts";
import { cutoffOf } from "./retention-cutoff.ts";

export const RETENTION_JOB = "retention";

/** Rows a transaction: on the embedded database nobody else is served meanwhile. */
const AT_ONCE = 500;

const Payload = z.object({ workspaceId: z.int() });

/**
 * Removes what is older than the workspace's `retention_days`: what later rooms keep, calls of tools, messages, then conversations with nothing left in them,
 * then people with no conversation left.
 */
export const retentionHandler: JobHandler = async (app, job) => {
  const payload = Payload.safeParse(job.payload);
  if (!payload.success || job.accountId === null)
    throw new JobFailure("bad_payload", "This job does not say which workspace to look through.");
  const { workspaceId } = payload.data;
  const tenant: Tenant = { partnerId: job.partnerId, accountId: job.accountId };
  const workspace = await app.db.asTenant(tenant, (tx) => findWorkspaceById(tx, workspaceId), "background");
  // Erased, or kept for ever since this was begun.
  if (workspace === undefined || workspace.retention_days === null) return { removed: 0 };
  const cutoff = cutoffOf(app.now(), workspace.retention_days);
  let removed = 0;
  const parts = app.retentionParts.map(
    ({ remove }) =>
      (tx: Tx) =>
        remove(tx, workspaceId, cutoff, AT_ONCE),
  );
  for (const part of parts) removed += await repeat(app, job, tenant, part);
  for (const step of [removeToolCalls, removeMessages, removeConversations, removeContacts])
    removed += await repeat(app, job, tenant, (tx) => step(tx, workspaceId, cutoff));
  return { removed };
};

/** As many small transactions as it takes. */
async function repeat(
  app: App,
  job: RunningJob,
  tenant: Tenant,
  work: (tx: Tx) => Promise<number>,
): Promise<number> {
  for (let total = 0; ; ) {
    job.signal.throwIfAborted();
    const removed = await app.db.asTenant(tenant, work, "background");
    total += removed;
    if (removed < AT_ONCE) return total;
  }
}

async function removeToolCalls(tx: Tx, workspaceId: number, cutoff: Date): Promise<number> {
  return deleteToolCallsBefore(tx, workspaceId, cutoff, AT_ONCE);
}

async function removeMessages(tx: Tx, workspaceId: number, cutoff: Date): Promise<number> {
  const gone = await tx
    .deleteFrom("messages")
    .where("id", "in", (eb) =>
      eb
        .selectFrom("messages")
        .select("id")
        .where("workspace_id", "=", workspaceId)
        .where("created_at", "<", cutoff)
        .orderBy("created_at")
        .limit(AT_ONCE),
    )
    .executeTakeFirst();
  return Number(gone.numDeletedRows);
}

async function removeConversations(tx: Tx, workspaceId: number, cutoff: Date): Promise<number> {
  // Held first: one that is just being written in is left alone, and what was written is seen by the next statement.
  const held = await tx
    .selectFrom("conversations")
    .select("id")
    .where("workspace_id", "=", workspaceId)
    .where("last_message_at", "<", cutoff)
    .orderBy("last_message_at")
    .limit(AT_ONCE)
    .forUpdate()
    .skipLocked()
    .execute();
  if (held.length === 0) return 0;
  const gone = await tx
    .deleteFrom("conversations")
    .where(
      "id",
      "in",
      held.map(({ id }) => id),
    )
    .executeTakeFirst();
  return Number(gone.numDeletedRows);
}

async function removeContacts(tx: Tx, workspaceId: number, cutoff: Date): Promise<number> {
  const unused = () =>
    sql<boolean>`not exists (select from conversations c
      where c.workspace_id = contacts.workspace_id and c.contact_id = contacts.id)`;
  const held = await tx
    .selectFrom("contacts")
    .select("id")
    .where("workspace_id", "=", workspaceId)
    .where("created_at", "<", cutoff)
    .where("updated_at", "<", cutoff)
    .where(unused())
    .limit(AT_ONCE)
    .forUpdate()
    .skipLocked()
    .execute();
  if (held.length === 0) return 0;
  // Asked once more, now that they are held: a conversation may have been opened with one of them just before.
  const gone = await tx
    .deleteFrom("contacts")
    .where(
      "id",
      "in",
      held.map(({ id }) => id),
    )
    .where(unused())
    .executeTakeFirst();
  return Number(gone.numDeletedRows);
}
