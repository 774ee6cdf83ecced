import { AsyncLocalStorage } from "node:async_hooks";
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from "kysely";
import type { Backend, Priority, Session } from "./backend.ts";
import { SYSTEM_ROLE, TENANT_ROLE } from "./roles.ts";
import type { Tables } from "./tables.ts";
import { isDeadlock, isLostStatement, Overtaken } from "./violations.ts";

/** Whose rows a transaction may see. Each id that is set narrows further. */
export interface Tenant {
  partnerId: string;
  accountId?: string | undefined;
  workspaceId?: number | undefined;
  /** Runs before the commit with what `work` returned; see `Caller`. */
  beforeCommit?: ((tx: Tx, value: unknown) => Promise<void>) | undefined;
}

/** A transaction's query builder: the only way to the tables. */
export type Tx = Kysely<Tables>;

/** The rooms that may look past one tenant, and why. */
export type SystemReason =
  | "keys"
  | "jobs"
  | "superadmin"
  | "bootstrap"
  | "erasure"
  | "signals"
  | "idempotency"
  | "whatsapp";

export interface Database {
  readonly kind: Backend["kind"];
  /**
   * One transaction that sees and writes only this tenant's rows. `work` is run again when PostgreSQL ends the
   * transaction to resolve a deadlock, or when it throws `Overtaken`, so it must do nothing but use `tx` and assign
   * what it found.
   */
  asTenant<T>(tenant: Tenant, work: (tx: Tx) => Promise<T>, priority?: Priority): Promise<T>;
  /** One read as this tenant, in one round trip. */
  readAsTenant<T>(tenant: Tenant, query: (compile: Tx) => { compile(): CompiledQuery<T> }): Promise<T[]>;
  /** All that `work` does here is background work where it does not say otherwise. */
  inBackground<T>(work: () => Promise<T>): Promise<T>;
  /** One transaction that sees every tenant's rows. `reason` shows up in the database's own activity view. */
  asSystem<T>(reason: SystemReason, work: (tx: Tx) => Promise<T>, priority?: Priority): Promise<T>;
  /**
   * Clears away what updates leave behind, which on the embedded database nobody else does: PostgreSQL has its own
   * process for it. Table by table, so that requests get their turn in between.
   */
  vacuum(): Promise<void>;
  close(): Promise<void>;
}

/** How often a transaction is begun that PostgreSQL chose as the victim of a deadlock. */
const ATTEMPTS_MAX = 4;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const running = new AsyncLocalStorage<true>();
const ambient = new AsyncLocalStorage<Priority>();
const afterCommit = new WeakMap<Tx, (() => void)[]>();

export function createDatabase(backend: Backend): Database {
  const compiler = queryBuilder(undefined);

  async function run<T>(opening: string, priority: Priority, work: (tx: Tx) => Promise<T>): Promise<T> {
    refuseNesting();
    return begunAgain(() => runOnce(opening, priority, work));
  }

  async function runOnce<T>(opening: string, priority: Priority, work: (tx: Tx) => Promise<T>): Promise<T> {
    const session = await backend.open(opening, priority);
    const tx = queryBuilder(session);
    const hooks: (() => void)[] = [];
    afterCommit.set(tx, hooks);
    let value: T;
    try {
      value = await running.run(true, () => work(tx));
    } catch (error) {
      // The first failure is the one worth reading, whatever the rollback says.
      await session.rollback().catch(() => undefined);
      throw error;
    }
    await session.commit();
    for (const hook of hooks) hook();
    return value;
  }

  return {
    kind: backend.kind,
    // `async`, so that a refused id is a rejection and never a throw past the caller's `catch`.
    asTenant: async (tenant, work, priority = ambient.getStore() ?? "interactive") =>
      run(openingFor(tenant), priority, async (tx) => {
        const value = await work(tx);
        await tenant.beforeCommit?.(tx, value);
        return value;
      }),
    asSystem: (reason, work, priority = ambient.getStore() ?? "interactive") =>
      run(`begin /* ${reason} */; set local role ${SYSTEM_ROLE}`, priority, work),
    async readAsTenant<T>(tenant: Tenant, query: (compile: Tx) => { compile(): CompiledQuery<T> }) {
      refuseNesting();
      const { sql, parameters } = query(compiler).compile();
      const opening = openingFor(tenant);
      const { rows } = await begunAgain(() => backend.readOnce(opening, { sql, parameters }));
      return asRows<T>(rows);
    },
    inBackground: (work) => ambient.run("background", work),
    async vacuum() {
      if (backend.kind !== "pglite") return;
      const tables = await backend.asOwner((run) =>
        run(
          "select quote_ident(relname) as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'",
        ),
      );
      for (const { name } of tables) await backend.asOwner((run) => run(`vacuum (analyze) ${String(name)}`));
    },
    close: () => backend.close(),
  };
}

