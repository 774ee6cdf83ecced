import { recordAudit } from "../audit/record.ts";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { AccountCaller } from "../http/caller.ts";
import { type PageRequest, toPage, uuidCursor } from "../http/page.ts";
import { notFound } from "../http/problem.ts";
import { getWorkspaceRow, type WorkspaceRow } from "../workspaces/find.ts";
import { toTool } from "./tools.service.ts";

const SHOWN_MAX = 500;

/** The tools that a workspace's assistant may call, newest first. */
export async function listWorkspaceTools(app: App, caller: AccountCaller, slug: string, page: PageRequest) {
  return app.db.asTenant(caller, async (tx) =>
    pageOfTools(tx, await getWorkspaceRow(tx, caller, slug), page),
  );
}

/** Attaching twice is attaching once. */
export async function attachTool(app: App, caller: AccountCaller, slug: string, toolId: string) {
  return app.db.asTenant(caller, async (tx) => {
    const workspace = await getWorkspaceRow(tx, caller, slug, "share");
    const tool = await tx
      .selectFrom("tools")
      .select("id")
      .where("id", "=", toolId)
      .where("organization_id", "=", workspace.organization_id)
      .forShare()
      .executeTakeFirst();
    if (tool === undefined) throw notFound("tool");
    const inserted = await tx
      .insertInto("workspace_tools")
      .values({
        partner_id: caller.partnerId,
        account_id: caller.accountId,
        organization_id: workspace.organization_id,
        workspace_id: workspace.id,
        tool_id: toolId,
      })
      .onConflict((conflict) => conflict.doNothing())
      .returning("tool_id")
      .executeTakeFirst();
    if (inserted !== undefined) await audit(app, tx, caller, "tool.attached", workspace, toolId);
    return answer(tx, workspace);
  });
}

export async function detachTool(app: App, caller: AccountCaller, slug: string, toolId: string) {
  return app.db.asTenant(caller, async (tx) => {
    const workspace = await getWorkspaceRow(tx, caller, slug, "share");
    const deleted = await tx
      .deleteFrom("workspace_tools")
      .where("workspace_id", "=", workspace.id)
      .where("tool_id", "=", toolId)
      .returning("tool_id")
      .executeTakeFirst();
    if (deleted === undefined) throw notFound("tool attached to this workspace");
    await audit(app, tx, caller, "tool.detached", workspace, toolId);
    return answer(tx, workspace);
  });
}

async function answer(tx: Tx, workspace: WorkspaceRow) {
  const { tools } = await pageOfTools(tx, workspace, { limit: SHOWN_MAX });
  return { success: true as const, tools };
}

async function pageOfTools(tx: Tx, workspace: WorkspaceRow, page: PageRequest) {
  const before = uuidCursor(page.cursor);
  const select = tx
    .selectFrom("tools")
    .innerJoin("workspace_tools", "workspace_tools.tool_id", "tools.id")
    .selectAll("tools")
    .where("workspace_tools.workspace_id", "=", workspace.id)
    .orderBy("tools.id", "desc")
    .limit(page.limit + 1);
  const fetched = await (before === undefined ? select : select.where("tools.id", "<", before)).execute();
  const { rows, nextCursor } = toPage(fetched, page.limit, (row) => row.id);
  return { tools: rows.map(toTool), next_cursor: nextCursor };
}

async function audit(
  app: App,
  tx: Tx,
  caller: AccountCaller,
  action: `tool.${string}`,
  workspace: WorkspaceRow,
  toolId: string,
): Promise<void> {
  await recordAudit(app, tx, caller, {
    action,
    resourceType: "tool",
    resourceId: toolId,
    organizationId: workspace.organization_id,
    workspaceId: workspace.id,
  });
}
