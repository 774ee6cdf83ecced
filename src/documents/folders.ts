import { recordAudit } from "../audit/record.ts";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { AccountCaller } from "../http/caller.ts";
import { notFound, Problem } from "../http/problem.ts";
import { getOrganizationRow, type OrganizationRow } from "../organizations/find.ts";
import { checkSegment, DEFAULT_FOLDER } from "./docpath.ts";
import { removeDocuments } from "./remove.ts";

/** Makes the folder unless it is there. Returns whether it was made now. */
export async function ensureFolder(tx: Tx, organization: OrganizationRow, name: string): Promise<boolean> {
  const row = await tx
    .insertInto("folders")
    .values({
      partner_id: organization.partner_id,
      account_id: organization.account_id,
      organization_id: organization.id,
      name,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning("name")
    .executeTakeFirst();
  return row !== undefined;
}

export async function createFolder(app: App, caller: AccountCaller, orgSlug: string, wanted: string) {
  const name = checkSegment(wanted, "body.name");
  return app.db.asTenant(caller, async (tx) => {
    const organization = await getOrganizationRow(tx, caller, orgSlug, "share");
    const made = name !== DEFAULT_FOLDER && (await ensureFolder(tx, organization, name));
    if (!made) throw new Problem("conflict", `There is a folder "${name}" already.`);
    await recordAudit(app, tx, caller, {
      action: "folder.created",
      resourceType: "folder",
      resourceId: name,
      organizationId: organization.id,
    });
    return { success: true as const, message: null };
  });
}

/** The documents inside go too, from every workspace. */
export async function removeFolder(app: App, caller: AccountCaller, orgSlug: string, wanted: string) {
  const name = checkSegment(wanted, "body.name");
  if (name === DEFAULT_FOLDER) {
    throw new Problem("invalid_request", `The folder ${DEFAULT_FOLDER} always exists and cannot be removed.`);
  }
  const { organizationId, ids } = await app.db.asTenant(caller, async (tx) => {
    const organization = await getOrganizationRow(tx, caller, orgSlug);
    await requireFolder(tx, organization.id, name);
    const rows = await tx
      .selectFrom("documents")
      .select("id")
      .where("organization_id", "=", organization.id)
      .where("folder", "=", name)
      .execute();
    return { organizationId: organization.id, ids: rows.map(({ id }) => id) };
  });
  await removeDocuments(app, caller, ids);
  return app.db.asTenant(caller, async (tx) => {
    const deleted = await tx
      .deleteFrom("folders")
      .where("organization_id", "=", organizationId)
      .where("name", "=", name)
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom("documents")
              .select("id")
              .where("organization_id", "=", organizationId)
              .where("folder", "=", name),
          ),
        ),
      )
      .executeTakeFirst();
    if (deleted.numDeletedRows === 0n) {
      throw new Problem(
        "conflict",
        "A document was put into this folder meanwhile. Remove the folder again.",
      );
    }
    await recordAudit(app, tx, caller, {
      action: "folder.removed",
      resourceType: "folder",
      resourceId: name,
      organizationId,
    });
    return { success: true as const, message: `The folder and ${ids.length} documents in it were removed.` };
  });
}

/** 404 unless it exists; the default one always does. */
export async function requireFolder(tx: Tx, organizationId: number, name: string): Promise<void> {
  if (name === DEFAULT_FOLDER) return;
  const row = await tx
    .selectFrom("folders")
    .select("name")
    .where("organization_id", "=", organizationId)
    .where("name", "=", name)
    .executeTakeFirst();
  if (row === undefined) throw notFound("folder");
}
