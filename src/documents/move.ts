import { sql } from "kysely";
import { recordAudit } from "../audit/record.ts";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { AccountCaller } from "../http/caller.ts";
import { Answer } from "../http/operation.ts";
import { getOrganizationRow, type OrganizationRow } from "../organizations/find.ts";
import { bumpIndexVersions } from "../workspaces/find.ts";
import { type Docpath, parseDocpath } from "./docpath.ts";
import { findDocumentRow } from "./find.ts";
import { ensureFolder } from "./folders.ts";
import { lockDocuments } from "./remove.ts";

interface Move {
  docpath: string;
  from: Docpath;
  to: Docpath;
}

/** Moves documents between folders; searches begun afterwards name the new place. Each item succeeds or fails alone. */
export async function moveFiles(
  app: App,
  caller: AccountCaller,
  orgSlug: string,
  files: readonly { from: string; to: string }[],
) {
  return app.db.asTenant(caller, async (tx) => {
    const organization = await getOrganizationRow(tx, caller, orgSlug);
    const moves = files.map(({ from, to }, index) => ({
      docpath: from,
      from: parseDocpath(orgSlug, from, `body.files.${index}.from`),
      to: parseDocpath(orgSlug, to, `body.files.${index}.to`),
    }));
    await lockMoved(tx, organization.id, moves);
    const results = [];
    for (const move of moves) {
      const complaint = await moveOne(app, tx, caller, organization, move);
      results.push({ docpath: move.docpath, ...(complaint ?? { status: 200, message: null }) });
    }
    const failed = results.filter(({ status }) => status !== 200).length;
    const message = failed === 0 ? null : `${failed} of ${results.length} files were not moved.`;
    const body = { success: failed === 0, message, results };
    return failed === 0 ? body : new Answer(207, body);
  });
}

/** Documents first, then the workspaces they are in: the order of every transaction here. */
async function lockMoved(tx: Tx, organizationId: number, moves: Move[]): Promise<void> {
  const found = await tx
    .selectFrom("documents")
    .select("id")
    .where("organization_id", "=", organizationId)
    .where(
      "name",
      "in",
      moves.map(({ from }) => from.name),
    )
    .execute();
  const ids = found.map(({ id }) => id);
  if (ids.length === 0) return;
  await lockDocuments(tx, ids);
  const used = await tx
    .selectFrom("workspace_documents")
    .select("workspace_id")
    .distinct()
    .where("document_id", "in", ids)
    .execute();
  await bumpIndexVersions(
    tx,
    used.map(({ workspace_id }) => workspace_id),
  );
}

async function moveOne(
  app: App,
  tx: Tx,
  caller: AccountCaller,
  organization: OrganizationRow,
  { from, to }: Move,
): Promise<{ status: number; message: string } | undefined> {
  const document = await findDocumentRow(tx, organization.id, from);
  if (document === undefined)
    return { status: 404, message: "There is no such document under this account." };
  if (from.name !== to.name) {
    const taken = await findDocumentRow(tx, organization.id, to);
    return taken === undefined
      ? { status: 400, message: "A move changes the folder only; the file's name stays." }
      : { status: 409, message: "There is a document at the target already." };
  }
  if (from.folder === to.folder) return { status: 409, message: "The document is there already." };
  await ensureFolder(tx, organization, to.folder);
  await tx
    .updateTable("documents")
    .set({ folder: to.folder, updated_at: sql`now()` })
    .where("id", "=", document.id)
    .execute();
  await recordAudit(app, tx, caller, {
    action: "document.moved",
    resourceType: "document",
    resourceId: document.id,
    organizationId: organization.id,
  });
  return undefined;
}
