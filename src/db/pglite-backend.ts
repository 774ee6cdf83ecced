import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import pg from "pg";
import type { Backend, Priority } from "./backend.ts";
import { columnTypes, lastRows, openSession, readOnce } from "./pg-session.ts";
import { PgliteSocket } from "./pglite-socket.ts";
import { createPlaces } from "./places.ts";
import { TENANT_ROLE } from "./roles.ts";

/** As PostgreSQL's autovacuum would, but for its nap, which would be a minute. */
const ANALYZE_MS = 5_000;
const GROWN = `select quote_ident(c.relname) as name from pg_stat_user_tables s join pg_class c on c.oid = s.relid
  where n_mod_since_analyze > 50 + 0.2 * greatest(reltuples, 0) order by n_mod_since_analyze desc limit 5`;

interface Options {
  /** Holds the folder `pglite`. The caller holds its lock (`data-directory.ts`): PGlite itself has none. */
  dataDir: string;
  /** The database thread died; nothing can be served until the process is started again. */
  onFatal: (error: Error) => void;
}

/**
 * PGlite (PostgreSQL in WebAssembly) in a worker thread. It has one connection: a transaction holds it, and
 * interactive ones go first. Single reads are written behind each other without waiting.
 */
export async function pgliteBackend({ dataDir, onFatal }: Options): Promise<Backend> {
  const databaseDir = join(dataDir, "pglite");
  if (!existsSync(join(databaseDir, "PG_VERSION"))) await createDatabase(databaseDir);

  const worker = new Worker(new URL("./pglite-worker.ts", import.meta.url), { workerData: databaseDir });
  await once(worker, "message");
  let closing = false;
  worker.on("error", onFatal);
  const socket = new PgliteSocket(worker);
  const client = new pg.Client({
    stream: () => socket,
    user: "postgres",
    database: "postgres",
    pipeline: true,
    types: columnTypes,
  });
  client.on("error", (error) => {
    if (!closing) onFatal(error);
  });
  await client.connect();
  const connection = createPlaces(1);
  const analyzing = setInterval(() => {
    // Whoever needs the database next hears of what is wrong with it.
    analyzeGrown().catch(() => undefined);
  }, ANALYZE_MS).unref();

  /**
   * PGlite has no process that would, and a statement's plan is made once and kept until its tables are analyzed: one
   * made for empty tables may take seconds when they are full.
   */
  async function analyzeGrown(): Promise<void> {
    const grown = await asOwner("background", async (run) => run(GROWN));
    for (const { name } of grown) {
      if (closing) return;
      await asOwner("background", (run) => run(`analyze ${String(name)}`));
    }
  }

  async function asOwner<T>(
    priority: Priority,
    work: (run: (sql: string) => Promise<Record<string, unknown>[]>) => Promise<T>,
  ): Promise<T> {
    const release = await connection.acquire(priority);
    try {
      await client.query("reset role");
      return await work(async (sql) => lastRows(await client.query(sql)));
    } finally {
      // Released also when it failed: closing waits for its turn.
      await client.query(`set role ${TENANT_ROLE}`).finally(release);
    }
  }

  return {
    kind: "pglite",
    async open(opening, priority) {
      const release = await connection.acquire(priority);
      return openSession(client, opening, { release, releaseWhen: "written" });
    },
    async readOnce(opening, statement) {
      const release = await connection.acquire("interactive");
      const answer = readOnce(client, opening, statement);
      release();
      return answer;
    },
    asOwner: (work) => asOwner("interactive", work),
    async listen() {
      // One process owns the database: what it changes it knows.
    },
    async close() {
      clearInterval(analyzing);
      await connection.acquire("interactive");
      closing = true;
      worker.postMessage("close");
      await once(worker, "exit");
    },
  };
}

/**
 * In a child, because creating a database takes 250 MB that a process never gives back; renamed when it is whole. Each
 * attempt has a folder of its own: the child of a process that was killed may still be writing to its one.
 */
async function createDatabase(databaseDir: string): Promise<void> {
  const unfinished = `${databaseDir}.new-${randomUUID()}`;
  await removeUnfinished(databaseDir);
  const program = fileURLToPath(new URL("./pglite-create.ts", import.meta.url));
  const child = spawn(process.execPath, [program, unfinished], { stdio: ["pipe", "ignore", "pipe"] });
  let complaints = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaints += chunk.toString();
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`the embedded database could not be created: ${complaints.trim()}`);
  await rename(unfinished, databaseDir);
}

/** What cannot be removed because somebody is still writing there goes with the next creation. */
async function removeUnfinished(databaseDir: string): Promise<void> {
  const folder = dirname(databaseDir);
  const names = await readdir(folder);
  const left = names.filter((name) => name.startsWith(`${basename(databaseDir)}.new`));
  for (const name of left)
    await rm(join(folder, name), { recursive: true, force: true }).catch(() => undefined);
}
