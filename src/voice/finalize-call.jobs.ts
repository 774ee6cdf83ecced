import { z } from "zod";
import type { App } from "../context.ts";
import { ownerOf } from "../conversations/conversation.ts";
import type { Tenant } from "../db/database.ts";
import { JobFailure, type JobHandler, JobPostponed } from "../jobs/worker.ts";
import { countUsage } from "../usage/count.ts";
import { recordEvent } from "../webhooks/record-event.ts";
import { type CallRow, readCallEvents } from "./call-row.ts";
import { DIAL_TIMEOUT_SECONDS } from "./dialing.ts";
import { type ProjectedCall, projectCall } from "./project-call.ts";
import { findDueTransfer } from "./project-transfer.ts";
import { type Summary, summarizeCall } from "./summarize-call.ts";

export const FINALIZE_JOB = "finalize-call";

/** A carrier reports within this time that nobody answered; whoever did goes on talking for as long as they like. */
const DIALING_MS = (DIAL_TIMEOUT_SECONDS + 15) * 1_000;
const DIALING_LOOK_MS = 5_000;

const Payload = z.object({ callId: z.uuid() });

/** Sums up a call that has ended. Run twice, it does it once: status, usage and event change in one transaction. */
export const finalizeCallHandler: JobHandler = async (app, job) => {
  const payload = Payload.safeParse(job.payload);
  if (!payload.success || job.accountId === null)
    throw new JobFailure("bad_payload", "This job does not say which call to finalize.");
  const { callId } = payload.data;
  const tenant: Tenant = { partnerId: job.partnerId, accountId: job.accountId };
  const found = await readEnded(app, tenant, callId);
  // Erased, or finalized by an earlier attempt.
  if (found === undefined) return { finalized: false };
  if (isDialing(app, found)) throw new JobPostponed("a human's telephone is ringing", DIALING_LOOK_MS);
  const summary = await summarizeCall(app, found.call, found.projected, job.signal);
  return { finalized: await store(app, tenant, callId, summary) };
};

/** A human's telephone rings, or is about to: whether the call was transferred is known soon. */
function isDialing(app: App, { call, isTransferring }: { call: CallRow; isTransferring: boolean }): boolean {
  return (
    isTransferring && call.ended_at !== null && app.now().getTime() - call.ended_at.getTime() < DIALING_MS
  );
}

async function readEnded(
  app: App,
  tenant: Tenant,
  callId: string,
): Promise<{ call: CallRow; projected: ProjectedCall; isTransferring: boolean } | undefined> {
  return app.db.asTenant(
    tenant,
    async (tx) => {
      const call = await tx
        .selectFrom("calls")
        .selectAll()
        .where("id", "=", callId)
        .where("status", "=", "ended")
        .executeTakeFirst();
      if (call === undefined) return undefined;
      const events = await readCallEvents(tx, callId);
      const projected = projectCall(events, call.started_at);
      return { call, projected, isTransferring: findDueTransfer(events)?.isOver === false };
    },
    "background",
  );
}

async function store(app: App, tenant: Tenant, callId: string, { text, usage }: Summary): Promise<boolean> {
  return app.db.asTenant(
    tenant,
    async (tx) => {
      const call = await tx
        .updateTable("calls")
        .set({ status: "finalized", summary: text, finalized_at: app.now(), updated_at: app.now() })
        .where("id", "=", callId)
        .where("status", "=", "ended")
        .returningAll()
        .executeTakeFirst();
      if (call === undefined) return false;
      const owner = ownerOf(call);
      await recordEvent(app, tx, owner, {
        type: "call.finalized",
        subject: { kind: "call", id: callId },
        data: { call_id: callId, ended_reason: call.ended_reason, duration_seconds: call.duration_seconds },
      });
      await countUsage(app, tx, owner, { callSeconds: call.duration_seconds ?? 0, ...usage });
      return true;
    },
    "background",
  );
}
