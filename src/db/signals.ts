import { sql } from "kysely";
import type { Backend } from "./backend.ts";
import { type Database, onCommit, type Tx } from "./database.ts";
import { oneAtATime } from "./one-at-a-time.ts";

/** What processes tell each other. `access`: keys or accounts changed. `jobs`, `whatsapp`: there is work. */
export type SignalName = "access" | "jobs" | "whatsapp";

/**
 * Tells every process of a change within a second: by notification at once, and by asking the database twice a second
 * for the case that a notification was lost (connection poolers drop LISTEN).
 */
export interface Signals {
  /**
   * To be called in the transaction of the change. `access` is also counted, so that a poll can notice it. The others
   * tell after the commit: whoever looks for work looks now and then without being told, too.
   */
  raise(tx: Tx, name: SignalName): Promise<void>;
  /** Calls `listener` after a change was committed by any process. */
  on(name: SignalName, listener: () => void): void;
  /** Whether this process would know by now of a change older than a second. When not, memory must not be trusted. */
  isFresh(): boolean;
  close(): void;
}

const CHANNEL = "lumenone";
const POLL_MS = 400;
const FRESH_MS = 1_000;

interface Options {
  db: Database;
  backend: Backend;
  nowMs: () => number;
  onError: (error: unknown) => void;
}

export async function createSignals({ db, backend, nowMs, onError }: Options): Promise<Signals> {
  const listeners: Record<SignalName, (() => void)[]> = { access: [], jobs: [], whatsapp: [] };
  const emit = (name: SignalName) => {
    for (const listener of listeners[name]) listener();
  };
  const shared = backend.kind === "postgres";
  let version = -1;
  let confirmedAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  const stopping = new AbortController();
  const untold = new Set<SignalName>();
  const telling = oneAtATime(tellOthers, stopping.signal);

  /**
   * PostgreSQL lets one transaction at a time commit a notification, until its commit is on the disk: two hundred
   * messages a second would queue there, each for the whole of the others' writes. So those that only say that there is
   * work are told of together, by a transaction of their own that waits for no disk.
   */
  async function tellOthers(): Promise<void> {
    const names = [...untold];
    untold.clear();
    await db
      .asSystem("signals", async (tx) => {
        await sql`set local synchronous_commit = off`.execute(tx);
        await sql`select pg_notify(${CHANNEL}, name) from unnest(${names}::text[]) as name`.execute(tx);
      })
      .catch(report);
  }

  function tellSoon(name: SignalName): void {
    untold.add(name);
    telling.ask();
  }

  async function poll(): Promise<void> {
    const askedAt = nowMs();
    const row = await db.asSystem("signals", (tx) =>
      tx.selectFrom("signals").select("version").where("name", "=", "access").executeTakeFirstOrThrow(),
    );
    if (row.version !== version) emit("access");
    version = row.version;
    confirmedAt = askedAt;
  }

  function report(error: unknown): void {
    if (!stopping.signal.aborted) onError(error);
  }

  if (shared) {
    await backend.listen(CHANNEL, (payload) => {
      if (payload === "access" || payload === "jobs" || payload === "whatsapp") emit(payload);
    });
    await poll();
    const again = () => {
      if (!stopping.signal.aborted)
        timer = setTimeout(() => void poll().catch(report).finally(again), POLL_MS);
    };
    again();
  }

  return {
    async raise(tx, name) {
      if (name === "access") {
        await tx.updateTable("signals").set({ version: sql`version + 1` }).where("name", "=", name).execute();
        if (shared) await sql`select pg_notify(${CHANNEL}, ${name})`.execute(tx);
      }
      onCommit(tx, () => {
        emit(name);
        if (shared && name !== "access") tellSoon(name);
      });
    },
    on: (name, listener) => void listeners[name].push(listener),
    isFresh: () => !shared || nowMs() - confirmedAt < FRESH_MS,
    close() {
      stopping.abort();
      clearTimeout(timer);
    },
  };
}
