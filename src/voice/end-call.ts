import { sql } from "kysely";
import type { App } from "../context.ts";
import { ownerColumns } from "../conversations/conversation.ts";
import type { Tx } from "../db/database.ts";
import { recordEvent } from "../webhooks/record-event.ts";
import { insertEvents } from "./append-call-events.ts";
import { type CallFacts, callFacts } from "./call-facts.ts";
import { type CallOwner, type CallRow, holdCall, readCallEvents } from "./call-row.ts";
import { wordsVector } from "./call-words.ts";
import { ENDED_REASONS, type EndedReason } from "./ended-reasons.ts";
import { FINALIZE_JOB } from "./finalize-call.jobs.ts";
import { jsonOrNull } from "./json-column.ts";
import { type ProjectedCall, projectCall } from "./project-call.ts";

export interface CallEnd {
  reason: EndedReason;
  at: Date;
  /** What the log should say beside the reason, such as a carrier's own words. */
  detail?: string;
}

/**
 * Ends a call: transcript, latency and duration are there from now on, `call.ended` goes out, and the finalizer begins.
 * The first end is the end, whoever brings it: a carrier's callback that comes late or twice changes nothing.
 *
 * @returns whether this was it
 */
export async function endCall(app: App, owner: CallOwner, callId: string, end: CallEnd): Promise<boolean> {
  return app.db.asTenant(owner, (tx) => endCallIn(app, tx, owner, callId, end));
}

/** The same within a transaction; towards its end, since the event holds its row. */
export async function endCallIn(
  app: App,
  tx: Tx,
  owner: CallOwner,
  callId: string,
  { reason, at, detail }: CallEnd,
): Promise<boolean> {
  const call = await holdCall(tx, owner, callId);
  if (call === undefined || call.lease_until === null) return false;
  const ended = { kind: "ended", reason, at, ...(detail === undefined ? {} : { detail }) } as const;
  await insertEvents(tx, owner, call, [ended]);
  const projected = projectCall(await readCallEvents(tx, callId), call.started_at);
  const seconds = await storeEnd(app, tx, call, projected, reason, at);
  const facts = callFacts(owner, call, { reason, hasToolCalls: projected.hasToolCalls, seconds });
  await storeTranscript(tx, owner, call, projected, facts);
  await app.queue.enqueue(tx, {
    kind: FINALIZE_JOB,
    partnerId: owner.partnerId,
    accountId: owner.accountId,
    organizationId: owner.organizationId,
    workspaceId: owner.workspaceId,
    key: callId,
    payload: { callId },
  });
  await recordEvent(app, tx, owner, {
    type: "call.ended",
    subject: { kind: "call", id: callId },
    data: { call_id: callId, ended_reason: reason, ended_by: ENDED_REASONS[reason].fault },
  });
  return true;
}

/** @returns how long it took, from when it was answered */
async function storeEnd(
  app: App,
  tx: Tx,
  call: CallRow,
  { answeredAt, hasToolCalls, latency, recordingUrl, cost, transfer }: ProjectedCall,
  reason: EndedReason,
  at: Date,
): Promise<number> {
  // Clocks of two machines differ: no call ends before it began.
  const endedAt = new Date(Math.max(at.getTime(), (answeredAt ?? call.started_at).getTime()));
  const seconds = answeredAt === null ? 0 : Math.round((endedAt.getTime() - answeredAt.getTime()) / 1000);
  await tx
    .updateTable("calls")
    .set({
      status: "ended",
      answered_at: answeredAt,
      ended_at: endedAt,
      ended_reason: reason,
      duration_seconds: seconds,
      has_tool_calls: hasToolCalls,
      latency: jsonOrNull(latency),
      recording_url: recordingUrl,
      cost: jsonOrNull(cost),
      transfer: jsonOrNull(transfer),
      last_sequence: call.last_sequence + 1,
      lease_until: null,
      updated_at: app.now(),
    })
    .where("id", "=", call.id)
    .execute();
  return seconds;
}

async function storeTranscript(
  tx: Tx,
  owner: CallOwner,
  call: CallRow,
  { transcript }: ProjectedCall,
  facts: CallFacts,
): Promise<void> {
  await tx
    .insertInto("call_transcripts")
    .values({
      ...ownerColumns(owner),
      call_id: call.id,
      started_at: facts.startedAt,
      duration_seconds: facts.seconds,
      transcript: sql`${JSON.stringify(transcript)}::json`,
      words: wordsVector(transcript, facts),
    })
    .execute();
}
