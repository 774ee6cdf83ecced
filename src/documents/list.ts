import type { App } from "../context.ts";
import type { AccountCaller } from "../http/caller.ts";
import { type PageRequest, toPage, uuidCursor } from "../http/page.ts";
import { notFound } from "../http/problem.ts";
import { getOrganizationRow } from "../organizations/find.ts";
import { checkSegment, DEFAULT_FOLDER } from "./docpath.ts";
import type { DocumentQuery } from "./documents.schemas.ts";
import { type DocumentView, selectDocumentViews, toDocument } from "./find.ts";
import { requireFolder } from "./folders.ts";

/** The lineage's tree: folders with the documents of this page in them; the default folder first. */
export async function listDocuments(app: App, caller: AccountCaller, orgSlug: string, query: DocumentQuery) {
  return app.db.asTenant(caller, async (tx) => {
    const organization = await getOrganizationRow(tx, caller, orgSlug);
    const { rows, nextCursor } = await pageOf(tx, organization.id, query);
    const folders = await tx
      .selectFrom("folders")
      .select("name")
      .where("organization_id", "=", organization.id)
      .orderBy("name")
      .execute();
    const names = [...new Set([DEFAULT_FOLDER, ...folders.map(({ name }) => name)])];
    const shown = query.folder === undefined ? names : names.filter((name) => name === query.folder);
    const items = shown.map((name) => ({
      name,
      type: "folder" as const,
      items: rows.filter((row) => row.folder === name).map((row) => toDocument(orgSlug, row)),
    }));
    return {
      localFiles: { name: "documents" as const, type: "folder" as const, items },
      next_cursor: nextCursor,
    };
  });
}

export async function listFolder(
  app: App,
  caller: AccountCaller,
  orgSlug: string,
  folderName: string,
  page: PageRequest,
) {
  const folder = checkSegment(folderName, "path.folderName");
  return app.db.asTenant(caller, async (tx) => {
    const organization = await getOrganizationRow(tx, caller, orgSlug);
    await requireFolder(tx, organization.id, folder);
    const { rows, nextCursor } = await pageOf(tx, organization.id, { ...page, folder });
    return { folder, documents: rows.map((row) => toDocument(orgSlug, row)), next_cursor: nextCursor };
  });
}

export async function getDocument(app: App, caller: AccountCaller, orgSlug: string, docName: string) {
  const view = await getDocumentView(app, caller, orgSlug, docName);
  return { document: toDocument(orgSlug, view) };
}

/** By the last segment of its docpath, which is unique in the organization. */
export async function getDocumentView(
  app: App,
  caller: AccountCaller,
  orgSlug: string,
  docName: string,
): Promise<DocumentView> {
  const name = checkSegment(docName, "path.docName");
  return app.db.asTenant(caller, async (tx) => {
    const organization = await getOrganizationRow(tx, caller, orgSlug);
    const row = await selectDocumentViews(tx)
      .where("documents.organization_id", "=", organization.id)
      .where("documents.name", "=", name)
      .executeTakeFirst();
    if (row === undefined) throw notFound("document");
    return row;
  });
}

async function pageOf(
  tx: Parameters<typeof selectDocumentViews>[0],
  organizationId: number,
  query:
    | Pick<DocumentQuery, "folder" | "q" | "status" | "limit" | "cursor">
    | (PageRequest & { folder: string }),
) {
  const before = uuidCursor(query.cursor);
  let select = selectDocumentViews(tx)
    .where("documents.organization_id", "=", organizationId)
    .orderBy("documents.id", "desc")
    .limit(query.limit + 1);
  if (before !== undefined) select = select.where("documents.id", "<", before);
  if (query.folder !== undefined) select = select.where("documents.folder", "=", query.folder);
  if ("status" in query && query.status !== undefined)
    select = select.where("documents.status", "=", query.status);
  if ("q" in query && query.q !== undefined) {
    const pattern = `%${query.q.replace(/[\\%_]/g, "\\$&")}%`;
    select = select.where((eb) =>
      eb.or([eb("documents.title", "ilike", pattern), eb("documents.file_name", "ilike", pattern)]),
    );
  }
  return toPage(await select.execute(), query.limit, (row) => row.id);
}
