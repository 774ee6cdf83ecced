import { sql } from "kysely";
import type { App } from "../context.ts";
import { ownerColumns, ownerOf } from "../conversations/conversation.ts";
import type { Tx } from "../db/database.ts";
import type { ContactRow } from "./contacts.ts";

/** What is to be sent to a person: one message for each text. */
export interface Outgoing {
  connectionId: string;
  person: Pick<ContactRow, "id" | "partner_id" | "account_id" | "organization_id" | "workspace_id">;
  conversationId: string | null;
  /** The message of the conversation that it is. */
  messageId: number | null;
  kind: "answer" | "human" | "notice";
  /** What it answers: the same is not put into the outbox twice. */
  replyKey: string;
  texts: readonly string[];
}

/** Into the outbox, in the transaction that makes it worth sending. */
export async function queueOutgoing(app: App, tx: Tx, outgoing: Outgoing): Promise<void> {
  const { person, texts } = outgoing;
  if (texts.length === 0) return;
  await tx
    .insertInto("whatsapp_messages")
    .values(
      texts.map((body, part) => ({
        ...ownerColumns(ownerOf(person)),
        // Ids sort in the order they are made, and a person's messages go out in that order.
        id: app.newId(),
        connection_id: outgoing.connectionId,
        contact_id: person.id,
        conversation_id: outgoing.conversationId,
        message_id: outgoing.messageId,
        reply_key: outgoing.replyKey,
        part,
        kind: outgoing.kind,
        body: sql`${JSON.stringify({ type: "text", text: { body, preview_url: false } })}::json`,
        created_at: app.now(),
        updated_at: app.now(),
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await app.signals.raise(tx, "whatsapp");
}
