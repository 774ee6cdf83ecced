import { createContext, Script } from "node:vm";

const sandbox: { work: () => void } = { work: () => undefined };
const context = createContext(sandbox);
const script = new Script("work()");

/**
 * Runs work whose cost a customer decides (a schema's `pattern`, a JSONPath) and stops it when it takes too long: a
 * regular expression that backtracks for ever would hold up every tenant of this process. This is a clock, not a wall
 * of security: the work is our own code.
 *
 * @returns `undefined` when it was stopped
 */
export function runBounded<T>(work: () => T, maxMs: number): { value: T } | undefined {
  let result: { value: T } | undefined;
  sandbox.work = () => {
    result = { value: work() };
  };
  try {
    script.runInContext(context, { timeout: maxMs });
  } catch (error) {
    if (!wasStopped(error)) throw error;
  } finally {
    sandbox.work = () => undefined;
  }
  return result;
}

/** The error comes from the other realm, where it is no `Error` of ours. */
function wasStopped(error: unknown): boolean {
  return Object(error).code === "ERR_SCRIPT_EXECUTION_TIMEOUT";
}
