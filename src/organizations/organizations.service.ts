import { sql } from "kysely";
import { holdAccount } from "../accounts/accounts.service.ts";
import { recordAudit } from "../audit/record.ts";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { AccountCaller, Caller } from "../http/caller.ts";
import { integerCursor, type PageRequest, toPage } from "../http/page.ts";
import { Problem } from "../http/problem.ts";
import { encodeSlug } from "../http/schemas.ts";
import { answerErasure, beginErasure, refuseWhileBusy } from "../jobs/erasure.ts";
import { getOrganizationRow, type OrganizationRow, storageBytes } from "./find.ts";
import type { CreateOrganization, Organization } from "./organizations.schemas.ts";
import { insertWithFreeSlug, slugOf } from "./slug.ts";

/** Newest first: one account's, or the partner's when the caller names none. */
export async function listOrganizations(app: App, caller: Caller, page: PageRequest) {
  const before = integerCursor(page.cursor);
  const fetched = await app.db.readAsTenant<OrganizationRow>(caller, (db) => {
    let select = db
      .selectFrom("organizations")
      .selectAll()
      .where("erasing_at", "is", null)
      .orderBy("id", "desc")
      .limit(page.limit + 1);
    select =
      caller.accountId === undefined
        ? select.where("partner_id", "=", caller.partnerId)
        : select.where("account_id", "=", caller.accountId);
    return before === undefined ? select : select.where("id", "<", before);
  });
  const { rows, nextCursor } = toPage(fetched, page.limit, (row) => row.id);
  return { organizations: rows.map(toOrganization), next_cursor: nextCursor };
}

export async function createOrganization(app: App, caller: AccountCaller, fields: CreateOrganization) {
  return app.db.asTenant(caller, async (tx) => {
    await holdAccount(tx, caller.accountId);
    const row = await insertOrganization(app, tx, caller, fields);
    return { success: true as const, organization: toOrganization(row) };
  });
}

export async function getOrganization(app: App, caller: AccountCaller, slug: string) {
  return app.db.asTenant(caller, async (tx) => {
    const row = await getOrganizationRow(tx, caller, slug);
    const { workspaces, documents, numbers } = app.organizationCounters;
    const counts = {
      workspaces: (await workspaces?.(tx, row.id)) ?? 0,
      documents: (await documents?.(tx, row.id)) ?? 0,
      numbers: (await numbers?.(tx, row.id)) ?? 0,
    };
    return { organization: { ...toOrganization(row), counts } };
  });
}

export async function updateOrganization(
  app: App,
  caller: AccountCaller,
  slug: string,
  fields: { name?: string | undefined },
) {
  return app.db.asTenant(caller, async (tx) => {
    const { id } = await getOrganizationRow(tx, caller, slug, "update");
    const row = await tx
      .updateTable("organizations")
      .set({ ...fields, updated_at: sql`now()` })
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirstOrThrow();
    await audit(app, tx, caller, "organization.updated", id, { fields: Object.keys(fields) });
    return { success: true as const, organization: toOrganization(row) };
  });
}

/** What an organization's originals may take together; `null`: the installation's default. The superadmin's to say. */
export async function setStorageQuota(app: App, organizationId: number, bytes: number | null) {
  const row = await app.db.asSystem("superadmin", (tx) =>
    tx
      .updateTable("organizations")
      .set({ storage_quota_bytes: bytes })
      .where("id", "=", organizationId)
      .where("erasing_at", "is", null)
      .returning(["id", "slug", "storage_quota_bytes", storageBytes.as("storage_bytes")])
      .executeTakeFirst(),
  );
  if (row === undefined) throw new Problem("not_found", `There is no organization ${organizationId}.`);
  return row;
}

/** Takes the organization out of sight at once and erases everything beneath it. */
export async function deleteOrganization(app: App, caller: AccountCaller, slug: string, force: boolean) {
  const jobId = await app.db.asTenant(caller, async (tx) => {
    const { id } = await getOrganizationRow(tx, caller, slug, "update");
    const target = {
      level: "organization",
      partnerId: caller.partnerId,
      accountId: caller.accountId,
      organizationId: id,
    } as const;
    if (!force) await refuseWhileBusy(app, tx, target);
    await audit(app, tx, caller, "organization.deleted", id);
    return beginErasure(app, tx, target);
  });
  return answerErasure(app, jobId);
}

export async function insertOrganization(
  app: App,
  tx: Tx,
  caller: AccountCaller,
  fields: CreateOrganization,
): Promise<OrganizationRow> {
  const insert = (slug: string) =>
    tx
      .insertInto("organizations")
      .values({ partner_id: caller.partnerId, account_id: caller.accountId, name: fields.name, slug })
      .onConflict((conflict) => conflict.doNothing())
      .returningAll()
      .executeTakeFirst();
  const row =
    fields.slug === undefined
      ? await insertWithFreeSlug(
          tx,
          "organizations",
          caller.accountId,
          slugOf(fields.name, "organization"),
          insert,
        )
      : await insert(fields.slug);
  if (row === undefined) throw slugTaken(fields.slug ?? "");
  await audit(app, tx, caller, "organization.created", row.id);
  return row;
}

/** A slug that was asked for by name is not replaced by another behind the caller's back. */
export function slugTaken(slug: string): Problem {
  return new Problem(
    "conflict",
    `The slug "${slug}" is taken in this account. Choose another or leave it out.`,
    {
      details: [{ path: "body.slug", message: "is taken" }],
    },
  );
}

async function audit(
  app: App,
  tx: Tx,
  caller: AccountCaller,
  action: `organization.${string}`,
  organizationId: number,
  details: Record<string, unknown> = {},
): Promise<void> {
  await recordAudit(app, tx, caller, {
    action,
    resourceType: "organization",
    resourceId: organizationId,
    organizationId,
    details,
  });
}

function toOrganization(row: OrganizationRow): Organization {
  return {
    id: row.id,
    account_id: row.account_id,
    name: row.name,
    slug: encodeSlug(row.slug),
    originalSlug: row.slug,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}
