import { z } from "zod";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { Answer } from "../http/operation.ts";
import { Problem } from "../http/problem.ts";
import type { ErasureTarget } from "./erase-step.ts";
import { JobFailure, type JobHandler } from "./worker.ts";

/** How long a DELETE waits for the erasure before it answers 202. */
const WAIT_MS = 25_000;

const Target = z.discriminatedUnion("level", [
  z.object({ level: z.literal("account"), partnerId: z.string(), accountId: z.string() }),
  z.object({
    level: z.literal("organization"),
    partnerId: z.string(),
    accountId: z.string(),
    organizationId: z.number(),
  }),
  z.object({
    level: z.literal("workspace"),
    partnerId: z.string(),
    accountId: z.string(),
    organizationId: z.number(),
    workspaceId: z.number(),
  }),
]);

export const ErasureDone = z.object({ success: z.literal(true) }).meta({ id: "ErasureDone" });
export const ErasureUnderWay = z
  .object({ success: z.literal(true), job_id: z.uuid() })
  .meta({ id: "ErasureUnderWay", description: "It is out of reach already; the job removes what is left." });

/**
 * From this transaction's commit on nobody finds the target or anything beneath it; a job then removes it for good.
 *
 * @returns the job's id
 */
export async function beginErasure(app: App, tx: Tx, target: ErasureTarget): Promise<string> {
  for (const step of app.eraseSteps) await step.hide?.(tx, target);
  return app.queue.enqueue(tx, {
    kind: "erase",
    partnerId: target.partnerId,
    accountId: target.accountId,
    organizationId: target.level === "account" ? null : target.organizationId,
    payload: target,
  });
}

/** Refuses an erasure that would break off what is going on. */
export async function refuseWhileBusy(app: App, tx: Tx, target: ErasureTarget): Promise<void> {
  for (const step of app.eraseSteps) {
    const reason = await step.refuse?.(tx, target);
    if (reason !== undefined) throw new Problem("conflict", `${reason} Try again later, or send force=true.`);
  }
}

/** 200 when the job ended in time, else 202 with its id: what is left goes on in the background. */
export async function answerErasure(app: App, jobId: string) {
  const end = await app.queue.wait(jobId, WAIT_MS);
  return end?.status === "succeeded"
    ? { success: true as const }
    : new Answer(202, { success: true as const, job_id: jobId });
}

/** The job: every room removes what it holds, later rooms first, each step safe to repeat. */
export const eraseHandler: JobHandler = async (app, job) => {
  const target = Target.safeParse(job.payload);
  if (!target.success) throw new JobFailure("bad_payload", "This job does not say what to erase.");
  for (const [done, step] of app.eraseSteps.entries()) {
    job.signal.throwIfAborted();
    await job.progress({ done, total: app.eraseSteps.length, step: step.name });
    await step.erase(app, target.data, job.signal);
  }
  await job.progress({ done: app.eraseSteps.length, total: app.eraseSteps.length });
};
