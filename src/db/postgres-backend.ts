import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Backend } from "./backend.ts";
import { columnTypes, lastRows, openSession, toError } from "./pg-session.ts";
import { createPlaces } from "./places.ts";
import { TENANT_ROLE } from "./roles.ts";
import { createSharedReaders } from "./shared-readers.ts";
import { StartRefused } from "./start-refused.ts";

const CONNECTIONS_MAX = 12;
/** Of these: as many as the machine has processors is enough for work that nobody waits for, and the rest stay free. */
const BACKGROUND_MAX = 2;
/** Besides the pool, for look-ups. */
const READERS = 3;
const CONNECT_TIMEOUT_MS = 10_000;
/** After a failover a connection may lead nowhere without ever saying so. No statement of ours takes this long. */
const ANSWER_TIMEOUT_MS = 120_000;
const RECONNECT_MS = 500;
/** Any constant that nothing else in the database uses: "lume" in ASCII. */
const MIGRATION_LOCK = 0x6c756d65;

/** Queries are short: to compile them, or to start processes that share in them, costs more than all that it could save. */
const SESSION = `set role ${TENANT_ROLE}; set idle_in_transaction_session_timeout = '60s';
  set jit = off; set max_parallel_workers_per_gather = 0`;

interface Options {
  connectionString: string;
  /** Told about connections that broke; they are replaced by themselves. */
  onConnectionError: (error: Error) => void;
}

/** PostgreSQL 15 or newer. Every pooled connection rests in the restricted role, where no tenant is set: 0 rows. */
export function postgresBackend({ connectionString, onConnectionError }: Options): Backend {
  const settings = { connectionString, types: columnTypes, application_name: "lumenone" };
  const pool = new pg.Pool({
    ...settings,
    pipeline: true,
    keepAlive: true,
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
    onConnect: async (client) => {
      // The pool listens to idle connections only: one that breaks in use would end the process.
      client.on("error", onConnectionError);
      await client.query(SESSION);
    },
  });
  // The same errors once more, of idle connections; unheard they would end the process, too.
  pool.on("error", () => undefined);
  const readers = createSharedReaders(READERS, async () => {
    const client = new pg.Client({
      ...settings,
      pipeline: true,
      keepAlive: true,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: ANSWER_TIMEOUT_MS,
    });
    client.on("error", onConnectionError);
    await client.connect();
    await client.query(SESSION);
    return client;
  });
  const listeners = new Set<() => Promise<void>>();
  const background = createPlaces(BACKGROUND_MAX);

  return {
    kind: "postgres",
    async open(opening, priority) {
      const leave = priority === "background" ? await background.acquire(priority) : () => undefined;
      try {
        const client = await pool.connect();
        const release = (broken?: Error) => {
          client.release(broken);
          leave();
        };
        return openSession(client, opening, { release, releaseWhen: "answered" });
      } catch (error) {
        leave();
        throw error;
      }
    },
    readOnce: (opening, statement) => readers.read(opening, statement),
    async asOwner(work) {
      const client = new pg.Client({ ...settings, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
      client.on("error", onConnectionError);
      await client.connect().catch((error: unknown) => {
        throw new StartRefused(`The database in DATABASE_URL cannot be used: ${reasonOf(error)}.`, {
          cause: error,
        });
      });
      try {
        await client.query(`select pg_advisory_lock(${MIGRATION_LOCK})`);
        return await work(async (sql) => lastRows(await client.query(sql)));
      } finally {
        await client.end();
      }
    },
    async listen(channel, onMessage) {
      listeners.add(keepListening(settings, channel, onMessage, onConnectionError));
    },
    async close() {
      await Promise.all([...listeners].map((stop) => stop()));
      await readers.close();
      await pool.end();
    },
  };
}

/**
 * A connection of its own, since a pooled one in pipeline mode is busy with other things when the message comes. It is
 * tried for ever, one attempt at a time: who cannot listen hears of changes by asking (`signals.ts`).
 */
function keepListening(
  settings: pg.ClientConfig,
  channel: string,
  onMessage: (payload: string) => void,
  onConnectionError: (error: Error) => void,
): () => Promise<void> {
  const stopping = new AbortController();
  let current: pg.Client | undefined;

  async function listenOnce(): Promise<void> {
    const client = new pg.Client({
      ...settings,
      keepAlive: true,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    });
    const ended = new Promise<void>((resolve) => client.once("end", resolve));
    client.on("notification", (message) => onMessage(message.payload ?? ""));
    client.on("error", onConnectionError);
    current = client;
    try {
      await client.connect();
      await client.query(`set role ${TENANT_ROLE}; listen ${pg.escapeIdentifier(channel)}`);
      await ended;
    } finally {
      await client.end().catch(() => undefined);
    }
  }
  async function keepTrying(): Promise<void> {
    while (!stopping.signal.aborted) {
      await listenOnce().catch((error: unknown) => {
        if (!stopping.signal.aborted) onConnectionError(toError(error));
      });
      await sleep(RECONNECT_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }

  const trying = keepTrying();
  return async () => {
    stopping.abort();
    await current?.end().catch(() => undefined);
    await trying;
  };
}

/** Several addresses that all refuse come as one error without a message. */
function reasonOf(error: unknown): string {
  const { message, code } = Object(error);
  return [message, code].filter((part) => typeof part === "string" && part !== "").join(", ");
}
