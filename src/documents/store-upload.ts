import { sql } from "kysely";
import { recordAudit } from "../audit/record.ts";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { AccountCaller } from "../http/caller.ts";
import type { StagedFile } from "../http/multipart.ts";
import { Answer } from "../http/operation.ts";
import { notFound } from "../http/problem.ts";
import { addStorageBytes, getOrganizationRow, type OrganizationRow } from "../organizations/find.ts";
import { countUsage } from "../usage/count.ts";
import { findWorkspacesBySlug } from "../workspaces/find.ts";
import { documentName } from "./docpath.ts";
import type { FileType } from "./file-type.ts";
import { type DocumentRow, selectDocumentViews, toDocument } from "./find.ts";
import { ensureFolder } from "./folders.ts";
import type { IngestPayload } from "./ingest.jobs.ts";
import { memberOf } from "./membership.ts";
import { releaseContents } from "./remove.ts";
import { refuseUnknown, type Upload } from "./upload-target.ts";

/** What one transaction left behind: the document, the job that will read it, and whether our copy is in use. */
export interface StoredUpload {
  documentId: string;
  jobId: string;
  originalUsed: boolean;
  /** Files of a version that was waiting and now will never be read. */
  released: string[];
  /** Made by this upload, so that nothing is left of it if it cannot be read. */
  isNew: boolean;
  workspaces: readonly string[];
}

/** Stores an upload with the job that will read it, in one transaction. */
export async function storeDocument(
  app: App,
  caller: AccountCaller,
  orgSlug: string,
  upload: Upload,
  type: FileType,
  originalKey: string,
): Promise<StoredUpload> {
  let stored: StoredUpload | undefined;
  await app.db.asTenant(caller, async (tx) => {
    const organization = await getOrganizationRow(tx, caller, orgSlug);
    await holdExternalId(tx, organization.id, upload.externalId);
    const known = await findByExternalId(tx, organization.id, upload.externalId);
    const workspaceIds = await holdWorkspaces(tx, organization.id, upload.addToWorkspaces);
    await ensureFolder(tx, organization, upload.folder);
    const content = await insertContent(app, tx, organization, upload.file, type, originalKey);
    const document =
      known === undefined
        ? await insertDocument(app, tx, organization, upload, content.id)
        : await replaceDocument(tx, known, upload, content.id);
    const isNew = known === undefined;
    await joinWorkspaces(tx, organization, document.id, workspaceIds);
    const payload: IngestPayload = { documentId: document.id, contentId: content.id };
    const jobId = await app.queue.enqueue(tx, {
      kind: "ingest",
      partnerId: caller.partnerId,
      accountId: caller.accountId,
      organizationId: organization.id,
      payload,
    });
    const originalUsed = content.original_key === originalKey;
    await recordAudit(app, tx, caller, {
      action: isNew ? "document.uploaded" : "document.replaced",
      resourceType: "document",
      resourceId: document.id,
      organizationId: organization.id,
    });
    stored = {
      documentId: document.id,
      jobId,
      originalUsed,
      released: await releaseContents(tx, [known?.next_content_id ?? null]),
      isNew,
      workspaces: upload.addToWorkspaces,
    };
    await countStorage(tx, organization.id, originalUsed ? upload.file.sizeBytes : 0);
    await countDocument(app, tx, organization);
    return caller.beforeCommit === undefined ? undefined : provisionalAnswer(tx, orgSlug, document.id, jobId);
  });
  if (stored === undefined) throw new Error("the upload's transaction committed without storing anything");
  return stored;
}

async function holdWorkspaces(tx: Tx, organizationId: number, slugs: readonly string[]): Promise<number[]> {
  if (slugs.length === 0) return [];
  const rows = await findWorkspacesBySlug(tx, organizationId, slugs, "key share");
  refuseUnknown(slugs, rows);
  return rows.map(({ id }) => id);
}

