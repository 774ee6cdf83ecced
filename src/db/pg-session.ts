import { createHash } from "node:crypto";
import type { ClientBase, CustomTypesConfig } from "pg";
import pg from "pg";
import type { Session, Statement, StatementResult } from "./backend.ts";

const NAMED_STATEMENTS_MAX = 500;
const statementNames = new Map<string, string>();
let namesGeneration = 0;

interface SessionEnd {
  /** The connection may serve others again; `broken` says that it must not. Called once. */
  release: (broken?: Error) => void;
  /** `written`: others may write behind our commit before it is answered. `answered`: they wait for the answer. */
  releaseWhen: "written" | "answered";
}

/**
 * Both back ends speak the PostgreSQL wire protocol through `pg` in pipeline mode: statements are written without
 * waiting for the answers of those before them, so "begin, set the tenant, ask" is one round trip of three messages
 * (the tenant is never set in the statement that asks: PostgreSQL fixes role and policies when it plans).
 */
export function openSession(client: ClientBase, opening: string, end: SessionEnd): Session {
  const opened = client.query(opening);
  // Its failure is reported by the first query or by the commit; unhandled it would end the process.
  opened.catch(() => undefined);
  let ended = false;

  async function finish(statement: "commit" | "rollback"): Promise<string> {
    if (ended) throw new Error(`a transaction was ended twice (${statement})`);
    ended = true;
    const answer = client.query(statement);
    if (end.releaseWhen === "written") end.release();
    try {
      const result = await answer;
      if (end.releaseWhen === "answered") end.release();
      return result.command;
    } catch (error) {
      // Nobody knows what state the connection is in: it must not serve another tenant.
      if (end.releaseWhen === "answered") end.release(toError(error));
      throw error;
    }
  }

  return {
    async query(statement) {
      if (ended) throw new Error("a query was sent after its transaction had ended");
      return runStatement(client, statement);
    },
    async commit() {
      const command = await finish("commit");
      await opened;
      // PostgreSQL answers a commit of a failed transaction with ROLLBACK and no error.
      if (command !== "COMMIT")
        throw new Error("the transaction was rolled back: a statement in it had failed");
    },
    async rollback() {
      await finish("rollback");
    },
  };
}

/** See {@link Backend.readOnce}. All three messages leave together. */
export async function readOnce(
  client: ClientBase,
  opening: string,
  statement: Statement,
): Promise<StatementResult> {
  const opened = client.query(opening);
  const answer = runStatement(client, statement);
  const closed = client.query("commit");
  const [begun, read, committed] = await Promise.allSettled([opened, answer, closed]);
  if (begun.status === "rejected") throw begun.reason;
  if (read.status === "rejected") throw read.reason;
  if (committed.status === "rejected") throw committed.reason;
  return read.value;
}

async function runStatement(client: ClientBase, statement: Statement): Promise<StatementResult> {
  const name = nameOf(statement.sql);
  const query = { text: statement.sql, values: [...statement.parameters] };
  try {
    const result = await client.query<Record<string, unknown>>(
      name === undefined ? query : { ...query, name },
    );
    return { rows: result.rows, rowCount: result.rowCount };
  } catch (error) {
    if (isStalePlan(error)) forgetNames();
    throw error;
  }
}

/**
 * Another process migrated: a table has a new column, and a statement that was prepared before, with `*` in it, is
 * refused for as long as its connection lives. Prepared anew it works.
 */
export function isStalePlan(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === "0A000" && /cached plan/.test(error.message);
}

/** New names make every connection prepare anew. */
function forgetNames(): void {
  statementNames.clear();
  namesGeneration += 1;
}

/** Prepared statements halve the time of a look-up on PGlite; their number is bounded because SQL text may vary. */
function nameOf(sql: string): string | undefined {
  const known = statementNames.get(sql);
  if (known !== undefined) return known;
  if (statementNames.size >= NAMED_STATEMENTS_MAX) return undefined;
  const name = `${createHash("sha1").update(sql).digest("base64url")}${namesGeneration}`;
  statementNames.set(sql, name);
  return name;
}

/** `bigint` columns arrive as numbers (ours stay far below 2^53); all other types as `pg` reads them. */
export const columnTypes: CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format),
};

export function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** The rows of the last statement: a script of several answers with a list of results. */
export function lastRows(result: pg.QueryResult | pg.QueryResult[]): Record<string, unknown>[] {
  const last = Array.isArray(result) ? result.at(-1) : result;
  return last?.rows ?? [];
}
