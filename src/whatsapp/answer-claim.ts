import { sql } from "kysely";
import type { App } from "../context.ts";
import type { OwnerColumns } from "../conversations/conversation.ts";
import type { Tx } from "../db/database.ts";
import { WAITING_NUMBERS } from "./inbox-claim.ts";

/** One stored message, as far as answering needs it. */
export interface ClaimedRow extends OwnerColumns {
  id: number;
  connection_id: string;
  phone_number_id: string;
  contact_key: string | null;
  kind: "message" | "echo";
  raw: unknown;
  attempts: number;
  received_at: Date;
}

/** What one person wrote to one number and nobody has answered yet, oldest first: this process has it to itself. */
export interface Claim {
  first: ClaimedRow;
  rows: readonly ClaimedRow[];
}

/** How long to wait for the rest of what somebody is about to say. */
export interface Debounce {
  /** After each message. */
  quietMs: number;
  /** Since the first one, however many follow. */
  maxMs: number;
}

/** Another process has it now: its lease ran out here, or the person was erased. */
export class LostClaim extends Error {
  override name = "LostClaim";
}

export const LEASE_MS = 30_000;
/** Messages that become one question. */
const ROWS_MAX = 50;
/** People of one number at once, so that another's wait for nobody. */
const NUMBER_SLOTS = 16;

/**
 * The next people whose messages are due: numbers take turns, those with the fewest under way first, and at a number
 * whoever waits longest. The oldest message of a person is the lock: while its lease holds, or another has it, nobody
 * takes what they wrote since.
 *
 * @param running how many of each number this process has under way
 */
export async function claimIn(
  tx: Tx,
  free: number,
  running: ReadonlyMap<string, number>,
  { quietMs, maxMs }: Debounce,
): Promise<Claim[]> {
  const { rows } = await sql<ClaimedRow>`
    with recursive phones as (${WAITING_NUMBERS}), people as materialized (
      select person.head, person.place + coalesce((${toJson(running)}::json ->> phones.id)::integer, 0) as turn
      from phones cross join lateral (
        select min(i.id) as head, row_number() over (order by min(i.id)) as place from whatsapp_inbox i
        where i.phone_number_id = phones.id and i.state = 'waiting' and i.kind in ('message', 'echo')
        group by coalesce(i.contact_key, '')
        having coalesce(max(i.lease_until) <= now(), true) and min(i.due_at) <= now()
          and (bool_or(i.kind = 'echo') or max(i.received_at) <= now() - ${interval(quietMs)}
            or min(i.received_at) <= now() - ${interval(maxMs)})
        order by min(i.id) limit ${NUMBER_SLOTS}
      ) person
    ), heads as materialized (
      select head.id, head.phone_number_id, head.contact_key
      from (select * from people where turn <= ${NUMBER_SLOTS} order by turn, head) next
      cross join lateral (select id, phone_number_id, contact_key from whatsapp_inbox i where i.id = next.head
        and i.state = 'waiting' and (i.lease_until is null or i.lease_until <= now()) for update skip locked) head
      limit ${free}
    ), taken as materialized (
      select row.id from heads cross join lateral (
        select id from whatsapp_inbox i where i.phone_number_id = heads.phone_number_id and i.state = 'waiting'
          and i.kind in ('message', 'echo') and i.contact_key is not distinct from heads.contact_key
        order by id limit ${ROWS_MAX}
      ) row
    )
    update whatsapp_inbox set attempts = attempts + 1, lease_until = now() + ${interval(LEASE_MS)}
    from taken where whatsapp_inbox.id = taken.id and state = 'waiting'
    returning whatsapp_inbox.id, partner_id, account_id, organization_id, workspace_id, connection_id, phone_number_id,
      contact_key, kind, raw, attempts, received_at`.execute(tx);
  return grouped(rows);
}