/** From now on it belongs there: a newer version finds it, and who takes it out again is obeyed. */
async function joinWorkspaces(
  tx: Tx,
  organization: OrganizationRow,
  documentId: string,
  workspaceIds: readonly number[],
): Promise<void> {
  if (workspaceIds.length === 0) return;
  await tx
    .insertInto("workspace_documents")
    .values(
      workspaceIds.map((workspaceId) => ({
        ...memberOf({ ...ownerOf(organization), id: documentId }, workspaceId),
        status: "embedding" as const,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** What a repetition gets that comes after a crash between this commit and the final answer. */
async function provisionalAnswer(tx: Tx, orgSlug: string, documentId: string, jobId: string) {
  const view = await selectDocumentViews(tx).where("documents.id", "=", documentId).executeTakeFirstOrThrow();
  return new Answer(202, {
    success: true,
    error: null,
    documents: [toDocument(orgSlug, view)],
    job_id: jobId,
  });
}

/** The same bytes of the same kind are one content, whoever came first. */
async function insertContent(
  app: App,
  tx: Tx,
  organization: OrganizationRow,
  file: StagedFile,
  type: FileType,
  originalKey: string,
): Promise<{ id: string; original_key: string }> {
  return (
    tx
      .insertInto("contents")
      .values({
        ...ownerOf(organization),
        id: app.newId(),
        sha256: file.sha256,
        format: type.format,
        size_bytes: file.sizeBytes,
        mime: type.mime,
        original_key: originalKey,
      })
      // An update that changes nothing: it locks the row, so that nobody removes it before our document refers to it.
      .onConflict((conflict) =>
        conflict.columns(["organization_id", "sha256", "format"]).doUpdateSet({ sha256: file.sha256 }),
      )
      .returning(["id", "original_key"])
      .executeTakeFirstOrThrow()
  );
}

/** Last, since all uploads of an organization meet here; it also notices an erasure that has begun meanwhile. */
async function countStorage(tx: Tx, organizationId: number, bytes: number): Promise<void> {
  if (!(await addStorageBytes(tx, organizationId, bytes))) throw notFound("organization");
}

/** Whose every row beneath an organization is. */
export function ownerOf({ partner_id, account_id, id }: OrganizationRow) {
  return { partner_id, account_id, organization_id: id };
}

/** For the organization's usage: every version that is taken in. */
export async function countDocument(app: App, tx: Tx, organization: OrganizationRow): Promise<void> {
  const tenant = {
    partnerId: organization.partner_id,
    accountId: organization.account_id,
    organizationId: organization.id,
    workspaceId: null,
  };
  await countUsage(app, tx, tenant, { documents: 1 });
}

type Known = Pick<DocumentRow, "id" | "content_id" | "next_content_id">;

/** Everything new waits beside the old, which is served until the new can be. */
async function replaceDocument(tx: Tx, known: Known, upload: Upload, contentId: string): Promise<Known> {
  await tx
    .updateTable("documents")
    .set({
      next_content_id: contentId,
      next_file_name: upload.file.fileName,
      next_metadata: sql`${JSON.stringify(upload.metadata)}::json`,
      error: null,
      ...(known.content_id === null ? { status: "processing" as const } : {}),
      updated_at: sql`now()`,
    })
    .where("id", "=", known.id)
    .execute();
  return known;
}

async function insertDocument(
  app: App,
  tx: Tx,
  organization: OrganizationRow,
  upload: Upload,
  contentId: string,
): Promise<Pick<DocumentRow, "id">> {
  const id = app.newId();
  await tx
    .insertInto("documents")
    .values({
      ...ownerOf(organization),
      id,
      folder: upload.folder,
      name: documentName(upload.file.fileName, id),
      external_id: upload.externalId ?? null,
      file_name: upload.file.fileName,
      next_content_id: contentId,
      next_file_name: upload.file.fileName,
      title: upload.metadata.title ?? upload.file.fileName,
      metadata: sql`${JSON.stringify(upload.metadata)}::json`,
      status: "processing",
    })
    .execute();
  return { id };
}

/** There may be no row yet that could be locked: of two first versions at once, one has to wait for the other. */
async function holdExternalId(tx: Tx, organizationId: number, externalId: string | undefined): Promise<void> {
  if (externalId === undefined) return;
  const name = `external_id ${organizationId} ${externalId}`;
  await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(tx);
}

async function findByExternalId(tx: Tx, organizationId: number, externalId: string | undefined) {
  if (externalId === undefined) return undefined;
  return tx
    .selectFrom("documents")
    .select(["id", "content_id", "next_content_id"])
    .where("organization_id", "=", organizationId)
    .where("external_id", "=", externalId)
    .forUpdate()
    .executeTakeFirst();
}
