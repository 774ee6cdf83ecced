import { z } from "zod";
import type { App } from "../context.ts";
import { ownerOf } from "../conversations/conversation.ts";
import type { Tenant } from "../db/database.ts";
import { JobFailure, type JobHandler } from "../jobs/worker.ts";
import { countUsage } from "../usage/count.ts";
import { recordEvent } from "../webhooks/record-event.ts";
import { type CallRow, readCallEvents } from "./call-row.ts";
import { type ProjectedCall, projectCall } from "./project-call.ts";
import { type Summary, summarizeCall } from "./summarize-call.ts";

export const FINALIZE_JOB = "finalize-call";

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
  const summary = await summarizeCall(app, found.call, found.projected, job.signal);
  return { finalized: await store(app, tenant, callId, summary) };
};

async function readEnded(
  app: App,
  tenant: Tenant,
  callId: string,
): Promise<{ call: CallRow; projected: ProjectedCall } | undefined> {
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
      return { call, projected: projectCall(await readCallEvents(tx, callId), call.started_at) };
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