/** What failed through no fault of its own left nothing behind, and may well succeed. */
async function begunAgain<T>(transaction: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await transaction();
    } catch (error) {
      const mayHelp = isDeadlock(error) || isLostStatement(error) || error instanceof Overtaken;
      if (attempt === ATTEMPTS_MAX || !mayHelp) throw error;
    }
  }
}

/** Runs `hook` once the transaction is committed, never when it is rolled back. */
export function onCommit(tx: Tx, hook: () => void): void {
  const hooks = afterCommit.get(tx);
  if (hooks === undefined)
    throw new Error("onCommit needs the transaction that asTenant or asSystem handed out");
  hooks.push(hook);
}

/** On PGlite a second transaction inside the first would wait for itself for ever; so it fails on both back ends. */
function refuseNesting(): void {
  if (running.getStore() === true) {
    throw new Error(
      "a transaction was opened inside another one: hand the inner function `tx` instead of `db`",
    );
  }
}

/** Ids go into the text of `set local`, which takes no parameters: anything but a plain id stops here. */
function openingFor({ partnerId, accountId, workspaceId }: Tenant): string {
  const settings = [`set local app.partner_id = '${plainUuid(partnerId)}'`];
  if (accountId !== undefined) settings.push(`set local app.account_id = '${plainUuid(accountId)}'`);
  if (workspaceId !== undefined) settings.push(`set local app.workspace_id = '${plainInteger(workspaceId)}'`);
  return `begin; set local role ${TENANT_ROLE}; ${settings.join("; ")}`;
}

function plainUuid(id: string): string {
  if (!UUID.test(id)) throw new Error("a tenant id is not a UUID in lower case");
  return id;
}

function plainInteger(id: number): number {
  if (!Number.isSafeInteger(id)) throw new Error("a tenant id is not an integer");
  return id;
}

/** Without a session it only compiles. */
function queryBuilder(session: Session | undefined): Tx {
  return new Kysely<Tables>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => sessionDriver(session),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
}

function sessionDriver(session: Session | undefined): Driver {
  const connection: DatabaseConnection = {
    async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
      if (session === undefined) throw new Error("this query builder only compiles");
      const { rows, rowCount } = await session.query(query);
      const affected = rowCount === null ? {} : { numAffectedRows: BigInt(rowCount) };
      return { rows: asRows<R>(rows), ...affected };
    },
    // biome-ignore lint/correctness/useYield: a stream of rows would hold the one connection of PGlite
    async *streamQuery() {
      throw new Error("rows are not streamed: page through them");
    },
  };
  const nested = async () => refuseNesting();
  return {
    init: async () => undefined,
    acquireConnection: async () => connection,
    beginTransaction: nested,
    commitTransaction: nested,
    rollbackTransaction: nested,
    releaseConnection: async () => undefined,
    destroy: async () => undefined,
  };
}

/** Kysely derives the row type from the query and the table types; the driver only carries the rows. */
function asRows<R>(rows: Record<string, unknown>[]): R[] {
  return rows as R[];
}
