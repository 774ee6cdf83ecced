import { hash } from "node:crypto";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { encodeSlug } from "../http/schemas.ts";
import type { OnboardAnswer } from "./onboard.schemas.ts";
import {
  asStoredAnswer,
  hashPageToken,
  type PageTokenRow,
  selectPageToken,
  stateAtPost,
} from "./page-token.ts";

/** One onboarding at a time: whoever holds the lease works, whoever's attempt is no longer the row's writes nothing. */
export interface Claimed {
  kind: "claimed";
  row: PageTokenRow;
  attempt: number;
  /** To be exchanged now: it was never seen before. Null: the customer's token is here already. */
  code: string | null;
}

export type Claim =
  | Claimed
  /** Another request is at it. */
  | { kind: "busy"; attempt: number; isSameCode: boolean; retryAfterSeconds: number }
  /** The same was sent before, and this is what became of it. */
  | { kind: "answered"; answer: OnboardAnswer }
  /** Nothing can be done without another code: there was none, or what became of it is not known. */
  | { kind: "code_needed"; isLost: boolean }
  | { kind: "unknown" | "used" | "expired" | "revoked" };

/** Longer than any step takes; every step begins it anew. */
const LEASE_MS = 60_000;

/** Takes the lease, or says why not. Nothing but this looks at a code twice. */
export async function claimPageToken(
  app: App,
  slug: string,
  token: string,
  code: string | undefined,
): Promise<Claim> {
  return app.db.asSystem("keys", async (tx): Promise<Claim> => {
    const row = await selectPageToken(tx, hashPageToken(token)).forUpdate("token").executeTakeFirst();
    if (row === undefined || encodeSlug(row.workspace_slug) !== slug.toLowerCase())
      return { kind: "unknown" };
    const codeHash = code === undefined ? null : hash("sha256", code, "hex");
    const refusal = refuse(app, row, codeHash);
    if (refusal !== undefined) return refusal;
    const isNew = code !== undefined && codeHash !== row.code_hash && takesCode(row);
    if (!isNew && needsCode(row)) return afterCode(row, codeHash);
    await tx
      .updateTable("whatsapp_page_tokens")
      .set({
        attempt: row.attempt + 1,
        lease_until: new Date(app.now().getTime() + LEASE_MS),
        updated_at: app.now(),
        ...(isNew ? { code_hash: codeHash, result: null } : {}),
      })
      .where("hash", "=", row.hash)
      .execute();
    return { kind: "claimed", row, attempt: row.attempt + 1, code: isNew ? code : null };
  });
}

function refuse(app: App, row: PageTokenRow, codeHash: string | null): Claim | undefined {
  const now = app.now();
  const state = stateAtPost(row, now);
  const stored = asStoredAnswer(row.result);
  if (state === "used" && stored !== null && codeHash !== null && codeHash === row.code_hash)
    return { kind: "answered", answer: stored };
  if (state !== "valid") return { kind: state };
  if (row.lease_until === null || row.lease_until <= now) return undefined;
  return {
    kind: "busy",
    attempt: row.attempt,
    isSameCode: codeHash !== null && codeHash === row.code_hash,
    retryAfterSeconds: Math.ceil((row.lease_until.getTime() - now.getTime()) / 1_000),
  };
}

/** Once a customer's token is here, later codes are ignored, unless it turned out to be of no use. */
function takesCode(row: PageTokenRow): boolean {
  const needs = asStoredAnswer(row.result)?.needs ?? null;
  return row.connection_id === null || needs === "new_code" || needs === "number";
}

function needsCode(row: PageTokenRow): boolean {
  return row.connection_id === null || asStoredAnswer(row.result)?.needs === "new_code";
}

/** A code is good once: what came of this one is repeated, and if that was never written, it is lost. */
function afterCode(row: PageTokenRow, codeHash: string | null): Claim {
  const stored = asStoredAnswer(row.result);
  if (stored !== null && (codeHash === null || codeHash === row.code_hash))
    return { kind: "answered", answer: stored };
  return { kind: "code_needed", isLost: row.code_hash !== null };
}

/** Thrown where an attempt finds that it is no longer the one that counts. */
export class Superseded extends Error {
  override name = "Superseded";
}

/**
 * Begins the lease anew, in the transaction of what a step writes; a later attempt, a revocation or the end of the
 * onboarding undoes it.
 *
 * @throws Superseded
 */
export async function holdPageToken(
  app: App,
  tx: Tx,
  { row, attempt }: Claimed,
  change: { connection_id?: string; resume_until?: Date } = {},
): Promise<void> {
  const until = new Date(app.now().getTime() + LEASE_MS);
  await writeToken(app, tx, row.hash, attempt, { ...change, lease_until: until });
}

/**
 * Gives the lease back with what the page is answered.
 *
 * @param isOver the token has done what it was made for
 * @throws Superseded
 */
export async function releasePageToken(
  app: App,
  tx: Tx,
  { row, attempt }: Claimed,
  answer: OnboardAnswer | null,
  isOver: boolean,
): Promise<void> {
  await writeToken(app, tx, row.hash, attempt, {
    lease_until: null,
    ...(answer === null ? {} : { result: JSON.stringify(answer) }),
    ...(isOver ? { consumed_at: app.now() } : {}),
  });
}

async function writeToken(app: App, tx: Tx, tokenHash: string, attempt: number, change: object) {
  const written = await tx
    .updateTable("whatsapp_page_tokens")
    .set({ ...change, updated_at: app.now() })
    .where("hash", "=", tokenHash)
    .where("attempt", "=", attempt)
    .where("consumed_at", "is", null)
    .where("revoked_at", "is", null)
    .returning("hash")
    .executeTakeFirst();
  if (written === undefined) throw new Superseded("this attempt was overtaken, or its link revoked");
}

/** What the attempt that was waited for has answered; undefined while it is still at it. */
export async function findAnswer(
  app: App,
  token: string,
  attempt: number,
): Promise<OnboardAnswer | null | undefined> {
  const row = await app.db.asSystem("keys", (tx) =>
    tx
      .selectFrom("whatsapp_page_tokens")
      .select(["attempt", "lease_until", "result"])
      .where("hash", "=", hashPageToken(token))
      .executeTakeFirst(),
  );
  if (row === undefined || row.attempt !== attempt) return null;
  if (row.lease_until !== null && row.lease_until > app.now()) return undefined;
  return asStoredAnswer(row.result);
}

/** On the embedded database there was only one process: what it was at when it died is nobody's now. */
export async function reclaimPageTokens(app: App): Promise<void> {
  await app.db.asSystem("jobs", (tx) =>
    tx
      .updateTable("whatsapp_page_tokens")
      .set({ lease_until: null })
      .where("lease_until", "is not", null)
      .execute(),
  );
}
