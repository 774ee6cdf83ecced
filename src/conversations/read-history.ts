import { type CompiledQuery, sql } from "kysely";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { fixedQuery } from "../db/fixed-query.ts";
import type { AccountCaller } from "../http/caller.ts";
import { notFound } from "../http/problem.ts";
import { ownVendorsExist } from "../models/own-vendors-exist.ts";
import { attachedToolsExist } from "../tools/attached-exists.ts";
import { selectWorkspace, type WorkspaceRow } from "../workspaces/find.ts";
import type { ConversationAddress, ConversationState, HistoryMessage } from "./conversation.ts";

/** All that a turn begins with. */
export interface TurnBeginning {
  workspace: WorkspaceRow;
  /** `null`: nothing was ever said there, or there is no such thread. */
  conversation: ConversationState | null;
  /** Oldest first: two messages for each turn that the workspace's `openAiHistory` lets the model see. */
  history: HistoryMessage[];
  /** Read in the same round trip, so that most turns need not ask for the rest of it. */
  hasTools: boolean;
  hasVendors: boolean;
}

/** Workspace, conversation and history in one round trip. @throws Problem not_found for an unknown workspace */
export async function readConversationAndHistory(
  app: App,
  caller: AccountCaller,
  slug: string,
  address: ConversationAddress,
): Promise<TurnBeginning> {
  const [row] = await app.db.readAsTenant(caller, (db) => beginningOf(db, caller.accountId, slug, address));
  if (row === undefined) throw notFound("workspace");
  const { beginning, has_tools: hasTools, has_vendors: hasVendors, ...workspace } = row;
  return {
    workspace,
    hasTools,
    hasVendors,
    conversation: beginning?.conversation ?? null,
    history: beginning?.history ?? [],
  };
}

/**
 * The newest `limit` messages, oldest first.
 *
 * @param limit counts messages; a turn has two
 * @param forgottenUntil of the conversation: messages up to this one were forgotten
 */
export async function readHistory(
  tx: Tx,
  conversationId: string,
  limit: number,
  forgottenUntil: number,
): Promise<HistoryMessage[]> {
  const { rows } = await tx.executeQuery(historyOf(tx, conversationId, limit, forgottenUntil).compile());
  return rows.reverse();
}

/** Later turns know nothing of what was said until now; it stays stored. */
export async function forgetHistory(tx: Tx, conversationId: string): Promise<void> {
  await tx
    .updateTable("conversations")
    .set((eb) => ({
      forgotten_until: eb.fn.coalesce(
        eb
          .selectFrom("messages")
          .select(({ fn }) => fn.max("messages.id").as("id"))
          .where("messages.conversation_id", "=", conversationId),
        "conversations.forgotten_until",
      ),
    }))
    .where("id", "=", conversationId)
    .execute();
}

const historyOf = fixedQuery((db: Tx, conversationId: string, limit: number, forgottenUntil: number) =>
  db
    .selectFrom("messages")
    .select(["id", "turn_id", "role", "text", "status"])
    .where("conversation_id", "=", conversationId)
    .where("id", ">", forgottenUntil)
    .orderBy("id", "desc")
    .limit(limit),
);

type BeginningRow = WorkspaceRow & {
  beginning: { conversation: ConversationState; history: HistoryMessage[] } | null;
  has_tools: boolean;
  has_vendors: boolean;
};

function beginningOf(
  db: Tx,
  accountId: string,
  slug: string,
  { channel, sessionId, threadSlug }: ConversationAddress,
): { compile(): CompiledQuery<BeginningRow> } {
  return threadSlug === null
    ? atSession(db, accountId, slug, channel, sessionId ?? "")
    : atThread(db, accountId, slug, threadSlug);
}

const atSession = fixedQuery((db: Tx, accountId: string, slug: string, channel: string, sessionKey: string) =>
  withBeginning(
    db,
    accountId,
    slug,
    sql`c.channel = ${channel} and c.session_key = ${sessionKey} and c.thread_slug is null`,
  ),
);

const atThread = fixedQuery((db: Tx, accountId: string, slug: string, threadSlug: string) =>
  withBeginning(db, accountId, slug, sql`c.thread_slug = ${threadSlug}`),
);

function withBeginning(db: Tx, accountId: string, slug: string, condition: ReturnType<typeof sql>) {
  return selectWorkspace(db, { accountId }, slug)
    .select(
      sql<BeginningRow["beginning"]>`(select json_build_object(
      'conversation', json_build_object('id', c.id, 'channel', c.channel, 'contact_id', c.contact_id,
        'session_id', c.session_id, 'thread_slug', c.thread_slug, 'name', c.name, 'status', c.status,
        'bot_paused', c.bot_paused, 'forgotten_until', c.forgotten_until),
      'history', (select coalesce(json_agg(newest order by newest.id), '[]'::json) from (
        select m.id, m.turn_id, m.role, m.text, m.status from messages m
        where m.conversation_id = c.id and m.id > c.forgotten_until
        order by m.id desc limit 2 * workspaces.open_ai_history) newest))
      from conversations c where c.workspace_id = workspaces.id and ${condition})`.as("beginning"),
    )
    .select([attachedToolsExist.as("has_tools"), ownVendorsExist.as("has_vendors")]);
}
