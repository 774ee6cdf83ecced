import { randomInt } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pino from "pino";
import { openApp } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { type Client, client, type Reply } from "../support.ts";
import type { Experiment, Outcome } from "./experiment.ts";
import { type ServerProcess, startProcess } from "./process.ts";

const WRITERS = 8;
/** Organizations that are being deleted when the blow falls. */
const DELETIONS = 3;
const LOAD_MS = { min: 150, max: 900 };
const DELETING_MS = 600;
/** The embedded database's jobs are taken up at once; on PostgreSQL the lease of the dead process has to run out. */
const SETTLE_MS = { embedded: 3_000, postgres: 20_000 };
const JOBS_MS = 20_000;

/** One write, known by its name and its Idempotency-Key; `id` once it was answered with 200. */
interface Write {
  name: string;
  id?: number;
}

/** One account's worth of writes. */
interface Round {
  accountId: string;
  writes: Write[];
  /** Paths of organizations whose deletion was begun, and the jobs of those that were answered. */
  deleted: { name: string; path: string; reply?: Reply }[];
}

/**
 * Writes with eight clients, kills the process with `kill -9` in the middle, starts it again and compares: what was
 * answered is there once, what was not is there once or never and can be sent again, begun deletions are finished.
 */
export const killUnderWrite: Experiment = {
  about: "kill -9 while eight clients write; every acknowledged write must survive, once",
  rounds: 50,
  async run({ settings, rounds, progress }) {
    const outcome: Outcome = {
      figures: { rounds, acknowledged: 0, unanswered: 0, jobs: 0, "slowest restart ms": 0 },
      violations: [],
    };
    const done: Round[] = [];
    let server = await startProcess(settings);
    const { api_key: key } = JSON.parse(
      await readFile(join(settings.DATA_DIR ?? "", "bootstrap.json"), "utf8"),
    );
    for (let number = 1; number <= rounds; number += 1) {
      const round = await beginRound(server, key);
      await writeUntilKilled(server, key, round);
      const started = performance.now();
      server = await startProcess(settings);
      const restartMs = Math.round(performance.now() - started);
      await compare(client(server.url, key, round.accountId), round, outcome);
      done.push(round);
      const earlier = done[randomInt(done.length)];
      if (earlier !== undefined)
        await compareAgain(client(server.url, key, earlier.accountId), earlier, outcome);
      outcome.figures["slowest restart ms"] = Math.max(outcome.figures["slowest restart ms"] ?? 0, restartMs);
      const acknowledged = round.writes.filter(({ id }) => id !== undefined).length;
      progress(
        `round ${number}/${rounds}: ${acknowledged} acknowledged, ${round.writes.length - acknowledged} unanswered, ` +
          `restart ${restartMs} ms, ${outcome.violations.length} violations`,
      );
    }
    for (const round of done) await compareAgain(client(server.url, key, round.accountId), round, outcome);
    await sleep(settings.DATABASE_URL === undefined ? SETTLE_MS.embedded : SETTLE_MS.postgres);
    const { code } = await server.stop();
    if (code !== 0) outcome.violations.push(`the last process ended with ${code}`);
    await lookBehind(settings, outcome);
    return outcome;
  },
};

async function beginRound(server: ServerProcess, key: string): Promise<Round> {
  const { body } = await client(server.url, key).post("/v1/accounts", { name: "Round" });
  const round: Round = { accountId: body.account.id, writes: [], deleted: [] };
  const api = client(server.url, key, round.accountId);
  for (let i = 0; i < DELETIONS; i += 1) {
    const name = `doomed-${i}`;
    const { organization } = (await api.post("/v1/orgs", { name })).body;
    round.deleted.push({ name, path: `/v1/org/${organization.slug}` });
  }
  return round;
}

async function writeUntilKilled(server: ServerProcess, key: string, round: Round): Promise<void> {
  const api = client(server.url, key, round.accountId);
  let alive = true;
  const writers = Array.from({ length: WRITERS }, async (_, writer) => {
    for (let i = 0; alive; i += 1) {
      const write: Write = { name: `write-${writer}-${i}` };
      round.writes.push(write);
      const reply = await send(api, write).catch(() => undefined);
      if (reply?.status === 200) write.id = reply.body.organization.id;
    }
  });
  await sleep(randomInt(LOAD_MS.min, LOAD_MS.max));
  const deletions = round.deleted.map(async (deletion) => {
    const reply = await api.delete(deletion.path).catch(() => undefined);
    if (reply !== undefined) deletion.reply = reply;
  });
  await sleep(randomInt(0, DELETING_MS));
  await server.stop("SIGKILL");
  alive = false;
  await Promise.all([...writers, ...deletions]);
}

