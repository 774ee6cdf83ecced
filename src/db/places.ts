import type { Priority } from "./backend.ts";

/**
 * Lends so many places; those who wait are served by priority, then in order of arrival. However many interactive ones
 * come, every eighth turn is a background one's: a job's lease must not run out for want of it.
 */
export interface Places {
  /** Resolves to the function that gives the place back. */
  acquire(priority: Priority): Promise<() => void>;
}

const INTERACTIVE_TURNS_MAX = 7;

export function createPlaces(count: number): Places {
  const waiting: Record<Priority, ((release: () => void) => void)[]> = { interactive: [], background: [] };
  let free = count;
  let interactiveTurns = 0;

  function next(): ((release: () => void) => void) | undefined {
    const { interactive, background } = waiting;
    const backgroundsTurn = interactive.length === 0 || interactiveTurns >= INTERACTIVE_TURNS_MAX;
    if (backgroundsTurn && background.length > 0) {
      interactiveTurns = 0;
      return background.shift();
    }
    interactiveTurns += 1;
    return interactive.shift();
  }

  function lend(): () => void {
    free -= 1;
    let returned = false;
    return () => {
      if (returned) return;
      returned = true;
      free += 1;
      next()?.(lend());
    };
  }

  return {
    acquire: (priority) =>
      free > 0 ? Promise.resolve(lend()) : new Promise((resolve) => waiting[priority].push(resolve)),
  };
}
