import { Readable } from "node:stream";
import { sql } from "kysely";
import { recordAudit } from "../audit/record.ts";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { fixedQuery } from "../db/fixed-query.ts";
import { isOvertaken } from "../db/violations.ts";
import type { AccountCaller } from "../http/caller.ts";
import { notFound } from "../http/problem.ts";
import { addStorageBytes } from "../organizations/find.ts";
import { bumpIndexVersions } from "../workspaces/find.ts";
import { documentName } from "./docpath.ts";
import type { FileType } from "./file-type.ts";
import { toDocument } from "./find.ts";
import { ensureFolder } from "./folders.ts";
import { putIntoWorkspace } from "./ingest.jobs.ts";
import { segmentInput, tokensOf } from "./passages.ts";
import { storeOriginal } from "./read-content.ts";
import { deleteFiles } from "./remove.ts";
import { embedPassages, segmentMaker, segmentRecipe } from "./segment-store.ts";
import type { TextRead } from "./small-texts.ts";
import { countDocument, ownerOf } from "./store-upload.ts";
import { refuseUnknown, type Upload, type UploadTarget } from "./upload-target.ts";

/** A provider that takes longer is waited for by the queue. */
const EMBEDDING_TIMEOUT_MS = 10_000;

/** Everything an upload will store, made before the transaction that stores it. */
interface Made extends TextRead {
  documentId: string;
  contentId: string;
  segmentId: string;
  chunks: number;
  chunkTokens: number;
}

interface Keys {
  original: string;
  parsed: string;
  segment: string | null;
}

/**
 * The short way of an upload: a small plain text that is new here is read and embedded while its request waits, and
 * stored as a finished document in one transaction, without a job. Nothing is promised before that commits.
 *
 * `undefined`: it has to go the long way, which also knows how to say what is wrong with it and tries again what failed.
 */
export async function uploadAtOnce(
  app: App,
  caller: AccountCaller,
  upload: Upload,
  type: FileType,
  target: UploadTarget,
) {
  const { held } = upload.file;
  const isText = type.format === "text" || type.format === "markdown";
  if (!isText || "path" in held || upload.externalId !== undefined || upload.waitSeconds === 0)
    return undefined;
  const isEmbedded = app.embedding !== null && target.workspaces.length > 0;
  if (isEmbedded && (await isKnown(app, caller, upload, type, target))) return undefined;
  const { bytes } = held;
  return app.smallTexts.unlessBusy(async () => {
    const made = await make(app, upload, bytes, type, target).catch((error: unknown) => {
      app.log.info({ error, requestId: caller.requestId }, "an upload is left to the queue");
      return undefined;
    });
    if (made === undefined) return undefined;
    const keys = await storeFiles(app, target.organization.id, upload, made);
    try {
      return await app.db.asTenant(caller, (tx) =>
        storeMade(app, tx, caller, upload, type, target, made, keys),
      );
    } catch (error) {
      await deleteFiles(app, [keys.original, keys.parsed, ...(keys.segment === null ? [] : [keys.segment])]);
      // The same bytes came a moment ago or are here already, or what it belongs to is being erased.
      if (isOvertaken(error)) return undefined;
      throw error;
    }
  });
}

/** The same bytes may be embedded already: what asks a provider looks first. */
async function isKnown(
  app: App,
  caller: AccountCaller,
  { file }: Upload,
  { format }: FileType,
  { organization }: UploadTarget,
): Promise<boolean> {
  const rows = await app.db.readAsTenant(caller, (db) => contentOf(db, organization.id, file.sha256, format));
  return rows.length > 0;
}

const contentOf = fixedQuery((db: Tx, organizationId: number, sha256: string, format: string) =>
  db
    .selectFrom("contents")
    .select("id")
    .where("organization_id", "=", organizationId)
    .where("sha256", "=", sha256)
    .where("format", "=", format),
);

async function make(
  app: App,
  { file, metadata, waitSeconds }: Upload,
  bytes: Buffer,
  { format }: FileType,
  { workspaces }: UploadTarget,
): Promise<Made> {
  const signal = AbortSignal.timeout(Math.min(EMBEDDING_TIMEOUT_MS, waitSeconds * 1000));
  const wanted = app.embedding === null ? "segment" : "passages";
  const read = await app.smallTexts.read(
    {
      bytes,
      fileName: file.fileName,
      format,
      givenTitle: metadata.title ?? null,
      make: workspaces.length === 0 ? "nothing" : wanted,
    },
    signal,
  );
  let { segment } = read;
  if (segment === null && read.passages !== null) {
    const vectors = await embedPassages(app, read.passages, signal, () => undefined);
    const input = segmentInput(read.passages, read.title, read.facts.language, vectors);
    segment = await app.smallTexts.build(input, signal);
  }
  return {
    ...read,
    segment,
    documentId: app.newId(),
    contentId: app.newId(),
    segmentId: app.newId(),
    chunks: read.passages?.chunks.length ?? 0,
    chunkTokens: read.passages === null ? 0 : tokensOf(read.passages),
  };
}

