/** How far a key has used up its minute. */
export interface RateVerdict {
  allowed: boolean;
  remaining: number;
  /** Seconds until the window starts anew. */
  resetSeconds: number;
}

export interface RateLimiter {
  readonly policy: string;
  /** Counts one request. */
  count(keyId: string): RateVerdict;
}

const WINDOW_MS = 60_000;

/**
 * A fixed window of one minute for each key, counted in this process: with several processes each lets the limit
 * through. `undefined` when `perMinute` is 0, which turns it off.
 */
export function createRateLimiter(perMinute: number, now: () => number): RateLimiter | undefined {
  if (perMinute === 0) return undefined;
  let windowEnds = 0;
  const counts = new Map<string, number>();
  return {
    policy: `"default";q=${perMinute};w=60`,
    count(keyId) {
      const time = now();
      if (time >= windowEnds) {
        counts.clear();
        windowEnds = time + WINDOW_MS;
      }
      const count = (counts.get(keyId) ?? 0) + 1;
      counts.set(keyId, count);
      return {
        allowed: count <= perMinute,
        remaining: Math.max(0, perMinute - count),
        resetSeconds: Math.ceil((windowEnds - time) / 1000),
      };
    },
  };
}
