import { sql } from "kysely";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { oneAtATime } from "../db/one-at-a-time.ts";
import type { JobEnd, JobError } from "./queue.ts";

/** A job as its handler sees it. */
export interface RunningJob {
  id: string;
  partnerId: string;
  accountId: string | null;
  organizationId: number | null;
  payload: unknown;
  /** 1 for the first try. */
  attempt: number;
  /** When this try fails, there is no other: what the job was for must not be left waiting. */
  isLastAttempt: boolean;
  /** Aborted when the lease was lost or the process is stopping: stop soon; the job will be run again. */
  signal: AbortSignal;
  /** Tells who is watching how far it is, e.g. `{done: 3, total: 10, step: "pages"}`. */
  progress(state: Record<string, unknown>): Promise<void>;
}

/** Must be safe to run twice. What it returns becomes the job's result. */
export type JobHandler = (app: App, job: RunningJob) => Promise<unknown>;

/** Thrown by a handler when trying again cannot help: the job fails at once, with this reason. */
export class JobFailure extends Error {
  override name = "JobFailure";
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Thrown by a handler when somebody else is at fault, who may be well again: the job is tried again later, and says why
 * meanwhile.
 */
export class JobRetry extends Error {
  override name = "JobRetry";
  readonly code: string;
  /** The longest pause before the next try. */
  readonly withinMs: number;
  constructor(code: string, message: string, options: ErrorOptions & { withinMs: number }) {
    super(message, options);
    this.code = code;
    this.withinMs = options.withinMs;
  }
}

/** Thrown by a handler whose time has not come: it is run again later, as if it had not been run now. */
export class JobPostponed extends Error {
  override name = "JobPostponed";
  readonly afterMs: number;
  constructor(message: string, afterMs = POSTPONED_MS) {
    super(message);
    this.afterMs = afterMs;
  }
}

export interface Worker {
  /** Takes no more jobs, tells the running ones to stop, and waits for them. */
  stop(): Promise<void>;
}

/** Jobs at once in a process. Most of their time they wait for a disk, a reading process or a provider. */
const SLOTS = 8;
/** One organization never holds every slot, so that another's job starts at once. */
const LANE_SLOTS = SLOTS - 1;
const LEASE_MS = 15_000;
const HEARTBEAT_MS = 5_000;
const POLL_MS = 1_000;
const POSTPONED_MS = 500;
const BACKOFF_FIRST_MS = 2_000;
const BACKOFF_MAX_MS = 3_600_000;

type ClaimedRow = {
  id: string;
  kind: string;
  partner_id: string;
  account_id: string | null;
  organization_id: number | null;
  payload: unknown;
  attempts: number;
  max_attempts: number;
};

/** A job whose handler has come to its end, which is not written yet. */
interface Ended {
  row: ClaimedRow;
  result: unknown;
  json: string;
  atMs: number;
}

/** Runs due jobs of all organizations, fairly, until stopped. */
export function startWorker(app: App, handlers: Readonly<Record<string, JobHandler>>): Worker {
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();
  let ended: Ended[] = [];
  const turns = oneAtATime(
    async () => {
      for (const row of await settleAndClaim(SLOTS - running.size)) start(row);
    },
    stopping.signal,
    { pollMs: POLL_MS },
  );

  function start(row: ClaimedRow): void {
    const work = run(app, handlers, row, stopping.signal).then((end) => {
      if (end !== undefined) ended.push(end);
      running.delete(work);
      turns.ask();
    });
    running.add(work);
  }
  /** What ended since the last turn is written in the transaction that takes the next jobs. */
  async function settleAndClaim(free: number): Promise<ClaimedRow[]> {
    const settling = ended;
    ended = [];
    try {
      return await writeAndClaim(app, settling, free);
    } catch (error) {
      app.log.error({ error }, "no job could be claimed");
      // Tried again with the next poll; should that go on, the leases run out and the jobs are run again.
      const since = performance.now() - LEASE_MS;
      ended = [...settling.filter(({ atMs }) => atMs > since), ...ended];
      return [];
    }
  }

  app.signals.on("jobs", turns.ask);
  return {
    async stop() {
      stopping.abort();
      await turns.settled();
      await Promise.all(running);
      await settleAndClaim(0);
    },
  };
}

/** On the embedded database there was only one process: what it left running is nobody's now. */
export async function reclaimAll(app: App): Promise<void> {
  await app.db.asSystem("jobs", async (tx) => {
    await tx.updateTable("jobs").set({ due_at: sql`now()` }).where("status", "=", "running").execute();
  });
}

async function writeAndClaim(app: App, settling: readonly Ended[], free: number): Promise<ClaimedRow[]> {
  if (settling.length === 0 && free <= 0) return [];
  const [settled, claimed] = await app.db.asSystem(
    "jobs",
    // Sent together: the one before the other, in one round trip.
    (tx) =>
      Promise.all([
        settling.length === 0 ? Promise.resolve<string[]>([]) : settleIn(tx, settling),
        free <= 0 ? Promise.resolve<ClaimedRow[]>([]) : claimIn(tx, free),
      ]),
    "background",
  );
  for (const { row, result } of settling) {
    if (settled.includes(row.id)) app.queue.finished(row.id, { status: "succeeded", result });
  }
  return claimed;
}

/** Returns the ids of those that were still ours to end: `attempts` fences as in {@link settle}. */
async function settleIn(tx: Tx, ended: readonly Ended[]): Promise<string[]> {
  const ids = ended.map(({ row }) => row.id);
  const attempts = ended.map(({ row }) => row.attempts);
  const results = ended.map(({ json }) => json);
  const { rows } = await sql<{ id: string }>`
    update jobs set status = 'succeeded', result = ended.result::jsonb, error = null, finished_at = now(), updated_at = now()
    from unnest(${ids}::uuid[], ${attempts}::integer[], ${results}::text[]) as ended (id, attempts, result)
    where jobs.id = ended.id and jobs.attempts = ended.attempts and jobs.status = 'running'
    returning jobs.id`.execute(tx);
  return rows.map(({ id }) => id);
}

/**
 * The next jobs, as many as there are free slots: lanes take turns, those with the fewest running first, and in a lane
 * the one that waited longest. Lanes are found by jumping through the index from one to the next, so ten thousand jobs
 * in one lane cost no more than a few. Materialized, because a planner without statistics looks for the heads anew for
 * every job there is.
 */
async function claimIn(tx: Tx, free: number): Promise<ClaimedRow[]> {
  const lease = sql`now() + ${`${LEASE_MS} milliseconds`}::interval`;
  const { rows } = await sql<ClaimedRow>`
    with recursive lanes as (
      (select lane from jobs where status in ('queued', 'running') order by lane limit 1)
      union all
      select (select j.lane from jobs j where j.status in ('queued', 'running') and j.lane > lanes.lane
        order by j.lane limit 1)
      from lanes where lanes.lane is not null
    ), heads as materialized (
      select head.id, head.due_at, busy.count + head.place as turn
      from lanes
      cross join lateral (select first.id, first.due_at, row_number() over (order by first.due_at) as place
        from (select id, due_at from jobs j where j.lane = lanes.lane
          and j.status in ('queued', 'running') and j.due_at <= now() order by j.due_at limit ${LANE_SLOTS}) first) head
      cross join lateral (select count(*) from jobs j where j.lane = lanes.lane
        and j.status = 'running' and j.due_at > now()) busy
      where lanes.lane is not null and busy.count + head.place <= ${LANE_SLOTS}
    ), chosen as materialized (
      select free.id from (select id from heads order by turn, due_at) next
      cross join lateral (select id from jobs where jobs.id = next.id
        and status in ('queued', 'running') and due_at <= now() for update skip locked) free
      limit ${free}
    )
    update jobs set status = 'running', attempts = attempts + 1, due_at = ${lease}, updated_at = now()
    from chosen where jobs.id = chosen.id
    returning jobs.id, kind, partner_id, account_id, organization_id, payload, attempts, max_attempts`.execute(
    tx,
  );
  return rows;
}

/** Returns what succeeded; what failed has been written down as that. */
async function run(
  app: App,
  handlers: Readonly<Record<string, JobHandler>>,
  row: ClaimedRow,
  stopping: AbortSignal,
): Promise<Ended | undefined> {
  const lost = new AbortController();
  const heartbeat = setInterval(() => {
    renew(app, row).then(
      (held) => held || lost.abort(),
      (error: unknown) => app.log.warn({ error, jobId: row.id }, "a job's lease could not be renewed"),
    );
  }, HEARTBEAT_MS);
  const signal = AbortSignal.any([stopping, lost.signal]);
  try {
    // Each attempt counts when it begins, so work that ends the whole process does not come back for ever.
    if (row.attempts > row.max_attempts) {
      throw new JobFailure(
        "gave_up",
        `This work was begun ${row.max_attempts} times and never came to an end.`,
      );
    }
    const result = (await handlerOf(handlers, row.kind)(app, toJob(app, row, signal))) ?? null;
    return { row, result, json: JSON.stringify(result), atMs: performance.now() };
  } catch (error) {
    if (error instanceof JobPostponed) await postpone(app, row, error.afterMs);
    else await fail(app, row, error, signal.aborted);
    return undefined;
  } finally {
    clearInterval(heartbeat);
  }
}

function handlerOf(handlers: Readonly<Record<string, JobHandler>>, kind: string): JobHandler {
  const handler = handlers[kind];
  if (handler === undefined) throw new Error(`this version has no handler for jobs of the kind ${kind}`);
  return handler;
}

function toJob(app: App, row: ClaimedRow, signal: AbortSignal): RunningJob {
  return {
    id: row.id,
    partnerId: row.partner_id,
    accountId: row.account_id,
    organizationId: row.organization_id,
    payload: row.payload,
    attempt: row.attempts,
    isLastAttempt: row.attempts >= row.max_attempts,
    signal,
    progress: async (state) => void (await settle(app, row, { progress: jsonb(state) })),
  };
}

async function renew(app: App, row: ClaimedRow): Promise<boolean> {
  return settle(app, row, { due_at: sql`now() + ${`${LEASE_MS} milliseconds`}::interval` });
}

async function postpone(app: App, row: ClaimedRow, afterMs: number): Promise<void> {
  const due_at = sql`now() + ${`${afterMs} milliseconds`}::interval`;
  const change = { status: "queued", attempts: row.attempts - 1, due_at };
  await settle(app, row, change).catch((error: unknown) => {
    app.log.warn({ error, jobId: row.id }, "a job could not be put off; its lease will run out");
  });
}

async function fail(app: App, row: ClaimedRow, error: unknown, aborted: boolean): Promise<void> {
  const final = !aborted && (error instanceof JobFailure || row.attempts >= row.max_attempts);
  if (!aborted)
    app.log.error({ error, jobId: row.id, kind: row.kind, attempt: row.attempts, final }, "a job failed");
  const change = final
    ? { status: "failed", error: jsonb(describe(error)), finished_at: sql`now()` }
    : {
        status: "queued",
        error: jsonb(describe(error)),
        due_at: sql`now() + ${aborted ? "0 milliseconds" : backoff(row, error)}::interval`,
      };
  try {
    const written = await settle(app, row, change);
    const end: JobEnd = { status: "failed", error: describe(error) };
    if (written && final) app.queue.finished(row.id, end);
  } catch (cause) {
    app.log.warn({ error: cause, jobId: row.id }, "a job's end could not be written; its lease will run out");
  }
}

/** 2, 4, 8 … s up to an hour, spread by a quarter so that what failed together does not come back together. */
function backoff(row: ClaimedRow, error: unknown): string {
  const longestMs = error instanceof JobRetry ? error.withinMs : BACKOFF_MAX_MS;
  const ms = Math.min(longestMs, BACKOFF_FIRST_MS * 2 ** (row.attempts - 1));
  const spread = 0.75 + 0.5 * (Number.parseInt(row.id.slice(-4), 16) / 0xffff);
  return `${Math.round(ms * spread)} milliseconds`;
}

/** `attempts` in the condition fences a worker that comes back after its lease went to another. */
async function settle(app: App, row: ClaimedRow, change: object): Promise<boolean> {
  const result = await app.db.asSystem(
    "jobs",
    (tx) =>
      tx
        .updateTable("jobs")
        .set({ ...change, updated_at: sql`now()` })
        .where("id", "=", row.id)
        .where("attempts", "=", row.attempts)
        .where("status", "=", "running")
        .executeTakeFirst(),
    "background",
  );
  return result.numUpdatedRows === 1n;
}

function describe(error: unknown): JobError {
  if (error instanceof JobFailure || error instanceof JobRetry)
    return { code: error.code, message: error.message };
  return {
    code: "internal",
    message: "An internal error stopped this work; the log has it under the job's id.",
  };
}

function jsonb(value: unknown) {
  return sql`${JSON.stringify(value)}::jsonb`;
}
