import { sql } from "kysely";
import type { Backend } from "./backend.ts";
import { type Database, onCommit, type Tx } from "./database.ts";

/** What processes tell each other. `access`: keys or accounts changed. `jobs`, `whatsapp`: there is work. */
export type SignalName = "access" | "jobs" | "whatsapp";

/**
 * Tells every process of a change within a second: by notification at once, and by asking the database twice a second
 * for the case that a notification was lost (connection poolers drop LISTEN).
 */
export interface Signals {
  /** To be called in the transaction of the change. `access` is also counted, so that a poll can notice it. */
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
  let closed = false;

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
    if (!closed) onError(error);
  }

  if (shared) {
    await backend.listen(CHANNEL, (payload) => {
      if (payload === "access" || payload === "jobs" || payload === "whatsapp") emit(payload);
    });
    await poll();
    const again = () => {
      if (!closed) timer = setTimeout(() => void poll().catch(report).finally(again), POLL_MS);
    };
    again();
  }

  return {
    async raise(tx, name) {
      if (name === "access") {
        await tx.updateTable("signals").set({ version: sql`version + 1` }).where("name", "=", name).execute();
      }
      if (shared) await sql`select pg_notify(${CHANNEL}, ${name})`.execute(tx);
      onCommit(tx, () => emit(name));
    },
    on: (name, listener) => void listeners[name].push(listener),
    isFresh: () => !shared || nowMs() - confirmedAt < FRESH_MS,
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
