import type { Selectable } from "kysely";
import type { ConversationOwner } from "../conversations/conversation.ts";
import type { Tx } from "../db/database.ts";
import { type CallEvent, fromEventRow } from "./call-events.ts";
import type { VoiceTables } from "./voice.tables.ts";

export type CallRow = Selectable<VoiceTables["calls"]>;

/** Whose a call is. */
export type CallOwner = ConversationOwner;

/** How long a call is taken to be alive after its process was last heard of; see `renewCalls`. */
export const LEASE_MS = 60_000;

export function leaseFrom(now: Date): Date {
  return new Date(now.getTime() + LEASE_MS);
}

/**
 * The call, held until the transaction ends: whoever writes its events goes one after the other. Undefined: it was
 * erased while it went on.
 */
export async function holdCall(
  tx: Tx,
  { workspaceId }: CallOwner,
  callId: string,
): Promise<CallRow | undefined> {
  return tx
    .selectFrom("calls")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("id", "=", callId)
    .forNoKeyUpdate()
    .executeTakeFirst();
}

/** All that happened during a call, in order. */
export async function readCallEvents(tx: Tx, callId: string): Promise<CallEvent[]> {
  const rows = await tx
    .selectFrom("call_events")
    .select(["kind", "at", "data"])
    .where("call_id", "=", callId)
    .orderBy("sequence")
    .execute();
  return rows.flatMap((row) => fromEventRow(row) ?? []);
}
