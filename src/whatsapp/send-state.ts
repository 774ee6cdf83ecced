import { sql } from "kysely";
import type { Tx } from "../db/database.ts";
import type { Recipient } from "../ports/messenger.ts";
import type { ConnectionRow } from "./connection.ts";
import type { ClaimedMessage } from "./send-claim.ts";

/** A message that Meta is about to be asked to send. */
export interface Ready {
  connection: ConnectionRow;
  contactId: string;
  kind: "answer" | "human" | "notice";
  to: Recipient;
  body: Record<string, unknown>;
}

/** Why a message did not go out, as it is kept with it. */
export interface SendError {
  code: string;
  message: string;
  trace_id?: string | null;
}

/**
 * The message, if it is still ours: `attempts` fences a sender that comes back after its lease went to another, and
 * the states those that a status has moved on meanwhile.
 */
export function ours(tx: Tx, { id, attempts }: ClaimedMessage) {
  return tx
    .updateTable("whatsapp_messages")
    .set({ updated_at: sql<Date>`now()` })
    .where("id", "=", id)
    .where("attempts", "=", attempts)
    .where("state", "in", ["pending", "sending"]);
}

export async function failMessage(tx: Tx, claimed: ClaimedMessage, error: SendError): Promise<void> {
  await ours(tx, claimed)
    .set({ state: "failed", lease_until: null, error: sql`${JSON.stringify(error)}::json` })
    .execute();
}

export function inMs(ms: number) {
  return sql<Date>`now() + ${`${ms} milliseconds`}::interval`;
}
