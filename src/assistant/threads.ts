import { recordAudit } from "../audit/record.ts";
import type { App } from "../context.ts";
import { createThread, deleteThread, renameThread, type ThreadRow } from "../conversations/threads.ts";
import type { AccountCaller } from "../http/caller.ts";
import { notFound, Problem } from "../http/problem.ts";
import { deleteToolCallsOf } from "../tools/tool-calls.ts";
import { getWorkspaceRow } from "../workspaces/find.ts";
import type { Thread } from "./chat.schemas.ts";

const UNNAMED = "Thread";

/** A conversation with a name, in a workspace. */
export async function newThread(
  app: App,
  caller: AccountCaller,
  slug: string,
  wanted: { name?: string | undefined; slug?: string | undefined },
) {
  return app.db.asTenant(caller, async (tx) => {
    const workspace = await getWorkspaceRow(tx, caller, slug, "share");
    const owner = {
      partnerId: workspace.partner_id,
      accountId: workspace.account_id,
      organizationId: workspace.organization_id,
      workspaceId: workspace.id,
    };
    const row = await createThread(app, tx, owner, {
      slug: wanted.slug ?? app.newId(),
      name: wanted.name ?? UNNAMED,
    });
    if (row === undefined) {
      throw new Problem(
        "conflict",
        "The workspace has a thread with this slug already. Choose another one.",
        {
          details: [{ path: "body.slug", message: "is taken" }],
        },
      );
    }
    return toResponse(row);
  });
}

export async function updateThread(
  app: App,
  caller: AccountCaller,
  slug: string,
  threadSlug: string,
  name: string,
) {
  return app.db.asTenant(caller, async (tx) => {
    const workspace = await getWorkspaceRow(tx, caller, slug);
    const row = await renameThread(app, tx, workspace.id, threadSlug, name);
    if (row === undefined) throw notFound("thread");
    return toResponse(row);
  });
}

/** With all that was said in it. */
export async function removeThread(app: App, caller: AccountCaller, slug: string, threadSlug: string) {
  return app.db.asTenant(caller, async (tx) => {
    const workspace = await getWorkspaceRow(tx, caller, slug);
    const id = await deleteThread(tx, workspace.id, threadSlug);
    if (id === undefined) throw notFound("thread");
    await deleteToolCallsOf(tx, [id]);
    await recordAudit(app, tx, caller, {
      action: "thread.deleted",
      resourceType: "thread",
      resourceId: id,
      organizationId: workspace.organization_id,
      workspaceId: workspace.id,
    });
    return { success: true as const };
  });
}

function toResponse(row: ThreadRow) {
  const thread: Thread = {
    id: row.id,
    slug: row.thread_slug,
    name: row.name,
    workspace_id: row.workspace_id,
    user_id: null,
    createdAt: row.created_at.toISOString(),
    lastUpdatedAt: row.updated_at.toISOString(),
  };
  return { success: true as const, thread, message: null };
}
