import { createHash } from "node:crypto";
import type { Caller } from "./caller.ts";
import { Problem } from "./problem.ts";

/** What is known of an Idempotency-Key when a request brings it. */
export type ClaimVerdict =
  | { outcome: "claimed"; attempt: string }
  | { outcome: "finished"; status: number; body: unknown }
  | { outcome: "other-request" }
  | { outcome: "in-flight" };

/** The right of one attempt to do the work of a key. */
export interface Claim {
  key: string;
  attempt: string;
}

/** Where the keys are remembered for 24 h; `idempotency-store.ts` implements it. */
export interface IdempotencyStore {
  claim(caller: Caller, key: string, requestHash: Buffer): Promise<ClaimVerdict>;
  /** For the verb's own transaction: writes the result, and throws when another attempt has taken over. */
  record(caller: Caller, claim: Claim): NonNullable<Caller["beforeCommit"]>;
  /** The answer as it went out, after the verb. */
  finish(caller: Caller, claim: Claim, status: number, body: unknown): Promise<void>;
  /** Forgets a claim whose request failed: the same key may try again. `false`: its result is in the database already. */
  abandon(caller: Caller, claim: Claim): Promise<boolean>;
}

type Perform = (caller: Caller) => Promise<{ status: number; body: unknown }>;

const KEY_MAX = 255;
const PRINTABLE = /^[\x21-\x7e]+$/;

/** Runs `perform` at most once for a key: a repetition gets the stored result, another request a 409. */
export async function performOnce(
  store: IdempotencyStore,
  caller: Caller,
  header: string,
  request: unknown,
  perform: Perform,
): Promise<{ status: number; body: unknown }> {
  if (header.length > KEY_MAX || !PRINTABLE.test(header)) {
    throw new Problem(
      "invalid_request",
      `Idempotency-Key takes 1 to ${KEY_MAX} printable ASCII characters.`,
      {
        details: [{ path: "headers.idempotency-key", message: "is empty, too long or not printable" }],
      },
    );
  }
  const requestHash = createHash("sha256").update(JSON.stringify(request)).digest();
  const verdict = await store.claim(caller, header, requestHash);
  if (verdict.outcome === "finished") return verdict;
  if (verdict.outcome === "other-request") {
    throw new Problem(
      "idempotency_conflict",
      "This Idempotency-Key was used with another request. Use a new one.",
    );
  }
  if (verdict.outcome === "in-flight") {
    throw new Problem(
      "idempotency_in_flight",
      "The first request with this Idempotency-Key is still in flight.",
      {
        headers: { "retry-after": "1" },
      },
    );
  }
  const claim = { key: header, attempt: verdict.attempt };
  let answer: { status: number; body: unknown };
  try {
    answer = await perform({ ...caller, beforeCommit: store.record(caller, claim) });
  } catch (error) {
    const isForgotten = await store.abandon(caller, claim);
    // The verb had committed, and found out afterwards: a repetition hears the same.
    if (!isForgotten && error instanceof Problem && error.status < 500) {
      await store.finish(caller, claim, error.status, error.toBody(caller.requestId));
    }
    throw error;
  }
  await store.finish(caller, claim, answer.status, answer.body);
  return answer;
}