/** A number that has just moved to another workspace has people of both. */
function grouped(rows: readonly ClaimedRow[]): Claim[] {
  const groups = Map.groupBy(
    rows.toSorted((a, b) => a.id - b.id),
    ({ connection_id, contact_key }) => `${connection_id} ${contact_key}`,
  );
  return [...groups.values()].flatMap((of) => (of[0] === undefined ? [] : [{ first: of[0], rows: of }]));
}

/** Keeps the lease. @returns whether it is still ours */
export async function renew(app: App, { first }: Claim): Promise<boolean> {
  const renewed = await app.db.asSystem(
    "whatsapp",
    (tx) =>
      tx
        .updateTable("whatsapp_inbox")
        .set({ lease_until: sql<Date>`now() + ${interval(LEASE_MS)}` })
        .where("id", "=", first.id)
        .where("attempts", "=", first.attempts)
        .where("state", "=", "waiting")
        .executeTakeFirst(),
    "background",
  );
  return renewed.numUpdatedRows === 1n;
}

/**
 * These are done, with whatever else this transaction does.
 *
 * @throws LostClaim when they are not ours any more: then nothing of the transaction may stay
 */
export async function finish(tx: Tx, rows: readonly ClaimedRow[]): Promise<void> {
  if (rows.length === 0) return;
  const done = await sql`
    update whatsapp_inbox set state = 'done', done_at = now(), lease_until = null, error = null
    from ${oursOf(rows)}`.execute(tx);
  if (Number(done.numAffectedRows ?? 0n) !== rows.length)
    throw new LostClaim("somebody else answers these messages");
}

/** Tried again later; at once when the person writes more, since it is one question then. */
export async function putOff(
  app: App,
  { rows }: Claim,
  afterMs: number,
  error: string | null,
): Promise<void> {
  await app.db.asSystem(
    "whatsapp",
    (tx) =>
      sql`update whatsapp_inbox set lease_until = null, due_at = now() + ${interval(afterMs)}, error = ${error}
        from ${oursOf(rows)}`.execute(tx),
    "background",
  );
}

/** The same for work that was not begun: it does not count as an attempt. */
export async function giveBack(app: App, { rows }: Claim, afterMs: number): Promise<void> {
  await app.db.asSystem(
    "whatsapp",
    (tx) =>
      sql`update whatsapp_inbox set lease_until = null, due_at = now() + ${interval(afterMs)},
        attempts = whatsapp_inbox.attempts - 1 from ${oursOf(rows)}`.execute(tx),
    "background",
  );
}

/** Nothing came of them, however often it was tried; they stay for whoever looks for the reason. */
export async function giveUp(app: App, { rows }: Claim, error: string): Promise<void> {
  await app.db.asSystem(
    "whatsapp",
    (tx) =>
      sql`update whatsapp_inbox set state = 'failed', done_at = now(), lease_until = null, error = ${error}
        from ${oursOf(rows)}`.execute(tx),
    "background",
  );
}

/** `attempts` fences a process that comes back after its lease went to another. */
function oursOf(rows: readonly ClaimedRow[]) {
  const ids = rows.map(({ id }) => id);
  const attempts = rows.map((row) => row.attempts);
  return sql`unnest(${ids}::bigint[], ${attempts}::integer[]) as mine (id, attempts)
    where whatsapp_inbox.id = mine.id and whatsapp_inbox.attempts = mine.attempts and state = 'waiting'`;
}

/** On the embedded database there was only one process: what it left under way is nobody's now. */
export async function reclaimAnswers(app: App): Promise<void> {
  await app.db.asSystem("whatsapp", async (tx) => {
    await tx
      .updateTable("whatsapp_inbox")
      .set({ lease_until: null })
      .where("state", "=", "waiting")
      .where("lease_until", "is not", null)
      .execute();
    await tx
      .updateTable("whatsapp_messages")
      .set({ lease_until: sql<Date>`now()` })
      .where("state", "in", ["pending", "sending"])
      .where("lease_until", "is not", null)
      .execute();
  });
}

function interval(ms: number) {
  return sql`${`${ms} milliseconds`}::interval`;
}

function toJson(running: ReadonlyMap<string, number>): string {
  return JSON.stringify(Object.fromEntries(running));
}
