import { hash, randomBytes } from "node:crypto";
import { type Selectable, sql } from "kysely";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { encodeSlug } from "../http/schemas.ts";
import type { OnboardAnswer, PageMode } from "./onboard.schemas.ts";
import type { WhatsAppTables } from "./whatsapp.tables.ts";

/** What a link's token still opens, for the page that it leads to. */
export type PageTokenView =
  | { state: "unknown" }
  | {
      state: PageTokenState;
      /** In hex, as in the path. */
      slug: string;
      accountName: string;
      workspaceName: string;
      /** The one origin that may frame the page; null: none may. */
      embedOrigin: string | null;
      /** Of the account, as they are now. */
      allowedOrigins: string[];
      allowTopLevel: boolean;
      mode: PageMode;
      expectedPhone: string | null;
      /** A signup was begun with it that can go on without another popup. */
      resumable: boolean;
      /** What the page was answered last. */
      outcome: OnboardAnswer | null;
      expiresAt: Date;
    };

export type PageTokenState = "valid" | "used" | "expired" | "revoked";

const PREFIX = "lo_wac_";
const TOKEN = /^lo_wac_[A-Za-z0-9_-]{43}$/;
/** Whoever opened the page in time may finish the popup, in which a code by SMS is waited for. */
const GRACE_MS = 5 * 60_000;

export function newPageToken(): { token: string; hash: string } {
  const token = `${PREFIX}${randomBytes(32).toString("base64url")}`;
  return { token, hash: hashPageToken(token) };
}

/** The tokens are random, so a plain hash is safe at rest: there is nothing to guess. */
export function hashPageToken(token: string): string {
  return hash("sha256", token, "hex");
}

/**
 * What a token opens, without using it up: links are fetched by virus scanners, and pages reloaded. Another workspace's
 * token is as unknown as one that never was.
 *
 * @param slug the workspace's, in hex
 */
export async function viewPageToken(
  app: App,
  slug: string,
  token: string,
  { rendered = false }: { rendered?: boolean } = {},
): Promise<PageTokenView> {
  if (!TOKEN.test(token)) return { state: "unknown" };
  const row = await app.db.asSystem("keys", async (tx) => {
    const found = await selectPageToken(tx, hashPageToken(token)).executeTakeFirst();
    if (rendered && found?.first_rendered_at === null) await markRendered(app, tx, found.hash);
    return found;
  });
  if (row === undefined || encodeSlug(row.workspace_slug) !== slug.toLowerCase()) return { state: "unknown" };
  return toView(row, app.now());
}

/** A token's row with all that decides whether it is still good. */
export type PageTokenRow = Selectable<WhatsAppTables["whatsapp_page_tokens"]> & {
  account_name: string;
  allowed_origins: string[];
  workspace_name: string;
  workspace_slug: string;
  /** The key that made it, its account and its workspace are as they were. */
  is_backed: boolean;
};

export function selectPageToken(tx: Tx, tokenHash: string) {
  return tx
    .selectFrom("whatsapp_page_tokens as token")
    .innerJoin("accounts", "accounts.id", "token.account_id")
    .innerJoin("workspaces", "workspaces.id", "token.workspace_id")
    .leftJoin("api_keys", "api_keys.id", "token.key_id")
    .selectAll("token")
    .select([
      "accounts.name as account_name",
      "accounts.allowed_origins",
      "workspaces.name as workspace_name",
      "workspaces.slug as workspace_slug",
      sql<boolean>`api_keys.id is not null and api_keys.revoked_at is null
        and coalesce(api_keys.expires_at > now(), true) and accounts.suspended_at is null
        and accounts.erasing_at is null and workspaces.erasing_at is null`.as("is_backed"),
    ])
    .where("token.hash", "=", tokenHash);
}

/** Whether it opens anything now; `grace`: also just after its end, for a page that was opened before. */
export function stateOf(row: PageTokenRow, now: Date, graceMs = 0): PageTokenState {
  if (row.revoked_at !== null || !row.is_backed) return "revoked";
  if (row.consumed_at !== null) return "used";
  const wasOpened = row.first_rendered_at !== null && row.first_rendered_at <= row.expires_at;
  const endsAtMs = row.expires_at.getTime() + (wasOpened ? graceMs : 0);
  return endsAtMs > now.getTime() || isResumable(row, now) ? "valid" : "expired";
}

/** As {@link stateOf}, for a page that was opened in time and posts what the popup gave it. */
export function stateAtPost(row: PageTokenRow, now: Date): PageTokenState {
  return stateOf(row, now, GRACE_MS);
}

function isResumable(row: PageTokenRow, now: Date): boolean {
  return (
    row.consumed_at === null &&
    row.connection_id !== null &&
    row.resume_until !== null &&
    row.resume_until > now
  );
}

function toView(row: PageTokenRow, now: Date): PageTokenView {
  return {
    state: stateOf(row, now),
    slug: encodeSlug(row.workspace_slug),
    accountName: row.account_name,
    workspaceName: row.workspace_name,
    embedOrigin: row.embed_origin,
    allowedOrigins: row.allowed_origins,
    allowTopLevel: row.allow_top_level,
    mode: row.mode,
    expectedPhone: row.expected_phone,
    resumable: isResumable(row, now),
    outcome: asStoredAnswer(row.result),
    expiresAt: row.expires_at,
  };
}

/** Written by the onboarding only, in this shape. */
export function asStoredAnswer(result: unknown): OnboardAnswer | null {
  return result as OnboardAnswer | null;
}

async function markRendered(app: App, tx: Tx, tokenHash: string): Promise<void> {
  await tx
    .updateTable("whatsapp_page_tokens")
    .set({ first_rendered_at: app.now() })
    .where("hash", "=", tokenHash)
    .where("first_rendered_at", "is", null)
    .execute();
}
