import type { Selectable } from "kysely";
import { recordAudit } from "../audit/record.ts";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { Caller } from "../http/caller.ts";
import { Problem } from "../http/problem.ts";
import { SCOPES, type Scope } from "../http/scopes.ts";
import type { PartnerTables } from "./partners.tables.ts";
import { createSecretKey } from "./secret-key.ts";

type KeyRow = Selectable<PartnerTables["api_keys"]>;

/** A key as it is listed: everything but the secret. */
export interface ApiKey {
  id: string;
  partner_id: string | null;
  name: string;
  prefix: string;
  scopes: string[] | null;
  account_id: string | null;
  workspace_id: number | null;
  expires_at: string | null;
  revoked_at: string | null;
  last_used_at: string | null;
  created_at: string;
}

export type IssuedKey = ApiKey & { key: string };

/** What a new key may do; for the partner of the operator who issues it. */
export interface NewKey {
  name?: string | undefined;
  scopes?: readonly string[] | undefined;
  /** Narrows the key to one account and, further, to one workspace of it; the caller has looked both up. */
  accountId?: string | undefined;
  workspace?: { id: number; organization: { id: number } } | undefined;
  expiresAt?: Date | undefined;
}

/** Issues a key. `key` is shown this once. */
export async function createKey(app: App, operator: Caller, wanted: NewKey): Promise<IssuedKey> {
  return app.db.asSystem("superadmin", (tx) => insertKey(app, tx, operator, wanted));
}

export async function insertKey(app: App, tx: Tx, operator: Caller, wanted: NewKey): Promise<IssuedKey> {
  const scopes = wanted.scopes === undefined ? null : checkScopes(wanted.scopes);
  if (wanted.expiresAt !== undefined && wanted.expiresAt <= app.now()) {
    throw new Problem("invalid_request", "A key cannot expire in the past.");
  }
  await requirePartner(tx, operator.partnerId);
  const { secret, prefix, hash } = createSecretKey("partner");
  const row = await tx
    .insertInto("api_keys")
    .values({
      id: app.newId(),
      partner_id: operator.partnerId,
      name: wanted.name ?? "API key",
      prefix,
      hash,
      scopes,
      expires_at: wanted.expiresAt ?? null,
      account_id: wanted.accountId ?? null,
      organization_id: wanted.workspace?.organization.id ?? null,
      workspace_id: wanted.workspace?.id ?? null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await audit(app, tx, operator, "key.created", row);
  return { ...toApiKey(row), key: secret };
}

/** A key for the `/v1/admin` operations. It belongs to no partner and reads no partner's data. */
export async function createAdminKey(app: App, name = "Superadmin"): Promise<{ id: string; key: string }> {
  const { secret, prefix, hash } = createSecretKey("superadmin");
  const id = app.newId();
  await app.db.asSystem("superadmin", (tx) =>
    tx.insertInto("api_keys").values({ id, partner_id: null, name, prefix, hash }).execute(),
  );
  return { id, key: secret };
}

export async function listKeys(app: App, partnerId: string): Promise<ApiKey[]> {
  return app.db.asSystem("superadmin", async (tx) => {
    await requirePartner(tx, partnerId);
    const rows = await tx
      .selectFrom("api_keys")
      .selectAll()
      .where("partner_id", "=", partnerId)
      .orderBy("id", "desc")
      .execute();
    return rows.map(toApiKey);
  });
}

/** From the commit on in this process, and within a second in every other, the key opens nothing. */
export async function revokeKey(app: App, operator: Caller, keyId: string): Promise<ApiKey> {
  const row = await app.db.asSystem("superadmin", (tx) => revokeKeyIn(app, tx, operator, keyId));
  if (row === undefined) throw new Problem("not_found", `This partner has no API key ${keyId}.`);
  return row;
}

/** `undefined`: the partner has no such key. */
export async function revokeKeyIn(
  app: App,
  tx: Tx,
  operator: Caller,
  keyId: string,
): Promise<ApiKey | undefined> {
  const row = await tx
    .updateTable("api_keys")
    .set(({ fn, val }) => ({ revoked_at: fn.coalesce("revoked_at", val(app.now())) }))
    .where("id", "=", keyId)
    .where("partner_id", "=", operator.partnerId)
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) return undefined;
  await app.signals.raise(tx, "access");
  await audit(app, tx, operator, "key.revoked", row);
  return toApiKey(row);
}

async function requirePartner(tx: Tx, partnerId: string): Promise<void> {
  const row = await tx.selectFrom("partners").select("id").where("id", "=", partnerId).executeTakeFirst();
  if (row === undefined) throw new Problem("not_found", `There is no partner ${partnerId}.`);
}

async function audit(
  app: App,
  tx: Tx,
  operator: Caller,
  action: `key.${string}`,
  row: KeyRow,
): Promise<void> {
  await recordAudit(app, tx, operator, { action, resourceType: "key", resourceId: row.id });
}

function checkScopes(scopes: readonly string[]): Scope[] {
  return scopes.map((text) => {
    const scope = SCOPES.find((known) => known === text);
    if (scope === undefined) {
      throw new Problem("invalid_request", `"${text}" is not a scope. There are: ${SCOPES.join(", ")}.`);
    }
    return scope;
  });
}

function toApiKey(row: KeyRow): ApiKey {
  return {
    id: row.id,
    partner_id: row.partner_id,
    name: row.name,
    prefix: row.prefix,
    scopes: row.scopes,
    account_id: row.account_id,
    workspace_id: row.workspace_id,
    expires_at: row.expires_at?.toISOString() ?? null,
    revoked_at: row.revoked_at?.toISOString() ?? null,
    last_used_at: row.last_used_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
  };
}
