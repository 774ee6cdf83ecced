import { chmodSync, mkdirSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StartRefused } from "./start-refused.ts";

/** Processes that try in the very same moment can all be turned away; a second look gives it to one of them. */
const CONTENTION_MS = 500;

/**
 * Takes the lock of a data directory, which only one process may use at a time: two PGlite instances on one folder
 * destroy it. The lock is the kernel's (a POSIX record lock on `lock.sqlite`, held through the SQLite that Node
 * brings): it cannot be stolen from a live process and ends with its holder, also by `kill -9`. `holder.json` only
 * says who it is.
 *
 * @returns the function that gives the lock back
 * @throws {@link StartRefused}
 */
export async function lockDataDirectory(dataDir: string): Promise<() => void> {
  prepareDataDirectory(dataDir);
  const lock = new DatabaseSync(join(dataDir, "lock.sqlite"), { timeout: CONTENTION_MS });
  const holderFile = join(dataDir, "holder.json");
  try {
    lock.exec("pragma journal_mode = off; pragma locking_mode = exclusive; begin exclusive");
  } catch {
    lock.close();
    throw new StartRefused(
      `${dataDir} is in use by ${await describeHolder(holderFile)}. ` +
        "Stop that process, set DATA_DIR to another folder, or set DATABASE_URL to run several processes.",
    );
  }
  await writeFile(holderFile, JSON.stringify({ pid: process.pid }), { mode: 0o600 });
  return () => lock.close();
}

/** Secrets and customers' data live here: only its owner may look inside. */
export function prepareDataDirectory(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true });
    chmodSync(dataDir, 0o700);
  } catch (error) {
    throw new StartRefused(`DATA_DIR ${dataDir} cannot be used: ${String(error)}.`, { cause: error });
  }
}

async function describeHolder(holderFile: string): Promise<string> {
  const text = await readFile(holderFile, "utf8").catch(() => "");
  const pid = /"pid":(\d+)/.exec(text)?.[1];
  return pid === undefined ? "another process" : `process ${pid}`;
}
