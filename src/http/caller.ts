import type { Tx } from "../db/database.ts";
import type { Scope } from "./scopes.ts";

/** What a valid API key grants. */
export interface KeyGrant {
  keyId: string;
  /** `null`: a superadmin's key, which belongs to no partner. */
  partnerId: string | null;
  /** `null`: everything. */
  scopes: ReadonlySet<Scope> | null;
  accountId: string | null;
  workspaceId: number | null;
  expiresAt: Date | null;
}

/** Who calls a verb, for whom, and how far the key reaches. Made by `authenticate.ts`, checked by both walls. */
export interface Caller {
  partnerId: string;
  accountId?: string | undefined;
  workspaceId?: number | undefined;
  actor: { kind: "key" | "superadmin" | "system"; id: string | null };
  requestId: string;
  /**
   * Runs in the verb's transaction just before it commits, with what the verb will answer: so an idempotent request
   * leaves both its work and its result, or neither. Only a verb that does all its work in one `asTenant` keeps that
   * promise; one with several passes this caller to the last of them only.
   */
  beforeCommit?: ((tx: Tx, answer: unknown) => Promise<void>) | undefined;
}

/** A caller whose account is known: what every operation below accounts gets. */
export type AccountCaller = Caller & { accountId: string };
