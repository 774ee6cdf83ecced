import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { recordEvent } from "../webhooks/record-event.ts";
import { ownerOf } from "./conversation.ts";

/**
 * Marks a conversation as waiting for a human, and tells the partner. The assistant goes on answering until somebody
 * takes over. Call it towards the end of a transaction; see {@link recordEvent}.
 *
 * @param reason for whoever takes over; it may hold what the person said, so it is not part of the event
 * @returns whether that is new: one that waits already is left as it is
 */
export async function requestHandoff(
  app: App,
  tx: Tx,
  conversationId: string,
  reason: string | null,
): Promise<boolean> {
  const marked = await tx
    .updateTable("conversations")
    .set({
      status: "handoff",
      handoff_reason: reason,
      handoff_requested_at: app.now(),
      updated_at: app.now(),
    })
    .where("id", "=", conversationId)
    .where("status", "<>", "handoff")
    .returning(["partner_id", "account_id", "organization_id", "workspace_id", "channel", "contact_id"])
    .executeTakeFirst();
  if (marked === undefined) return false;
  await recordEvent(app, tx, ownerOf(marked), {
    type: "conversation.handoff_requested",
    subject: { kind: "conversation", id: conversationId },
    data: { conversation_id: conversationId, channel: marked.channel, contact_id: marked.contact_id },
  });
  return true;
}