function send(api: Client, { name }: Write): Promise<Reply> {
  return api.post("/v1/orgs", { name }, { "idempotency-key": name });
}

async function compare(api: Client, round: Round, outcome: Outcome): Promise<void> {
  const { figures, violations } = outcome;
  const found = await organizationsByName(api);
  for (const write of round.writes) {
    const ids = found.get(write.name) ?? [];
    if (ids.length > 1) violations.push(`${write.name} is there ${ids.length} times`);
    if (write.id !== undefined && ids[0] !== write.id)
      violations.push(`${write.name} was acknowledged and is gone`);
  }
  for (const write of round.writes.filter(({ id }) => id === undefined)) {
    await sendAgain(api, write, found.get(write.name)?.[0], violations);
  }
  await finishDeletions(api, round, violations);
  figures.acknowledged =
    (figures.acknowledged ?? 0) + round.writes.filter(({ id }) => id !== undefined).length;
  figures.unanswered = (figures.unanswered ?? 0) + round.writes.filter(({ id }) => id === undefined).length;
  figures["answered deletions"] =
    (figures["answered deletions"] ?? 0) + round.deleted.filter(({ reply }) => reply !== undefined).length;
}

/** The work and the memory of its key are one: either both survived, or neither did. */
async function sendAgain(api: Client, write: Write, found: number | undefined, violations: string[]) {
  const { status, body } = await send(api, write);
  const inFlight = status === 409 && body.code === "idempotency_in_flight";
  if (found !== undefined && !(status === 200 && body.organization.id === found)) {
    violations.push(
      `${write.name} is there, but sending it again was answered with ${status} ${body.code ?? ""}`,
    );
  }
  if (found === undefined && status !== 200 && !inFlight) {
    violations.push(`${write.name} is not there, and sending it again was answered with ${status}`);
  }
}

async function finishDeletions(api: Client, round: Round, violations: string[]): Promise<void> {
  const deadline = performance.now() + JOBS_MS;
  for (const { name, path, reply } of round.deleted) {
    const jobId = reply?.body.job_id;
    if (reply !== undefined && (await api.get(path)).status !== 404)
      violations.push(`${name} was deleted and is back`);
    if (typeof jobId !== "string") continue;
    let status = "";
    while (status !== "succeeded" && performance.now() < deadline) {
      ({ status } = (await api.get(`/v1/jobs/${jobId}`)).body.job);
      if (status !== "succeeded") await sleep(50);
    }
    if (status !== "succeeded") violations.push(`the job that deletes ${name} is still ${status}`);
  }
}

async function compareAgain(api: Client, round: Round, { violations }: Outcome): Promise<void> {
  const found = await organizationsByName(api);
  const lost = round.writes.filter(
    ({ name, id }) => id !== undefined && found.get(name)?.join() !== String(id),
  );
  if (lost.length > 0) violations.push(`${lost.length} writes of an earlier round are gone or doubled`);
}

/** In the tables themselves: every job is finished, and nothing that was hidden is left. */
async function lookBehind(settings: Record<string, string>, { figures, violations }: Outcome): Promise<void> {
  const { app, close } = await openApp(readConfig(settings), {
    log: pino({ level: "silent" }),
    onFatal: (error) => violations.push(String(error)),
  });
  const [jobs, hidden] = await app.db.asSystem("jobs", async (tx) => [
    await tx.selectFrom("jobs").select("status").execute(),
    await tx.selectFrom("organizations").select("id").where("erasing_at", "is not", null).execute(),
  ]);
  await close();
  figures.jobs = jobs.length;
  const unfinished = jobs.filter(({ status }) => status !== "succeeded");
  if (unfinished.length > 0) violations.push(`${unfinished.length} jobs were never finished`);
  if (hidden.length > 0) violations.push(`${hidden.length} deleted organizations are still in the table`);
}

async function organizationsByName(api: Client): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>();
  let cursor: string | null = null;
  do {
    const page: string = cursor === null ? "" : `&cursor=${cursor}`;
    const { body } = await api.get(`/v1/orgs?limit=100${page}`);
    for (const { name, id } of body.organizations) found.set(name, [...(found.get(name) ?? []), id]);
    cursor = body.next_cursor;
  } while (cursor !== null);
  return found;
}
