import { type Selectable, sql } from "kysely";
import type { Tx } from "../db/database.ts";
import type { InboxKind, WhatsAppTables } from "./whatsapp.tables.ts";

export type InboxRow = Selectable<WhatsAppTables["whatsapp_inbox"]>;

/** Of one number at a time, so that a busy one does not keep the others waiting. */
const NUMBER_MAX = 100;

/** Of the recursive `phones (id)`: the numbers that have something waiting, found by jumping through the index. */
export const WAITING_NUMBERS = sql`
  (select phone_number_id as id from whatsapp_inbox where state = 'waiting' order by 1 limit 1)
  union all
  select (select i.phone_number_id from whatsapp_inbox i
    where i.state = 'waiting' and i.phone_number_id > phones.id order by 1 limit 1)
  from phones where phones.id is not null`;

/**
 * The next rows of these kinds, the numbers in turns. They are held by the transaction and by nothing else: whoever
 * works on them does it in there, and when the process dies they are waiting again at once. In the index what is
 * nobody's stands apart from what people wrote, however much that is.
 *
 * @param kinds of rows without a `contact_key`
 */
export async function takeIn(tx: Tx, kinds: readonly InboxKind[], max: number): Promise<InboxRow[]> {
  const { rows } = await sql<InboxRow>`
    with recursive phones as (${WAITING_NUMBERS}), heads as (
      select head.id, head.place from phones cross join lateral (
        select id, row_number() over (order by id) as place from (
          select id from whatsapp_inbox i where i.phone_number_id = phones.id and i.state = 'waiting'
            and i.contact_key is null and i.kind = any(${[...kinds]}::text[]) and i.due_at <= now()
            order by id limit ${NUMBER_MAX}
        ) first
      ) head
    )
    select inbox.* from whatsapp_inbox inbox join heads on heads.id = inbox.id
    where inbox.state = 'waiting' and inbox.due_at <= now()
    order by heads.place, inbox.id limit ${max}
    for update of inbox skip locked`.execute(tx);
  return rows;
}

/** `undefined`: somebody else has it, or it is done. */
export async function takeOne(tx: Tx, id: number): Promise<InboxRow | undefined> {
  return tx
    .selectFrom("whatsapp_inbox")
    .selectAll()
    .where("id", "=", id)
    .where("state", "=", "waiting")
    .forUpdate()
    .skipLocked()
    .executeTakeFirst();
}

/** What became of a row that was worked on. */
export interface Settled {
  id: number;
  state: "done" | "waiting" | "failed";
  /** How long it waits. */
  againInMs: number;
  /** Why it waits, failed, or came to nothing. */
  note: string | null;
}

export function done(row: InboxRow, note: string | null = null): Settled {
  return { id: row.id, state: "done", againInMs: 0, note };
}

export async function settleIn(tx: Tx, settled: readonly Settled[]): Promise<void> {
  await sql`
    update whatsapp_inbox set state = given.state, error = given.note, attempts = attempts + 1,
      done_at = case when given.state <> 'waiting' then now() end,
      due_at = now() + given."againInMs" * interval '1 millisecond'
    from json_to_recordset(${JSON.stringify(settled)}::json)
      as given (id bigint, state text, "againInMs" integer, note text)
    where whatsapp_inbox.id = given.id`.execute(tx);
}
