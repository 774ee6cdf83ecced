import { sql } from "kysely";
import { type Database, onCommit, type Tx } from "../db/database.ts";
import type { Signals } from "../db/signals.ts";
import { Problem } from "../http/problem.ts";

/** Work to be done later, by this process or another. */
export interface NewJob {
  kind: string;
  partnerId: string;
  accountId: string | null;
  organizationId: number | null;
  workspaceId?: number | null;
  /** What the handler gets; JSON. */
  payload: object;
  /** While a job of this kind with this key is unfinished, enqueueing it again answers that one. */
  key?: string;
  maxAttempts?: number;
}

export interface Queue {
  /** An insert in the caller's transaction: the work exists exactly if that commits. Returns the job's id. */
  enqueue(tx: Tx, job: NewJob): Promise<string>;
  /** Many of one lane, at the cost of a few statements. Returns their ids in the same order. */
  enqueueAll(tx: Tx, jobs: readonly NewJob[]): Promise<string[]>;
  /** Waits for the job's end. `undefined`: it was not over in time (or the process is stopping). */
  wait(jobId: string, timeoutMs: number): Promise<JobEnd | undefined>;
  /** Called by the worker of this process once the end is committed, so that waiting costs no look-up here. */
  finished(jobId: string, end: JobEnd): void;
  /** Ends all waiting at once: what was promised goes on in another process. */
  stopWaiting(): void;
}

export type JobEnd = { status: "succeeded"; result: unknown } | { status: "failed"; error: JobError };

/** Why a job failed, in a sentence for whoever asked for it. */
export interface JobError {
  code: string;
  message: string;
}

const MAX_ATTEMPTS = 12;
const LANE_JOBS_MAX = 10_000;
/** How often to look for an end that another process may have brought about. */
const WAIT_POLL_MS = 500;
/** The embedded database has no other process: this is for what nobody thought of. */
const WAIT_POLL_ALONE_MS = 5_000;
/** Jobs put in by this process whose end is told from memory; an older one is looked up. */
const REMEMBERED_MAX = 10_000;

export function createQueue(db: Database, signals: Signals, newId: () => string): Queue {
  const sleepers = new Map<string, Set<(end?: JobEnd) => void>>();
  const remembered = new Map<string, JobEnd | "unfinished">();
  const pollMs = db.kind === "pglite" ? WAIT_POLL_ALONE_MS : WAIT_POLL_MS;
  let stopping = false;

  function remember(jobId: string): void {
    remembered.set(jobId, "unfinished");
    const [oldest] = remembered.keys();
    if (remembered.size > REMEMBERED_MAX && oldest !== undefined) remembered.delete(oldest);
  }

  return {
    async enqueue(tx, job) {
      const lane = laneOf(job);
      const id = newId();
      const insert = tx
        .insertInto("jobs")
        .values(rowOf(id, lane, job))
        .onConflict((conflict) => conflict.doNothing())
        .returning("id");
      const [, inserted] = await Promise.all([refuseFullLane(tx, lane), insert.executeTakeFirst()]);
      if (inserted === undefined) return unfinishedWith(tx, job);
      // Before the signal, which lets the worker begin: its end must find the job remembered.
      onCommit(tx, () => remember(id));
      await signals.raise(tx, "jobs");
      return id;
    },
    async enqueueAll(tx, jobs) {
      const [first] = jobs;
      if (first === undefined) return [];
      const lane = laneOf(first);
      await refuseFullLane(tx, lane);
      const rows = jobs.map((job) => ({ ...rowOf(newId(), lane, job), payload: job.payload }));
      const inserted = new Set(await insertAll(tx, rows));
      onCommit(tx, () => inserted.forEach(remember));
      await signals.raise(tx, "jobs");
      return Promise.all(
        rows.map(({ id }, index) => {
          const job = jobs[index];
          return inserted.has(id) || job === undefined ? id : unfinishedWith(tx, job);
        }),
      );
    },
    async wait(jobId, timeoutMs) {
      const deadline = performance.now() + timeoutMs;
      const known = remembered.get(jobId);
      let end = known === "unfinished" ? undefined : (known ?? (await findEnd(db, jobId)));
      while (end === undefined && !stopping) {
        const left = deadline - performance.now();
        if (left <= 0) return findEnd(db, jobId);
        end = (await nap(sleepers, jobId, Math.min(left, pollMs))) ?? (await findEnd(db, jobId));
      }
      return end;
    },
    finished(jobId, end) {
      // One that failed may be tried again: its end is only ever that of the moment.
      if (end.status === "failed") remembered.delete(jobId);
      else if (remembered.has(jobId)) remembered.set(jobId, end);
      for (const wake of sleepers.get(jobId) ?? []) wake(end);
    },
    stopWaiting() {
      stopping = true;
      for (const some of sleepers.values()) for (const wake of some) wake();
    },
  };
}

