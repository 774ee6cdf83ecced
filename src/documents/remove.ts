import { sql } from "kysely";
import { recordAudit } from "../audit/record.ts";
import type { App } from "../context.ts";
import type { Tenant, Tx } from "../db/database.ts";
import type { AccountCaller } from "../http/caller.ts";
import { Answer } from "../http/operation.ts";
import { addStorageBytes, getOrganizationRow } from "../organizations/find.ts";
import { bumpIndexVersions } from "../workspaces/find.ts";
import { parseDocpath } from "./docpath.ts";
import { findDocumentRow } from "./find.ts";

const AT_ONCE = 200;

/** Documents, originals, passages and vectors are gone from every workspace when this answers. */
export async function removeFiles(
  app: App,
  caller: AccountCaller,
  orgSlug: string,
  files: readonly string[],
) {
  const found = await app.db.asTenant(caller, async (tx) => {
    const organization = await getOrganizationRow(tx, caller, orgSlug);
    const paths = files.map((docpath, index) => ({
      docpath,
      ...parseDocpath(orgSlug, docpath, `body.files.${index}`),
    }));
    const rows = [];
    for (const path of paths) rows.push({ path, row: await findDocumentRow(tx, organization.id, path) });
    return rows;
  });
  await removeDocuments(
    app,
    caller,
    found.flatMap(({ row }) => (row === undefined ? [] : [row.id])),
  );
  const results = found.map(({ path, row }) =>
    row === undefined
      ? { docpath: path.docpath, status: 404, message: "There is no such document under this account." }
      : { docpath: path.docpath, status: 200, message: null },
  );
  const failed = results.filter(({ status }) => status !== 200).length;
  const body = {
    success: failed === 0,
    message: failed === 0 ? null : `${failed} of ${results.length} documents were not found.`,
    results,
  };
  return failed === 0 ? body : new Answer(207, body);
}

/** By id, in steps that each leave everything consistent; what nobody refers to any more is deleted from the store. */
export async function removeDocuments(
  app: App,
  caller: AccountCaller,
  ids: readonly string[],
): Promise<void> {
  for (let start = 0; start < ids.length; start += AT_ONCE) {
    const some = ids.slice(start, start + AT_ONCE);
    const keys = await app.db.asTenant({ ...caller, beforeCommit: undefined }, async (tx) => {
      // Held before it is asked who uses them: nobody can put them into another workspace meanwhile.
      await lockDocuments(tx, some);
      const used = await tx
        .selectFrom("workspace_documents")
        .select("workspace_id")
        .distinct()
        .where("document_id", "in", some)
        .execute();
      await bumpIndexVersions(
        tx,
        used.map(({ workspace_id }) => workspace_id),
      );
      const removed = await tx
        .deleteFrom("documents")
        .where("id", "in", some)
        .returning(["id", "organization_id", "content_id", "next_content_id"])
        .execute();
      for (const row of removed) {
        await recordAudit(app, tx, caller, {
          action: "document.removed",
          resourceType: "document",
          resourceId: row.id,
          organizationId: row.organization_id,
        });
      }
      return releaseContents(
        tx,
        removed.flatMap((row) => [row.content_id, row.next_content_id]),
      );
    });
    await deleteFiles(app, keys);
  }
}

/** In one order always, so that two transactions cannot wait for each other. */
export async function lockDocuments(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx
    .selectFrom("documents")
    .select("id")
    .where("id", "in", [...ids])
    .orderBy("id")
    .forUpdate()
    .execute();
}

/** Deletes those contents (with their segments) that no document refers to any more; returns their file keys. */
export async function releaseContents(tx: Tx, ids: readonly (string | null)[]): Promise<string[]> {
  const candidates = [...new Set(ids.filter((id) => id !== null))];
  if (candidates.length === 0) return [];
  // First the locks, then the question: an upload that held one may have used the content meanwhile.
  await tx
    .selectFrom("contents")
    .select("id")
    .where("id", "in", candidates)
    .orderBy("id")
    .forUpdate()
    .execute();
  const free = await tx
    .selectFrom("contents")
    .select(["id", "organization_id", "original_key", "parsed_key", "size_bytes"])
    .where("id", "in", candidates)
    .where(
      sql<boolean>`not exists (select from documents where documents.content_id = contents.id
        or documents.next_content_id = contents.id)`,
    )
    .execute();
  if (free.length === 0) return [];
  const contentIds = free.map(({ id }) => id);
  const segments = await tx
    .deleteFrom("segments")
    .where("content_id", "in", contentIds)
    .returning("file_key")
    .execute();
  await tx.deleteFrom("contents").where("id", "in", contentIds).execute();
  for (const [organizationId, group] of Map.groupBy(free, (row) => row.organization_id)) {
    const bytes = group.reduce((sum, row) => sum + row.size_bytes, 0);
    await addStorageBytes(tx, organizationId, -bytes);
  }
  return [
    ...free.flatMap((row) => [row.original_key, ...(row.parsed_key === null ? [] : [row.parsed_key])]),
    ...segments.map((row) => row.file_key),
  ];
}

/** Segments of a content that no workspace uses any more, e.g. after another model took over. */
export async function releaseSegments(
  app: App,
  tenant: Tenant,
  contentId: string,
  keepId: string,
): Promise<void> {
  const rows = await app.db.asTenant(
    tenant,
    (tx) =>
      tx
        .deleteFrom("segments")
        .where("content_id", "=", contentId)
        .where("id", "!=", keepId)
        .where(sql<boolean>`not exists (select from workspace_documents where segment_id = segments.id)`)
        .returning("file_key")
        .execute(),
    "background",
  );
  await deleteFiles(
    app,
    rows.map(({ file_key }) => file_key),
  );
}

/** A file that cannot be deleted now is found by the collection of orphans later: the rows are gone already. */
export async function deleteFiles(app: App, keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    await app.files.delete(key).catch((error: unknown) => {
      app.log.warn({ error, key }, "a file could not be deleted; it is collected later");
    });
  }
}
