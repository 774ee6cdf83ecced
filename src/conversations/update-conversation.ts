import { recordAudit } from "../audit/record.ts";
import type { App } from "../context.ts";
import type { AccountCaller } from "../http/caller.ts";
import { Problem } from "../http/problem.ts";
import { getWorkspaceRow } from "../workspaces/find.ts";
import type { ConversationRow } from "./conversation.ts";
import type { UpdateConversation } from "./conversations.schemas.ts";
import { getConversationRow, getConversationView, toConversation } from "./find-conversation.ts";
import { requestHandoff } from "./handoff.ts";

/** Name, status, and the switch by which a human takes over. Only what is sent changes, but for what follows from it. */
export async function updateConversation(
  app: App,
  caller: AccountCaller,
  slug: string,
  id: string,
  fields: UpdateConversation,
) {
  return app.db.asTenant(caller, async (tx) => {
    const workspace = await getWorkspaceRow(tx, caller, slug);
    const row = await getConversationRow(tx, workspace.id, id, "update");
    const changes = columnsOf(row, fields);
    if (fields.status === "handoff") await requestHandoff(app, tx, id, null);
    await tx
      .updateTable("conversations")
      .set({ ...changes, updated_at: app.now() })
      .where("id", "=", id)
      .execute();
    await recordAudit(app, tx, caller, {
      action: "conversation.updated",
      resourceType: "conversation",
      resourceId: id,
      organizationId: row.organization_id,
      workspaceId: row.workspace_id,
      details: { fields: Object.keys(fields) },
    });
    return {
      success: true as const,
      conversation: toConversation(await getConversationView(tx, workspace.id, id)),
    };
  });
}

/** Nobody waits any more for a human in a conversation that is open again or closed. */
const NOBODY_WAITS = { handoff_reason: null, handoff_requested_at: null };

function columnsOf(row: ConversationRow, { status, bot_paused, name }: UpdateConversation) {
  if (name === null && row.thread_slug !== null) {
    throw new Problem("invalid_request", "body.name: a thread keeps a name; send another one.", {
      details: [{ path: "body.name", message: "must not be null for a thread" }],
    });
  }
  return {
    ...(name === undefined ? {} : { name }),
    ...(status === "open" ? { status, ...NOBODY_WAITS } : {}),
    // Who writes into a closed conversation would otherwise be left without any answer.
    ...(status === "closed" ? { status, ...NOBODY_WAITS, bot_paused: false } : {}),
    ...(bot_paused === undefined ? {} : { bot_paused }),
  };
}
