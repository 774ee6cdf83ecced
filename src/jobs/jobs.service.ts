import { type Selectable, sql } from "kysely";
import type { App } from "../context.ts";
import type { Database, Tx } from "../db/database.ts";
import type { Caller } from "../http/caller.ts";
import { notFound, Problem } from "../http/problem.ts";
import { Job } from "./jobs.schemas.ts";
import type { JobTables } from "./jobs.tables.ts";

const KEPT = sql`interval '30 days'`;
const WATCH_MS = 500;

/** Narrowed to the account when the caller names one; the partner's own otherwise. */
export async function getJob(app: App, caller: Caller, jobId: string): Promise<{ job: Job }> {
  const [row] = await app.db.readAsTenant<Selectable<JobTables["jobs"]>>(caller, (db) =>
    db.selectFrom("jobs").selectAll().where("id", "=", jobId),
  );
  if (row === undefined) throw notFound("job");
  return { job: toJob(row) };
}

/** Lets a job that failed for good try again from the start, with as many attempts as a new one. */
export async function retryJob(
  app: App,
  caller: Caller,
  jobId: string,
): Promise<{ success: true; job: Job }> {
  const { job } = await getJob(app, caller, jobId);
  await app.db.asSystem("jobs", async (tx) => {
    const updated = await tx
      .updateTable("jobs")
      .set({ status: "queued", attempts: 0, due_at: sql`now()`, finished_at: null, updated_at: sql`now()` })
      .where("id", "=", jobId)
      .where("status", "=", "failed")
      .executeTakeFirst();
    if (updated.numUpdatedRows === 0n) {
      throw new Problem("conflict", `Only a job that failed can be retried; this one is ${job.status}.`);
    }
    await app.signals.raise(tx, "jobs");
  });
  return { success: true, ...(await getJob(app, caller, jobId)) };
}

/** The job each time it has changed, until it is over or `signal` is aborted. */
export async function* watchJob(
  app: App,
  caller: Caller,
  jobId: string,
  signal: AbortSignal,
): AsyncGenerator<Job> {
  let last = "";
  while (!signal.aborted) {
    const { job } = await getJob(app, caller, jobId);
    const text = JSON.stringify(job);
    if (text !== last) yield job;
    last = text;
    if (job.status === "succeeded" || job.status === "failed") return;
    await app.queue.wait(jobId, WATCH_MS);
  }
}

/** The id of the job of this kind with this key that has not ended yet. */
export async function findUnfinished(tx: Tx, kind: string, key: string): Promise<string | undefined> {
  const row = await tx
    .selectFrom("jobs")
    .select("id")
    .where("kind", "=", kind)
    .where("key", "=", key)
    .where("status", "in", ["queued", "running"])
    .executeTakeFirst();
  return row?.id;
}

/** Finished jobs are kept for 30 days. */
export async function forgetOldJobs(db: Database): Promise<void> {
  await db.asSystem("jobs", async (tx) => {
    await tx
      .deleteFrom("jobs")
      .where("status", "in", ["succeeded", "failed"])
      .where("finished_at", "<", sql<Date>`now() - ${KEPT}`)
      .execute();
  });
}

function toJob(row: Selectable<JobTables["jobs"]>): Job {
  return Job.parse({
    ...row,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    finished_at: row.finished_at?.toISOString() ?? null,
  });
}
