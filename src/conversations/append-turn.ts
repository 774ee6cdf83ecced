import { sql } from "kysely";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { fixedQuery } from "../db/fixed-query.ts";

/** A finished turn: what was said, and what was answered. */
export interface FinishedTurn {
  conversationId: string;
  turnId: string;
  user: {
    text: string;
    /** Names, types and sizes; not the files themselves. */
    attachments?: unknown;
    at: Date;
  } | null;
  /** `null`: nothing was answered, for example because a human has taken over. */
  assistant: {
    text: string;
    status: "complete" | "cancelled" | "failed";
    sources?: unknown;
    metrics?: unknown;
    provider?: string | null;
    model?: string | null;
    at: Date;
  } | null;
}

/** The ids that the messages got; `null` for one that was not said, or whose conversation is gone. */
export interface StoredTurn {
  userId: number | null;
  assistantId: number | null;
  /** `false`: it was stored before, or its conversation was erased meanwhile. */
  stored: boolean;
}

/**
 * Stores a turn, once however often it is called, and brings the conversation to the top; one statement. A closed
 * conversation is open again. Turns of one conversation that end at the same moment do not wait for one another's commit:
 * who finds the conversation held leaves its time to who holds it. Nothing revives a conversation that was erased during the turn.
 */
export async function appendTurn(app: App, tx: Tx, turn: FinishedTurn): Promise<StoredTurn> {
  const messages = messagesOf(turn);
  const { rows } = await tx.executeQuery(
    append(tx, turn.conversationId, turn.turnId, toStorableJson(messages), app.now()).compile(),
  );
  // Stored by a transaction that committed after this statement began: a later one sees it.
  const found = rows.length > 0 ? rows : await readTurn(tx, turn);
  const idOf = (role: string) => found.find((row) => row.role === role)?.id ?? null;
  return { userId: idOf("user"), assistantId: idOf("assistant"), stored: rows.some(({ stored }) => stored) };
}

function messagesOf({ user, assistant }: FinishedTurn): object[] {
  return [
    ...(user === null ? [] : [{ ...user, role: "user", status: "complete" }]),
    ...(assistant === null ? [] : [{ ...assistant, role: "assistant" }]),
  ];
}

type AppendedRow = { id: number; role: string; stored: boolean };

const append = fixedQuery((db: Tx, conversationId: string, turnId: string, messages: string, now: Date) => ({
  compile: () =>
    sql<AppendedRow>`
      with there as (
        select * from conversations where id = ${conversationId}::uuid for key share
      ), kept as (
        insert into messages (partner_id, account_id, organization_id, workspace_id, conversation_id, turn_id, role,
          text, status, sources, attachments, metrics, provider, model, created_at)
        select c.partner_id, c.account_id, c.organization_id, c.workspace_id, c.id, ${turnId}::uuid, said.role,
          said.text, said.status, said.sources, said.attachments, said.metrics, said.provider, said.model, said.at
        from there c, json_to_recordset(${messages}::json) as said (role text, text text, status text,
          sources json, attachments json, metrics json, provider text, model text, at timestamptz)
        on conflict do nothing returning id, role, created_at
      ), touched as (
        update conversations set updated_at = ${now}::timestamptz,
          last_message_at = greatest(case when last_message_at > created_at then last_message_at end,
            (select max(created_at) from kept)),
          status = case when status = 'closed' then 'open' else status end
        where exists (select from kept) and id = (
          select id from conversations where id = ${conversationId}::uuid for no key update skip locked)
      )
      select id, role, true as stored from kept
      union all
      select id, role, false from messages where conversation_id = ${conversationId}::uuid and turn_id = ${turnId}::uuid
        and role <> 'human'`.compile(db),
}));

async function readTurn(
  tx: Tx,
  { conversationId, turnId }: FinishedTurn,
): Promise<{ id: number; role: string }[]> {
  return tx
    .selectFrom("messages")
    .select(["id", "role"])
    .where("conversation_id", "=", conversationId)
    .where("turn_id", "=", turnId)
    .where("role", "<>", "human")
    .execute();
}

/** PostgreSQL stores no NUL and no half of a surrogate pair; a model may well say one. */
function toStorableJson(value: unknown): string {
  const json = JSON.stringify(value);
  // JSON.stringify escapes both, and little else this way.
  if (!/\\u(0000|d[89a-f])/.test(json)) return json;
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "string" ? storable(inner) : inner,
  );
}

function storable(text: string): string {
  return text.toWellFormed().replaceAll(String.fromCharCode(0), "\ufffd");
}
