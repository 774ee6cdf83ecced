import { setTimeout as sleep } from "node:timers/promises";

/**
 * Runs `work` whenever it is asked for, one run at a time, until `signal` is aborted; asked for while it runs, it runs
 * once more.
 *
 * @param pollMs it is also asked for now, and this often: what others ask for may get lost
 * @param gapMs at least this long between two runs: what is asked for meanwhile is done together
 */
export function oneAtATime(
  work: () => Promise<void>,
  signal: AbortSignal,
  { pollMs, gapMs }: { pollMs?: number; gapMs?: number } = {},
) {
  let latest: Promise<void> = Promise.resolve();
  let isRunning = false;
  let again = false;

  async function run(): Promise<void> {
    isRunning = true;
    try {
      while (again && !signal.aborted) {
        again = false;
        await work();
        if (gapMs !== undefined) await sleep(gapMs, undefined, { signal }).catch(() => undefined);
      }
    } finally {
      // In the same moment as the last look at `again`: who asks from now on starts the next run.
      isRunning = false;
    }
  }

  function ask(): void {
    if (signal.aborted) return;
    again = true;
    if (!isRunning) latest = run();
  }

  if (pollMs !== undefined) {
    const timer = setInterval(ask, pollMs);
    signal.addEventListener("abort", () => clearInterval(timer), { once: true });
    // Not at once: who calls this has nothing in hand yet that `work` may name.
    queueMicrotask(ask);
  }
  return {
    ask,
    /** The run that is under way, if any. */
    settled: (): Promise<void> => latest,
  };
}
