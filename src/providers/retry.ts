import { setTimeout as sleepFor } from "node:timers/promises";
import { ProviderError } from "../ports/provider-error.ts";

export type RetryPolicy = {
  /** Tries in all, the first one included. */
  attempts: number;
  /** Waited after the first failure; doubled after each further one, and varied by half up and down. */
  baseMs: number;
  /** The longest wait of our own, and the longest we let a vendor's Retry-After hold us. */
  maxWaitMs: number;
  /** 0 up to 1. */
  random: () => number;
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
};

export const defaultRetryPolicy: RetryPolicy = {
  attempts: 5,
  baseMs: 500,
  maxWaitMs: 30_000,
  random: Math.random,
  sleep: async (ms, signal) => {
    await sleepFor(ms, undefined, { signal }).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw error;
    });
  },
};

/**
 * Repeats work that failed with a retryable `ProviderError`. A vendor that asks for a longer wait than `maxWaitMs`
 * gets its error passed on: the caller's job can wait that long, a worker cannot. `onWait` hears of every wait.
 */
export async function retry<T>(
  work: () => Promise<T>,
  policy: RetryPolicy,
  { signal, onWait }: { signal?: AbortSignal; onWait?: (ms: number) => void } = {},
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof ProviderError) || !error.retryable || attempt >= policy.attempts) throw error;
      if ((error.retryAfterMs ?? 0) > policy.maxWaitMs) throw error;
      const waitMs = waitBefore(attempt, error.retryAfterMs, policy);
      onWait?.(waitMs);
      await policy.sleep(waitMs, signal);
    }
  }
}

/** Never earlier than the vendor asked; a little later, so that not all callers return at the same moment. */
function waitBefore(attempt: number, retryAfterMs: number | null, policy: RetryPolicy): number {
  const ownMs = Math.min(policy.maxWaitMs, policy.baseMs * 2 ** (attempt - 1)) * (0.5 + policy.random());
  if (retryAfterMs === null) return Math.round(ownMs);
  return Math.round(retryAfterMs + policy.baseMs * policy.random());
}
