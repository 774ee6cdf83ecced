import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { type ConversationOwner, type MessageRow, ownerColumns } from "./conversation.ts";

/**
 * Stores what a human of the business says or has said, and brings the conversation to the top; a closed one is open
 * again.
 *
 * @param status `pending`: it is still to be sent
 * @param pause the assistant falls silent in this conversation; else that is as it was
 */
export async function recordHumanMessage(
  app: App,
  tx: Tx,
  owner: ConversationOwner,
  conversationId: string,
  { text, at, status, pause }: { text: string; at: Date; status: "complete" | "pending"; pause: boolean },
): Promise<MessageRow> {
  const message = await tx
    .insertInto("messages")
    .values({
      ...ownerColumns(owner),
      conversation_id: conversationId,
      turn_id: app.newId(),
      role: "human",
      text,
      status,
      created_at: at,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await tx
    .updateTable("conversations")
    .set((eb) => ({
      ...(pause ? { bot_paused: true } : {}),
      last_message_at: eb.fn<Date>("greatest", ["last_message_at", eb.val(at)]),
      updated_at: app.now(),
      status: eb
        .case()
        .when("status", "=", "closed")
        .then("open" as const)
        .else(eb.ref("status"))
        .end(),
    }))
    .where("id", "=", conversationId)
    .execute();
  return message;
}
