import { sql } from "kysely";
import type { App } from "../context.ts";
import { ownerColumns } from "../conversations/conversation.ts";
import type { Priority } from "../db/backend.ts";
import type { Tx } from "../db/database.ts";
import { LATE_KINDS, type NewCallEvent, toEventColumns } from "./call-events.ts";
import { callFacts } from "./call-facts.ts";
import { type CallOwner, type CallRow, holdCall, leaseFrom, readCallEvents } from "./call-row.ts";
import { wordsVector } from "./call-words.ts";
import { jsonOrNull } from "./json-column.ts";
import { projectCall } from "./project-call.ts";
import { reasonAfter } from "./project-transfer.ts";

export interface Appended {
  /** `false`: the call is over, or erased. Who has it must hang up; nothing but what {@link LATE_KINDS} names is written any more. */
  isLive: boolean;
  /** How many of the events were written: none that came before, none that came too late. */
  written: number;
}

/**
 * Writes what happened, in this order, and keeps the call alive for a minute. An event with a `key` that the call
 * already has is left out, so that what a provider repeats changes nothing.
 */
export async function appendCallEvents(
  app: App,
  owner: CallOwner,
  callId: string,
  events: readonly NewCallEvent[],
  priority: Priority = "interactive",
): Promise<Appended> {
  return app.db.asTenant(owner, (tx) => append(app, tx, owner, callId, events, "keeps alive"), priority);
}

/**
 * The same for what a carrier reports of a call that is ours to hold: no sign of life. However late and however often
 * it comes, a call whose process is gone ends when it would have ended without it.
 */
export async function appendReports(
  app: App,
  owner: CallOwner,
  callId: string,
  events: readonly NewCallEvent[],
): Promise<Appended> {
  return app.db.asTenant(owner, (tx) => append(app, tx, owner, callId, events, "reports"));
}

async function append(
  app: App,
  tx: Tx,
  owner: CallOwner,
  callId: string,
  events: readonly NewCallEvent[],
  meaning: "keeps alive" | "reports",
): Promise<Appended> {
  const call = await holdCall(tx, owner, callId);
  if (call === undefined) return { isLive: false, written: 0 };
  const isLive = call.lease_until !== null;
  const wanted = isLive ? events : events.filter(({ kind }) => LATE_KINDS.includes(kind));
  const written = await insertEvents(tx, owner, call, wanted);
  if (isLive) await goOn(app, tx, call, events, written, meaning);
  else if (written > 0) await addLate(tx, owner, call, written);
  return { isLive, written };
}

/** Writes events behind those there are; the call must be held. Returns how many. */
export async function insertEvents(
  tx: Tx,
  owner: CallOwner,
  { id, last_sequence }: CallRow,
  events: readonly NewCallEvent[],
): Promise<number> {
  const fresh = await withoutKnown(tx, id, events);
  if (fresh.length === 0) return 0;
  await tx
    .insertInto("call_events")
    .values(
      fresh.map((event, index) => {
        const { kind, at, data, key } = toEventColumns(event);
        return {
          ...ownerColumns(owner),
          call_id: id,
          sequence: last_sequence + index + 1,
          kind,
          at,
          data: sql`${JSON.stringify(data)}::json`,
          key,
        };
      }),
    )
    .execute();
  return fresh.length;
}

async function withoutKnown(
  tx: Tx,
  callId: string,
  events: readonly NewCallEvent[],
): Promise<readonly NewCallEvent[]> {
  const keys = events.flatMap(({ key }) => key ?? []);
  if (keys.length === 0) return events;
  const rows = await tx
    .selectFrom("call_events")
    .select("key")
    .where("call_id", "=", callId)
    .where("key", "in", keys)
    .execute();
  const known = new Set(rows.map(({ key }) => key));
  return events.filter(({ key }) => {
    if (key === undefined) return true;
    const isFresh = !known.has(key);
    known.add(key);
    return isFresh;
  });
}

async function goOn(
  app: App,
  tx: Tx,
  call: CallRow,
  events: readonly NewCallEvent[],
  written: number,
  meaning: "keeps alive" | "reports",
): Promise<void> {
  const answeredAt = events.find(({ kind }) => kind === "answered")?.at;
  await tx
    .updateTable("calls")
    .set({
      last_sequence: call.last_sequence + written,
      ...(meaning === "reports" ? {} : { lease_until: leaseFrom(app.now()) }),
      updated_at: app.now(),
      ...(answeredAt === undefined || call.status !== "ringing"
        ? {}
        : { status: "in_progress" as const, answered_at: answeredAt }),
    })
    .where("id", "=", call.id)
    .execute();
}

/**
 * What a bill, a recording or a human who did not answer adds to a call that is over; its summary is the finalizer's. The
 * one thing that may change is the reason of a transfer that came to nothing.
 */
async function addLate(tx: Tx, owner: CallOwner, call: CallRow, written: number): Promise<void> {
  const { recordingUrl, cost, transfer, transcript, hasToolCalls } = projectCall(
    await readCallEvents(tx, call.id),
    call.started_at,
  );
  const reason = call.ended_reason === null ? null : reasonAfter(transfer, call.ended_reason);
  await tx
    .updateTable("calls")
    .set({
      last_sequence: call.last_sequence + written,
      recording_url: recordingUrl,
      cost: jsonOrNull(cost),
      transfer: jsonOrNull(transfer),
      ended_reason: reason,
      updated_at: sql`now()`,
    })
    .where("id", "=", call.id)
    .execute();
  if (reason === null || reason === call.ended_reason) return;
  // The reason is among the words that it is found by.
  const facts = callFacts(owner, call, { reason, hasToolCalls, seconds: call.duration_seconds ?? 0 });
  await tx
    .updateTable("call_transcripts")
    .set({ words: wordsVector(transcript, facts) })
    .where("call_id", "=", call.id)
    .execute();
}
