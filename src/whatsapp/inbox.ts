import { sql } from "kysely";
import type { Database, Tx } from "../db/database.ts";
import type { Signals } from "../db/signals.ts";
import type { Update } from "./webhook-updates.ts";

/** What became of an update, or of a whole request that was none; counted for `/metrics`. */
export type InboxOutcome = "stored" | "repeated" | "unknown" | "unsigned" | "unreadable";

/** Where everything that Meta sends is put down before it is answered for. One for each process. */
export interface WhatsAppInbox {
  /**
   * Resolves when all of them that are for a live connection are committed. Those for nobody are counted and dropped:
   * a number that was disconnected a moment ago is no fault of whoever asks.
   */
  store(updates: readonly Update[]): Promise<void>;
  count(outcome: InboxOutcome, updates?: number): void;
  counts(): Readonly<Record<InboxOutcome, number>>;
}

type Counts = Record<InboxOutcome, number>;

interface Waiting {
  updates: readonly Update[];
  done: () => void;
  failed: (error: unknown) => void;
}

/** Updates in one transaction; a request with more of them still has one of its own. */
const JOINED_MAX = 1_000;

/**
 * Requests that come while a transaction is under way go together into the next one: at hundreds a second, each alone
 * would wait for the disk alone.
 */
export function createWhatsAppInbox({ db, signals }: { db: Database; signals: Signals }): WhatsAppInbox {
  const counts: Counts = { stored: 0, repeated: 0, unknown: 0, unsigned: 0, unreadable: 0 };
  const waiting: Waiting[] = [];
  let isStoring = false;

  async function storeWaiting(): Promise<void> {
    isStoring = true;
    while (waiting.length > 0) await storeTogether(takeSome(waiting));
    isStoring = false;
  }

  async function storeTogether(requests: readonly Waiting[]): Promise<void> {
    try {
      await storeIn(requests.flatMap(({ updates }) => updates));
      for (const { done } of requests) done();
    } catch (error) {
      if (requests.length === 1) requests[0]?.failed(error);
      // One customer's trouble is not another's: whoever can be stored alone is.
      else await Promise.all(requests.map((request) => storeTogether([request])));
    }
  }

  async function storeIn(updates: readonly Update[]): Promise<void> {
    const [{ known, met, stored }] = await db.asSystem("whatsapp", (tx) =>
      // Sent together, in one round trip; should all of it be known already, somebody is woken for nothing.
      Promise.all([insertAll(tx, updates), signals.raise(tx, "whatsapp")]),
    );
    counts.stored += stored;
    counts.repeated += met - stored;
    counts.unknown += updates.length - known;
  }

  return {
    store: (updates) =>
      new Promise((done, failed) => {
        waiting.push({ updates, done, failed });
        if (!isStoring) void storeWaiting();
      }),
    count(outcome, updates = 1) {
      counts[outcome] += updates;
    },
    counts: () => counts,
  };
}

function takeSome(waiting: Waiting[]): Waiting[] {
  let updates = 0;
  const end = waiting.findIndex((request) => {
    updates += request.updates.length;
    return updates > JOINED_MAX;
  });
  return waiting.splice(0, end === -1 ? waiting.length : Math.max(1, end));
}

/**
 * One statement: whose number or account it is, and a row for each that is not there yet. The connections are held
 * until the end, so that none is erased in between; nothing else that is done to a connection waits for this.
 */
async function insertAll(
  tx: Tx,
  updates: readonly Update[],
): Promise<{ known: number; met: number; stored: number }> {
  const { rows } = await sql<{ known: number; met: number; stored: number }>`
    with given as (
      select * from json_to_recordset(${toJson(updates)}::json) as given (place integer, phone_number_id text,
        waba_id text, phone text, kind text, key text, contact_key text, raw text)
    ), live as (
      select partner_id, account_id, organization_id, workspace_id, id, phone_number_id, waba_id,
        regexp_replace(coalesce(phone, display_phone_number, ''), '\\D', '', 'g') as digits
      from whatsapp_connections
      where (phone_number_id = any(${numbersOf(updates)}::text[]) or waba_id = any(${accountsOf(updates)}::text[]))
        and status not in ('disconnecting', 'disconnected')
      for key share
    ), met as (
      select live.*, given.place, given.kind, given.key, given.contact_key, given.raw
      from given join live on live.phone_number_id = given.phone_number_id
      union all
      select live.*, given.place, given.kind, given.key, given.contact_key, given.raw
      from given join live on live.waba_id = given.waba_id
      where given.phone_number_id is null and (given.phone is null or given.phone = live.digits)
    ), stored as (
      insert into whatsapp_inbox (partner_id, account_id, organization_id, workspace_id, connection_id,
        phone_number_id, kind, key, contact_key, raw)
      select partner_id, account_id, organization_id, workspace_id, id,
        coalesce(phone_number_id, id::text), kind, key, contact_key, raw::json
      from met order by place
      on conflict do nothing returning 1
    )
    select (select count(distinct place) from met) as known, (select count(*) from met) as met,
      (select count(*) from stored) as stored`.execute(tx);
  const [row] = rows;
  if (row === undefined) throw new Error("a select without from has one row");
  return row;
}

/** What a person wrote goes in as text within text: PostgreSQL then takes it as it is, and reads nothing into it. */
function toJson(updates: readonly Update[]): string {
  return JSON.stringify(
    updates.map(({ phoneNumberId, wabaId, phone, kind, key, contactKey, raw }, place) => ({
      place,
      phone_number_id: phoneNumberId,
      waba_id: wabaId,
      phone,
      kind,
      key,
      contact_key: contactKey,
      raw: JSON.stringify(raw),
    })),
  );
}

function numbersOf(updates: readonly Update[]): string[] {
  return [...new Set(updates.flatMap(({ phoneNumberId }) => phoneNumberId ?? []))];
}

function accountsOf(updates: readonly Update[]): string[] {
  return [...new Set(updates.flatMap(({ wabaId }) => wabaId ?? []))];
}