async function storeFiles(app: App, organizationId: number, { file }: Upload, made: Made): Promise<Keys> {
  const put = async (kind: "parsed" | "segments", bytes: Uint8Array) => {
    const key = `${kind}/${organizationId}/${app.newId()}`;
    await app.files.put(key, Readable.from([bytes]));
    return key;
  };
  const [original, parsed, segment] = await Promise.all([
    storeOriginal(app, organizationId, file),
    put("parsed", made.parsed),
    made.segment === null ? null : put("segments", made.segment),
  ]);
  return { original, parsed, segment };
}

/** All statements leave together: nothing here is decided by the answer of one before. */
async function storeMade(
  app: App,
  tx: Tx,
  caller: AccountCaller,
  upload: Upload,
  type: FileType,
  { organization, workspaces }: UploadTarget,
  made: Made,
  keys: Keys,
) {
  const { file } = upload;
  const owner = ownerOf(organization);
  const workspaceIds = workspaces.map(({ id }) => id);
  const segment = { id: made.segmentId, chunks: made.chunks, tokens: made.chunkTokens };
  const [, , row, , living, , isCounted] = await Promise.all([
    ensureFolder(tx, organization, upload.folder),
    tx
      .insertInto("contents")
      .values({
        ...owner,
        ...made.facts,
        id: made.contentId,
        sha256: file.sha256,
        format: type.format,
        size_bytes: file.sizeBytes,
        mime: type.mime,
        original_key: keys.original,
        parsed_key: keys.parsed,
      })
      .execute(),
    tx
      .insertInto("documents")
      .values({
        ...owner,
        id: made.documentId,
        folder: upload.folder,
        name: documentName(file.fileName, made.documentId),
        external_id: null,
        file_name: file.fileName,
        content_id: made.contentId,
        title: made.title,
        metadata: sql`${JSON.stringify(upload.metadata)}::json`,
        status: "ready",
      })
      .returningAll()
      .executeTakeFirstOrThrow(),
    insertSegment(app, tx, owner, made, keys.segment),
    bumpIndexVersions(tx, workspaceIds),
    recordAudit(app, tx, caller, {
      action: "document.uploaded",
      resourceType: "document",
      resourceId: made.documentId,
      organizationId: organization.id,
    }),
    addStorageBytes(tx, organization.id, file.sizeBytes),
    ...workspaceIds.map((id) => putIntoWorkspace(app, tx, { ...owner, id: made.documentId }, id, segment)),
  ]);
  // An erasure began after they were looked up.
  if (!isCounted) throw notFound("organization");
  if (living < workspaceIds.length) refuseUnknown(upload.addToWorkspaces, []);
  await countDocument(app, tx, organization);
  const document = toDocument(organization.slug, {
    ...row,
    ...made.facts,
    mime: type.mime,
    size_bytes: file.sizeBytes,
    workspaces: workspaces.map(({ slug }) => slug),
  });
  const results = workspaces.map(({ slug }) => ({
    docpath: document.docpath,
    workspace: slug,
    status: "embedded" as const,
    chunks: made.chunks,
    tokens: made.chunkTokens,
  }));
  return { success: true, error: null, documents: [document], ...(results.length > 0 ? { results } : {}) };
}

type Owner = ReturnType<typeof ownerOf>;

async function insertSegment(
  app: App,
  tx: Tx,
  owner: Owner,
  made: Made,
  fileKey: string | null,
): Promise<void> {
  if (made.segment === null || fileKey === null) return;
  await tx
    .insertInto("segments")
    .values({
      ...owner,
      id: made.segmentId,
      content_id: made.contentId,
      recipe: segmentRecipe(app, made.contentId, made.title),
      maker: segmentMaker(app),
      file_key: fileKey,
      size_bytes: made.segment.byteLength,
      chunks: made.chunks,
      tokens: made.chunkTokens,
    })
    .execute();
}
