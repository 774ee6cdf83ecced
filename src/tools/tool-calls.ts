import { createHash } from "node:crypto";
import type { Selectable } from "kysely";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { AccountCaller } from "../http/caller.ts";
import { toPage, uuidCursor } from "../http/page.ts";
import { getWorkspaceRow } from "../workspaces/find.ts";
import type { CallContext } from "./call-tool.ts";
import { canonicalJson } from "./canonical-json.ts";
import { ToolCall, type ToolCallQuery } from "./tools.schemas.ts";
import type { ToolTables } from "./tools.tables.ts";

/** One call for the ledger. Arguments are kept as a hash only: they may be personal data. */
export type ToolCallEntry = {
  /** `null`: built in, or there is no such tool. */
  toolId: string | null;
  toolName: string;
  arguments: unknown;
  /** `null`: it succeeded. */
  code: string | null;
  httpStatus?: number | null;
  ms: number;
  bytes: number;
};

/** Written by `callTool`; by others for calls that they refuse and for tools that they have built in. */
export async function recordToolCall(app: App, context: CallContext, entry: ToolCallEntry): Promise<void> {
  const row = {
    partner_id: context.partnerId,
    account_id: context.accountId,
    organization_id: context.organizationId,
    workspace_id: context.workspaceId,
    id: app.newId(),
    tool_name: entry.toolName.toWellFormed().replaceAll("\u0000", "").slice(0, 200),
    conversation_id: context.conversationId,
    turn_id: context.turnId,
    arguments_sha256: createHash("sha256").update(canonicalJson(entry.arguments)).digest("hex"),
    status: entry.code === null ? ("ok" as const) : ("failed" as const),
    code: entry.code,
    http_status: entry.httpStatus ?? null,
    ms: Math.round(entry.ms),
    bytes: entry.bytes,
  };
  try {
    await app.db.asTenant(tenantOf(context), async (tx) => {
      const tool_id = entry.toolId === null ? null : await lockTool(tx, context, entry.toolId);
      await tx
        .insertInto("tool_calls")
        .values({ ...row, tool_id })
        .execute();
    });
  } catch (error) {
    if (!isForeignKeyViolation(error)) throw error;
    const { requestId, workspaceId } = context;
    app.log.info({ requestId, workspaceId }, "a tool call of a workspace that is gone was not recorded");
  }
}

/** The same context as a tenant, for transactions. */
export function tenantOf({ partnerId, accountId, workspaceId }: CallContext) {
  return { partnerId, accountId, workspaceId };
}

/** Newest first. */
export async function listToolCalls(app: App, caller: AccountCaller, slug: string, query: ToolCallQuery) {
  const before = uuidCursor(query.cursor);
  return app.db.asTenant(caller, async (tx) => {
    const { id } = await getWorkspaceRow(tx, caller, slug);
    let select = tx
      .selectFrom("tool_calls")
      .selectAll()
      .where("workspace_id", "=", id)
      .orderBy("id", "desc")
      .limit(query.limit + 1);
    if (before !== undefined) select = select.where("id", "<", before);
    if (query.tool_id !== undefined) select = select.where("tool_id", "=", query.tool_id);
    if (query.status !== undefined) select = select.where("status", "=", query.status);
    if (query.conversation_id !== undefined)
      select = select.where("conversation_id", "=", query.conversation_id);
    const { rows, nextCursor } = toPage(await select.execute(), query.limit, (row) => row.id);
    return { tool_calls: rows.map(toToolCall), next_cursor: nextCursor };
  });
}

/** At most `limit` of the workspace's calls from before a time; returns how many went. */
export async function deleteToolCallsBefore(
  tx: Tx,
  workspaceId: number,
  time: Date,
  limit = 5_000,
): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom("tool_calls")
    .where("id", "in", (eb) =>
      eb
        .selectFrom("tool_calls")
        .select("id")
        .where("workspace_id", "=", workspaceId)
        .where("created_at", "<", time)
        .orderBy("created_at")
        .limit(limit),
    )
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

/** The calls that were made in these conversations; returns how many went. */
export async function deleteToolCallsOf(tx: Tx, conversationIds: readonly string[]): Promise<number> {
  if (conversationIds.length === 0) return 0;
  const { numDeletedRows } = await tx
    .deleteFrom("tool_calls")
    .where("conversation_id", "in", [...conversationIds])
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

/** A tool that is deleted meanwhile leaves its calls, without an id. */
async function lockTool(tx: Tx, context: CallContext, toolId: string): Promise<string | null> {
  const row = await tx
    .selectFrom("tools")
    .select("id")
    .where("organization_id", "=", context.organizationId)
    .where("id", "=", toolId)
    .forKeyShare()
    .executeTakeFirst();
  return row?.id ?? null;
}

function isForeignKeyViolation(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "23503";
}

function toToolCall(row: Selectable<ToolTables["tool_calls"]>): ToolCall {
  return ToolCall.parse({ ...row, created_at: row.created_at.toISOString() });
}
