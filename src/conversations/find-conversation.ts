import { sql } from "kysely";
import type { Tx } from "../db/database.ts";
import { notFound } from "../http/problem.ts";
import type { ConversationRow, MessageRow } from "./conversation.ts";
import type { Conversation, Message } from "./conversations.schemas.ts";

/** How much of the last message a list shows. */
const PREVIEW_CHARACTERS = 200;

/** A counter in the row would have all turns of a conversation wait for one another's commit. */
const COUNTED_MAX = 10_000;

/** A conversation as a list shows it. */
export type ConversationView = ConversationRow & {
  contact: { id: string; name: string | null } | null;
  last_message: { role: string; text: string } | null;
  message_count: number;
};

/** The conversation of this workspace, or 404, also for one that exists elsewhere. */
export async function getConversationRow(
  tx: Tx,
  workspaceId: number,
  id: string,
  hold: "none" | "update" = "none",
): Promise<ConversationRow> {
  const select = tx
    .selectFrom("conversations")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("id", "=", id);
  const row = await (hold === "update" ? select.forNoKeyUpdate() : select).executeTakeFirst();
  if (row === undefined) throw notFound("conversation");
  return row;
}

export async function getConversationView(
  tx: Tx,
  workspaceId: number,
  id: string,
): Promise<ConversationView> {
  const row = await selectConversationViews(tx, workspaceId)
    .where("conversations.id", "=", id)
    .executeTakeFirst();
  if (row === undefined) throw notFound("conversation");
  return row;
}

export function selectConversationViews(db: Tx, workspaceId: number) {
  return db
    .selectFrom("conversations")
    .selectAll("conversations")
    .select([
      sql<ConversationView["contact"]>`(select json_build_object('id', contacts.id, 'name', contacts.name)
        from contacts where contacts.id = conversations.contact_id
        and contacts.workspace_id = conversations.workspace_id)`.as("contact"),
      sql<ConversationView["last_message"]>`(select json_build_object('role', m.role,
        'text', left(m.text, ${sql.lit(PREVIEW_CHARACTERS)}))
        from messages m where m.conversation_id = conversations.id order by m.id desc limit 1)`.as(
        "last_message",
      ),
      sql<number>`(select count(*) from (select from messages m where m.conversation_id = conversations.id
        limit ${sql.lit(COUNTED_MAX)}) counted)`.as("message_count"),
    ])
    .where("conversations.workspace_id", "=", workspaceId);
}

export function toConversation(row: ConversationView): Conversation {
  const { contact, last_message, message_count } = row;
  return { ...toConversationFields(row), contact, last_message, message_count };
}

export function toConversationFields(
  row: ConversationRow,
): Omit<Conversation, "contact" | "last_message" | "message_count"> {
  return {
    id: row.id,
    channel: row.channel,
    session_id: row.session_id,
    thread_slug: row.thread_slug,
    name: row.name,
    status: row.status,
    bot_paused: row.bot_paused,
    handoff_reason: row.handoff_reason,
    handoff_requested_at: row.handoff_requested_at?.toISOString() ?? null,
    last_message_at: row.last_message_at.toISOString(),
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

export function toMessage(row: MessageRow): Message {
  return {
    id: row.id,
    turn_id: row.turn_id,
    role: row.role,
    text: row.text,
    status: row.status,
    sources: row.sources,
    attachments: row.attachments,
    metrics: row.metrics,
    provider: row.provider,
    model: row.model,
    created_at: row.created_at.toISOString(),
  };
}
