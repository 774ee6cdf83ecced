/** One statement with its bound parameters. */
export interface Statement {
  sql: string;
  parameters: readonly unknown[];
}

/** One statement's answer: its rows, and how many rows it touched (`null` for statements that do not say). */
export interface StatementResult {
  rows: Record<string, unknown>[];
  rowCount: number | null;
}

/**
 * One transaction on one connection, held until `commit` or `rollback`; exactly one of them ends it.
 * The opening statements travel together with the first query, so a transaction costs no extra round trip.
 */
export interface Session {
  query(statement: Statement): Promise<StatementResult>;
  /** Throws when the transaction could not be committed, also when a swallowed failure had already doomed it. */
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

/**
 * Interactive work goes before background work where both wait for the same connection; where there are several,
 * background work leaves some of them alone.
 */
export type Priority = "interactive" | "background";

/** What a database engine offers to {@link connectDatabase}; PostgreSQL and PGlite are the two that exist. */
export interface Backend {
  readonly kind: "postgres" | "pglite";
  /** Begins a transaction. `opening` is trusted SQL that starts with `begin`. */
  open(opening: string, priority: Priority): Promise<Session>;
  /** `opening`, one read and `commit` sent together: the fast path of a single look-up. */
  readOnce(opening: string, statement: Statement): Promise<StatementResult>;
  /**
   * Runs `work` as the owner of the tables, outside the restricted role, while other processes that call this wait.
   * For migrations and {@link Database.vacuum} only.
   */
  asOwner<T>(work: (run: (sql: string) => Promise<Record<string, unknown>[]>) => Promise<T>): Promise<T>;
  /** Calls `onMessage` for what any process sends to `channel`; connects, and reconnects, by itself. Nothing on PGlite. */
  listen(channel: string, onMessage: (payload: string) => void): Promise<void>;
  close(): Promise<void>;
}
