import { sql } from "kysely";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { done, type InboxRow, type Settled } from "./inbox-claim.ts";
import { timeOf } from "./inbox-facts.ts";
import { applyRefusal } from "./refusals.ts";
import { asList, asRecord, asText } from "./webhook-json.ts";
import type { OutgoingState } from "./whatsapp.tables.ts";

/** What Meta says of a message of ours. */
interface Status {
  wamid: string | null;
  /** Our own id of the message, which went out with it. */
  reference: string | null;
  state: ReportedState;
  at: Date | undefined;
  error: DeliveryError | null;
}

type ReportedState = "sent" | "delivered" | "read" | "played" | "failed";

/** Why a message was not delivered. */
interface DeliveryError {
  code: number | null;
  message: string | null;
  details: string | null;
}

interface Message {
  id: string;
  workspace_id: number;
  wamid: string | null;
  state: OutgoingState;
  error: unknown;
}

/** How far a message has come. What is not here has gone out at best. */
const RANKS: Readonly<Partial<Record<OutgoingState, number>>> = { sent: 1, delivered: 2, read: 3, played: 4 };
const DELIVERED = 2;
/** A status can overtake the answer to the request that sent the message. */
const UNKNOWN_AGAIN_MS = [2_000, 10_000, 30_000];
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Moves messages on by what became of them: as many as there are, in two statements. */
export async function applyStatuses(app: App, tx: Tx, rows: readonly InboxRow[]): Promise<Settled[]> {
  const read = rows.map((row) => ({ row, status: readStatus(row) }));
  const find = finderOf(await lockMessages(tx, read));
  const changed = new Set<Message>();
  const settled = read.map(({ row, status }) => {
    if (status === undefined) return done(row, "unknown_status");
    const message = find(row, status);
    if (message === undefined) return unknownMessage(row);
    if (moveOn(message, status)) changed.add(message);
    return done(row);
  });
  if (changed.size > 0) await writeMessages(tx, [...changed]);
  for (const { row, status } of read) {
    if (status?.error != null) await applyRefusal(app, tx, row, { ...status.error, at: status.at });
  }
  return settled;
}

/**
 * The state that follows. Statuses come twice, late and in any order, so that none takes a message back; a message that
 * failed stays so, and one that arrived did not fail.
 */
export function nextState(current: OutgoingState, reported: ReportedState): OutgoingState {
  if (current === "failed") return current;
  const rank = RANKS[current] ?? 0;
  if (reported === "failed") return rank < DELIVERED ? reported : current;
  return (RANKS[reported] ?? 0) > rank ? reported : current;
}

/** Returns whether anything is to be written. The id is worth having even when the state is old: it may be our only one. */
function moveOn(message: Message, { state, wamid, error }: Status): boolean {
  const next = nextState(message.state, state);
  const learnt = message.wamid === null && wamid !== null;
  if (next === message.state && !learnt) return false;
  if (next === "failed" && message.state !== "failed") message.error = error;
  message.state = next;
  message.wamid ??= wamid;
  return true;
}

/** Not sent by us, or erased since, unless it is only early. */
function unknownMessage(row: InboxRow): Settled {
  const againInMs = UNKNOWN_AGAIN_MS[row.attempts];
  if (againInMs === undefined) return done(row, "unknown_message");
  return { id: row.id, state: "waiting", againInMs, note: "unknown_message" };
}

function readStatus(row: InboxRow): Status | undefined {
  const status = asRecord(asRecord(row.raw).status);
  const state = asText(status.status);
  if (!isReported(state)) return undefined;
  const reference = asText(status.biz_opaque_callback_data);
  return {
    wamid: asText(status.id),
    reference: reference !== null && UUID.test(reference) ? reference : null,
    state,
    at: timeOf(status.timestamp),
    error: state === "failed" ? readError(status.errors) : null,
  };
}

function isReported(state: string | null): state is ReportedState {
  return state === "failed" || (state !== null && Object.hasOwn(RANKS, state));
}

function readError(errors: unknown): DeliveryError {
  const [error] = asList(errors);
  const code = Number(error?.code);
  return {
    code: error?.code !== undefined && Number.isSafeInteger(code) ? code : null,
    message: asText(error?.title) ?? asText(error?.message),
    details: asText(asRecord(error?.error_data).details),
  };
}

/** In the order of their ids, so that two processes never wait for each other. */
async function lockMessages(
  tx: Tx,
  read: readonly { status: Status | undefined }[],
): Promise<readonly Message[]> {
  const references = read.flatMap(({ status }) => status?.reference ?? []);
  const wamids = read.flatMap(({ status }) => status?.wamid ?? []);
  const { rows } = await sql<Message>`
    select id, workspace_id, wamid, state, error from whatsapp_messages
    where id = any(${references}::uuid[]) or wamid = any(${wamids}::text[])
    order by id for update`.execute(tx);
  return rows;
}

/** Our own id before Meta's; and never a message of another workspace, whatever came along. */
function finderOf(messages: readonly Message[]) {
  const byId = new Map(messages.map((message) => [`${message.workspace_id} ${message.id}`, message]));
  const byWamid = new Map(messages.map((message) => [`${message.workspace_id} ${message.wamid}`, message]));
  return ({ workspace_id }: InboxRow, { reference, wamid }: Status): Message | undefined =>
    byId.get(`${workspace_id} ${reference}`) ??
    (wamid === null ? undefined : byWamid.get(`${workspace_id} ${wamid}`));
}

async function writeMessages(tx: Tx, messages: readonly Message[]): Promise<void> {
  const rows = messages.map(({ id, state, wamid, error }) => ({ id, state, wamid, error }));
  await sql`
    update whatsapp_messages set state = given.state, wamid = given.wamid, error = given.error, updated_at = now()
    from json_to_recordset(${JSON.stringify(rows)}::json) as given (id uuid, state text, wamid text, error json)
    where whatsapp_messages.id = given.id`.execute(tx);
}
