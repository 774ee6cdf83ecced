import { type Selectable, sql } from "kysely";
import { recordAudit } from "../audit/record.ts";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { isUniqueViolation } from "../db/violations.ts";
import type { Caller } from "../http/caller.ts";
import { type PageRequest, toPage, uuidCursor } from "../http/page.ts";
import { notFound, Problem } from "../http/problem.ts";
import { answerErasure, beginErasure } from "../jobs/erasure.ts";
import type { Account, CreateAccount, UpdateAccount } from "./accounts.schemas.ts";
import type { AccountTables } from "./accounts.tables.ts";
import { checkOrigins } from "./origins.ts";

type Row = Selectable<AccountTables["accounts"]>;

/** Newest first. */
export async function listAccounts(app: App, caller: Caller, page: PageRequest) {
  const before = uuidCursor(page.cursor);
  const fetched = await app.db.readAsTenant<Row>(caller, (db) => {
    const select = db
      .selectFrom("accounts")
      .selectAll()
      .where("partner_id", "=", caller.partnerId)
      .where("erasing_at", "is", null)
      .orderBy("id", "desc")
      .limit(page.limit + 1);
    return before === undefined ? select : select.where("id", "<", before);
  });
  const { rows, nextCursor } = toPage(fetched, page.limit, (row) => row.id);
  return { accounts: rows.map(toAccount), next_cursor: nextCursor };
}

export async function getAccount(app: App, caller: Caller, accountId: string): Promise<Account> {
  const [row] = await app.db.readAsTenant<Row>(caller, (db) =>
    db.selectFrom("accounts").selectAll().where("id", "=", accountId).where("erasing_at", "is", null),
  );
  if (row === undefined) throw notFound("account");
  return toAccount(row);
}

export async function createAccount(app: App, caller: Caller, fields: CreateAccount) {
  return refuseTakenExternalId(() =>
    app.db.asTenant(caller, async (tx) => ({
      success: true as const,
      account: await insertAccount(app, tx, caller, fields),
    })),
  );
}

export async function insertAccount(
  app: App,
  tx: Tx,
  caller: Caller,
  fields: CreateAccount,
): Promise<Account> {
  const row = await tx
    .insertInto("accounts")
    .values({
      partner_id: caller.partnerId,
      id: app.newId(),
      name: fields.name,
      external_id: fields.external_id ?? null,
      allowed_origins: checkOrigins(app.config, fields.allowed_origins ?? []),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await audit(app, tx, caller, "account.created", row.id);
  return toAccount(row);
}

export async function updateAccount(app: App, caller: Caller, accountId: string, fields: UpdateAccount) {
  const { allowed_origins: origins, ...rest } = fields;
  const change = {
    ...rest,
    ...(origins === undefined ? {} : { allowed_origins: checkOrigins(app.config, origins) }),
  };
  return refuseTakenExternalId(() =>
    app.db.asTenant(caller, async (tx) => {
      const account = await changeAccount(tx, accountId, change);
      await audit(app, tx, caller, "account.updated", accountId, { fields: Object.keys(fields) });
      return { success: true as const, account };
    }),
  );
}

/** Nothing is deleted, but nothing under the account answers any more, within a second in every process. */
export async function suspendAccount(app: App, caller: Caller, accountId: string) {
  return setSuspended(app, caller, accountId, true);
}

export async function resumeAccount(app: App, caller: Caller, accountId: string) {
  return setSuspended(app, caller, accountId, false);
}

/** Keeps the account from being erased until the transaction ends: what is made beneath it must not be missed. */
export async function holdAccount(tx: Tx, accountId: string): Promise<void> {
  const row = await tx
    .selectFrom("accounts")
    .select("id")
    .where("id", "=", accountId)
    .where("erasing_at", "is", null)
    .forShare()
    .executeTakeFirst();
  if (row === undefined) throw notFound("account");
}

/** For work in the background: requests of a suspended account do not come so far. */
export async function isSuspended(tx: Tx, accountId: string): Promise<boolean> {
  const row = await tx
    .selectFrom("accounts")
    .select("suspended_at")
    .where("id", "=", accountId)
    .executeTakeFirst();
  return row !== undefined && row.suspended_at !== null;
}

/** Origins whose pages may embed ours. */
export async function listAllowedOrigins(tx: Tx, accountId: string): Promise<string[]> {
  const { allowed_origins: origins } = await tx
    .selectFrom("accounts")
    .select("allowed_origins")
    .where("id", "=", accountId)
    .executeTakeFirstOrThrow();
  return origins;
}

/** Takes the account out of sight at once and erases everything beneath it. `confirm` must be its name. */
export async function deleteAccount(app: App, caller: Caller, accountId: string, confirm: string) {
  const jobId = await app.db.asTenant(caller, async (tx) => {
    const row = await tx
      .selectFrom("accounts")
      .select("name")
      .where("id", "=", accountId)
      .where("erasing_at", "is", null)
      .forUpdate()
      .executeTakeFirst();
    if (row === undefined) throw notFound("account");
    if (row.name !== confirm) {
      throw new Problem("invalid_request", "body.confirm: must be the account's name, to the letter.", {
        details: [{ path: "body.confirm", message: "must be the account's name, to the letter" }],
      });
    }
    await app.signals.raise(tx, "access");
    await audit(app, tx, caller, "account.deleted", accountId);
    return beginErasure(app, tx, { level: "account", partnerId: caller.partnerId, accountId });
  });
  return answerErasure(app, jobId);
}

async function setSuspended(app: App, caller: Caller, accountId: string, suspended: boolean) {
  return app.db.asTenant(caller, async (tx) => {
    const account = await changeAccount(tx, accountId, {
      suspended_at: suspended ? sql<Date>`coalesce(suspended_at, now())` : null,
    });
    await app.signals.raise(tx, "access");
    await audit(app, tx, caller, suspended ? "account.suspended" : "account.resumed", accountId);
    return { success: true as const, account };
  });
}

async function changeAccount(tx: Tx, accountId: string, change: object): Promise<Account> {
  const row = await tx
    .updateTable("accounts")
    .set(change)
    .where("id", "=", accountId)
    .where("erasing_at", "is", null)
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) throw notFound("account");
  return toAccount(row);
}

async function refuseTakenExternalId<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isUniqueViolation(error, "accounts_external_id")) throw error;
    throw new Problem("conflict", "Another account of yours has this external_id.", {
      details: [{ path: "body.external_id", message: "is taken" }],
    });
  }
}

async function audit(
  app: App,
  tx: Tx,
  caller: Caller,
  action: `account.${string}`,
  accountId: string,
  details: Record<string, unknown> = {},
): Promise<void> {
  await recordAudit(app, tx, caller, {
    action,
    resourceType: "account",
    resourceId: accountId,
    accountId,
    details,
  });
}

function toAccount(row: Row): Account {
  return {
    id: row.id,
    name: row.name,
    external_id: row.external_id,
    allowed_origins: row.allowed_origins,
    suspended_at: row.suspended_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
  };
}
