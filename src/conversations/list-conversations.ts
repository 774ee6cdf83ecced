import { sql } from "kysely";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { AccountCaller } from "../http/caller.ts";
import { bigintCursor, type PageRequest, timeCursor, timeKey, toPage } from "../http/page.ts";
import { getWorkspaceRow } from "../workspaces/find.ts";
import type { ConversationQuery } from "./conversations.schemas.ts";
import {
  getConversationRow,
  getConversationView,
  selectConversationViews,
  toConversation,
  toMessage,
} from "./find-conversation.ts";

/** Without an index for text, what is looked through must have an end: a tenth of a second on either database. */
const SEARCHED_MESSAGES_MAX = 50_000;

/** The one with the newest activity first. */
export async function listConversations(
  app: App,
  caller: AccountCaller,
  slug: string,
  query: ConversationQuery,
) {
  const after = timeCursor(query.cursor);
  return app.db.asTenant(caller, async (tx) => {
    const workspace = await getWorkspaceRow(tx, caller, slug);
    let select = filtered(tx, workspace.id, query)
      .orderBy("conversations.last_message_at", "desc")
      .orderBy("conversations.id", "desc")
      .limit(query.limit + 1);
    if (after !== undefined)
      select = select.where(
        sql<boolean>`(conversations.last_message_at, conversations.id) < (${after.time}, ${after.id}::uuid)`,
      );
    const { rows, nextCursor } = toPage(await select.execute(), query.limit, (row) =>
      timeKey(row.last_message_at, row.id),
    );
    return { conversations: rows.map(toConversation), next_cursor: nextCursor };
  });
}

export async function getConversation(app: App, caller: AccountCaller, slug: string, id: string) {
  return app.db.asTenant(caller, async (tx) => {
    const workspace = await getWorkspaceRow(tx, caller, slug);
    return { conversation: toConversation(await getConversationView(tx, workspace.id, id)) };
  });
}

/** Newest first. */
export async function listMessages(
  app: App,
  caller: AccountCaller,
  slug: string,
  conversationId: string,
  page: PageRequest,
) {
  const before = bigintCursor(page.cursor);
  return app.db.asTenant(caller, async (tx) => {
    const workspace = await getWorkspaceRow(tx, caller, slug);
    const { id } = await getConversationRow(tx, workspace.id, conversationId);
    const select = selectMessages(tx, id, before).limit(page.limit + 1);
    const { rows, nextCursor } = toPage(await select.execute(), page.limit, (row) => row.id);
    return { messages: rows.map(toMessage), next_cursor: nextCursor };
  });
}

/** Of one conversation, newest first, from just before the message `before`. */
export function selectMessages(db: Tx, conversationId: string, before?: number) {
  const select = db
    .selectFrom("messages")
    .selectAll()
    .where("conversation_id", "=", conversationId)
    .orderBy("id", "desc");
  return before === undefined ? select : select.where("id", "<", before);
}

function filtered(tx: Tx, workspaceId: number, query: ConversationQuery) {
  let select = selectConversationViews(tx, workspaceId);
  const { channel, status, contact_id: contactId, bot_paused: paused, from, to, q } = query;
  if (channel !== undefined) select = select.where("conversations.channel", "=", channel);
  if (status !== undefined) select = select.where("conversations.status", "=", status);
  if (contactId !== undefined) select = select.where("conversations.contact_id", "=", contactId);
  if (paused !== undefined) select = select.where("conversations.bot_paused", "=", paused);
  if (from !== undefined) select = select.where("conversations.last_message_at", ">=", new Date(from));
  if (to !== undefined) select = select.where("conversations.last_message_at", "<", new Date(to));
  if (q === undefined) return select;
  return select.where("conversations.id", "in", (eb) =>
    eb
      .selectFrom(newestMessages(tx, workspaceId, to).as("newest"))
      .select("newest.conversation_id")
      .where("newest.text", "ilike", `%${q.replace(/[\\%_]/g, "\\$&")}%`),
  );
}

function newestMessages(tx: Tx, workspaceId: number, to: string | undefined) {
  const select = tx
    .selectFrom("messages")
    .select(["conversation_id", "text"])
    .where("workspace_id", "=", workspaceId)
    .limit(SEARCHED_MESSAGES_MAX);
  return to === undefined
    ? select.orderBy("id", "desc")
    : select.where("created_at", "<", new Date(to)).orderBy("created_at", "desc");
}