/** Fairness is between organizations; work above them has the account's or the partner's lane. */
function laneOf(job: NewJob): string {
  if (job.organizationId !== null) return `organization:${job.organizationId}`;
  return job.accountId === null ? `partner:${job.partnerId}` : `account:${job.accountId}`;
}

function rowOf(id: string, lane: string, job: NewJob) {
  return {
    id,
    lane,
    kind: job.kind,
    partner_id: job.partnerId,
    account_id: job.accountId,
    organization_id: job.organizationId,
    workspace_id: job.workspaceId ?? null,
    key: job.key ?? null,
    payload: sql`${JSON.stringify(job.payload)}::jsonb`,
    max_attempts: job.maxAttempts ?? MAX_ATTEMPTS,
  };
}

/** One statement whatever their number, so that it is prepared once. Returns the ids of those that were not there yet. */
async function insertAll(tx: Tx, rows: readonly object[]): Promise<string[]> {
  const { rows: inserted } = await sql<{ id: string }>`
    insert into jobs (id, lane, kind, partner_id, account_id, organization_id, workspace_id, key, payload, max_attempts)
    select id, lane, kind, partner_id, account_id, organization_id, workspace_id, key, payload, max_attempts
    from json_to_recordset(${JSON.stringify(rows)}::json) as job (id uuid, lane text, kind text, partner_id uuid,
      account_id uuid, organization_id integer, workspace_id integer, key text, payload jsonb, max_attempts integer)
    on conflict do nothing returning id`.execute(tx);
  return inserted.map(({ id }) => id);
}

async function refuseFullLane(tx: Tx, lane: string): Promise<void> {
  const { count } = await tx
    .selectFrom((query) =>
      query
        .selectFrom("jobs")
        .select("id")
        .where("lane", "=", lane)
        .where("status", "in", ["queued", "running"])
        .limit(LANE_JOBS_MAX)
        .as("unfinished"),
    )
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .executeTakeFirstOrThrow();
  if (count >= LANE_JOBS_MAX) {
    throw new Problem(
      "overloaded",
      "Too much work of this organization is waiting. Go on when some of it is done.",
      {
        headers: { "retry-after": "30" },
      },
    );
  }
}

async function unfinishedWith(tx: Tx, job: NewJob): Promise<string> {
  const { id } = await tx
    .selectFrom("jobs")
    .select("id")
    .where("kind", "=", job.kind)
    .where("key", "=", job.key ?? null)
    .where("status", "in", ["queued", "running"])
    .executeTakeFirstOrThrow();
  return id;
}

async function findEnd(db: Database, jobId: string): Promise<JobEnd | undefined> {
  const job = await db.asSystem("jobs", (tx) =>
    tx.selectFrom("jobs").select(["status", "result", "error"]).where("id", "=", jobId).executeTakeFirst(),
  );
  if (job === undefined) throw new Error(`job ${jobId} does not exist`);
  if (job.status === "succeeded") return { status: "succeeded", result: job.result };
  return job.status === "failed" ? { status: "failed", error: asJobError(job.error) } : undefined;
}

/** Written by the worker only, in this shape. */
export function asJobError(error: unknown): JobError {
  return error as JobError;
}

/** Until the job has ended here, or the time is over. */
function nap(
  sleepers: Map<string, Set<(end?: JobEnd) => void>>,
  jobId: string,
  ms: number,
): Promise<JobEnd | undefined> {
  return new Promise((resolve) => {
    const others = sleepers.get(jobId) ?? new Set();
    sleepers.set(jobId, others);
    const wake = (end?: JobEnd) => {
      clearTimeout(timer);
      others.delete(wake);
      if (others.size === 0) sleepers.delete(jobId);
      resolve(end);
    };
    const timer = setTimeout(wake, ms);
    others.add(wake);
  });
}
