import { sql } from "kysely";
import { z } from "zod";
import type { App } from "../context.ts";
import type { Tenant, Tx } from "../db/database.ts";
import { JobFailure, type JobHandler, type RunningJob } from "../jobs/worker.ts";
import { ProviderError } from "../ports/provider-error.ts";
import { bumpIndexVersions, livingWorkspaces } from "../workspaces/find.ts";
import { type DocumentRow, findDocumentById } from "./find.ts";
import { memberOf } from "./membership.ts";
import { ParseFailure } from "./parse/parse-failure.ts";
import { type ContentRow, type ReadContent, readContent } from "./read-content.ts";
import { deleteFiles, releaseContents } from "./remove.ts";
import { ensureSegment, type SegmentRow } from "./segment-store.ts";
import { type Owned, tellEmbedded, tellFailed } from "./tell.ts";

export const IngestPayload = z.object({
  documentId: z.string(),
  contentId: z.string(),
});
export type IngestPayload = z.output<typeof IngestPayload>;

/**
 * Reads a document's newest content, embeds it for all its workspaces, and swaps it in: until that one transaction
 * the version before is what everybody sees.
 */
export const ingestHandler: JobHandler = async (app, job) => {
  const { documentId, contentId } = IngestPayload.parse(job.payload);
  const tenant = tenantOf(job);
  const found = await app.db.asTenant(tenant, (tx) => findWork(tx, documentId, contentId), "background");
  if (found === undefined) {
    await forgetContent(app, tenant, contentId);
    return null;
  }
  const { document, content } = found;
  let outcome: SegmentRow | JobFailure | undefined;
  try {
    const fileName = document.next_file_name ?? document.file_name;
    const read = await readContent(app, tenant, content, fileName, job.signal, (progress) => {
      void job.progress({ step: "reading", ...progress }).catch(() => undefined);
    });
    const title = titleOf(document, read, fileName);
    const workspaces = await app.db.asTenant(tenant, (tx) => workspacesOf(tx, documentId), "background");
    if (workspaces.length > 0) outcome = await embed(app, job, tenant, document, read, title);
    const released = await app.db.asTenant(
      tenant,
      (tx) => swapIn(app, tx, document, { contentId, fileName, title }, workspaces, outcome),
      "background",
    );
    await deleteFiles(app, released);
  } catch (error) {
    const settled = await settleFailure(app, job, tenant, document, contentId, error);
    if (settled === "overtaken") return null;
    throw settled;
  }
  if (outcome instanceof JobFailure) throw outcome;
  return outcome === undefined ? {} : { chunks: outcome.chunks, tokens: outcome.tokens };
};

/** A first version that cannot be embedded is a document all the same, and says in its workspaces what is missing. */
async function embed(
  app: App,
  job: RunningJob,
  tenant: Tenant,
  document: DocumentRow,
  read: ReadContent,
  title: string,
): Promise<SegmentRow | JobFailure> {
  try {
    return await ensureSegment(app, tenant, read, title, job.signal, progressOf(job));
  } catch (error) {
    const failure = finalFailure(error, job);
    const isReplacement = document.content_id !== null && document.content_id !== read.id;
    if (failure === undefined || isReplacement) throw error;
    return failure;
  }
}

/** A version that another has replaced; it stays where another document still has it. */
async function forgetContent(app: App, tenant: Tenant, contentId: string | null): Promise<void> {
  await deleteFiles(
    app,
    await app.db.asTenant(tenant, (tx) => releaseContents(tx, [contentId]), "background"),
  );
}

/** Says how far the embedding is. What is lost of it on the way is of no consequence. */
export function progressOf(job: RunningJob): (done: number, total: number) => void {
  return (done, total) => void job.progress({ step: "embedding", done, total }).catch(() => undefined);
}

export function tenantOf(job: RunningJob): Tenant {
  if (job.accountId === null) throw new JobFailure("bad_payload", "This job names no account.");
  return { partnerId: job.partnerId, accountId: job.accountId };
}

async function findWork(tx: Tx, documentId: string, contentId: string) {
  const document = await findDocumentById(tx, documentId);
  const wanted = document?.next_content_id ?? document?.content_id;
  // A still newer version has been uploaded meanwhile, or the document is gone: nothing is left to do here.
  if (document === undefined || wanted !== contentId) return undefined;
  const content = await tx.selectFrom("contents").selectAll().where("id", "=", contentId).executeTakeFirst();
  return content === undefined ? undefined : { document, content: content satisfies ContentRow };
}

function titleOf(document: DocumentRow, content: ReadContent, fileName: string): string {
  const given = { ...Object(document.next_metadata ?? document.metadata) }.title;
  return typeof given === "string" ? given : (content.parsed_title ?? fileName);
}

type Target = { id: number; segment_id: string | null };

async function workspacesOf(tx: Tx, documentId: string): Promise<Target[]> {
  const members = await tx
    .selectFrom("workspace_documents")
    .select(["workspace_id as id", "segment_id"])
    .where("document_id", "=", documentId)
    .execute();
  if (members.length === 0) return [];
  const living = await livingWorkspaces(
    tx,
    members.map(({ id }) => id),
  );
  return members.filter(({ id }) => living.includes(id));
}

/** Rows are locked in the order of every transaction here: documents, workspaces, contents, organizations. */
async function swapIn(
  app: App,
  tx: Tx,
  document: DocumentRow,
  version: { contentId: string; fileName: string; title: string },
  workspaces: Target[],
  outcome: SegmentRow | JobFailure | undefined,
): Promise<string[]> {
  const ids = workspaces.map(({ id }) => id);
  const now = await lockVersion(tx, document.id, version.contentId);
  if (now === undefined) return [];
  await bumpIndexVersions(tx, ids);
  await tx
    .updateTable("documents")
    .set({
      content_id: version.contentId,
      next_content_id: null,
      next_file_name: null,
      file_name: version.fileName,
      metadata: sql`coalesce(next_metadata, metadata)`,
      next_metadata: null,
      title: version.title,
      status: "ready",
      error: null,
      updated_at: sql`now()`,
    })
    .where("id", "=", document.id)
    .execute();
  for (const { id, segment_id } of await workspacesOf(tx, document.id)) {
    if (!ids.includes(id)) {
      // It joined meanwhile, with a job of its own; that one may have embedded what is replaced here.
      if (segment_id === null) continue;
      throw new Error("the document was embedded elsewhere while it was being read");
    }
    if (outcome instanceof JobFailure) await markFailed(app, tx, document, id, outcome);
    else if (outcome !== undefined) await putIntoWorkspace(app, tx, document, id, outcome);
  }
  return now.content_id === version.contentId ? [] : releaseContents(tx, [now.content_id]);
}

/** The document's row, held until the end; `undefined` when a still newer version waits, or the document is gone. */
async function lockVersion(tx: Tx, documentId: string, contentId: string) {
  const now = await tx
    .selectFrom("documents")
    .select(["content_id", "next_content_id"])
    .where("id", "=", documentId)
    .forUpdate()
    .executeTakeFirst();
  return now !== undefined && (now.next_content_id ?? now.content_id) === contentId ? now : undefined;
}

export async function putIntoWorkspace(
  app: App,
  tx: Tx,
  document: Owned,
  workspaceId: number,
  segment: Pick<SegmentRow, "id" | "chunks" | "tokens">,
): Promise<void> {
  const state = { segment_id: segment.id, status: "embedded" as const, error: null };
  await tx
    .insertInto("workspace_documents")
    .values({
      ...memberOf(document, workspaceId),
      ...state,
    })
    .onConflict((conflict) => conflict.columns(["workspace_id", "document_id"]).doUpdateSet(state))
    .execute();
  await tellEmbedded(app, tx, document, workspaceId, segment);
}

/** What was embedded there before goes on serving. */
export async function markFailed(
  app: App,
  tx: Tx,
  document: Owned,
  workspaceId: number,
  { code, message }: JobFailure,
): Promise<void> {
  const error = sql`${JSON.stringify({ code, message })}::json`;
  await tx
    .insertInto("workspace_documents")
    .values({
      ...memberOf(document, workspaceId),
      status: "failed",
      error,
    })
    .onConflict((conflict) =>
      conflict.columns(["workspace_id", "document_id"]).doUpdateSet({
        status: sql`case when workspace_documents.segment_id is null then 'failed' else 'embedded' end`,
        error,
      }),
    )
    .execute();
  await tellFailed(app, tx, document, workspaceId, { code });
}

/**
 * What cannot be mended by trying again is written down; anything else is thrown for the queue to try again.
 * `overtaken`: nobody waits for this version any more.
 */
async function settleFailure(
  app: App,
  job: RunningJob,
  tenant: Tenant,
  document: DocumentRow,
  contentId: string,
  error: unknown,
): Promise<unknown> {
  const failure = finalFailure(error, job);
  const released = await app.db.asTenant(
    tenant,
    async (tx) => {
      const now = await lockVersion(tx, document.id, contentId);
      // Its files went with it, so that reading it had to fail.
      if (now === undefined) return "overtaken";
      if (failure === undefined || now.content_id === contentId) return [];
      const reason = sql`${JSON.stringify({ code: failure.code, message: failure.message })}::json`;
      // A replacement that cannot be read leaves the version before in place.
      const change =
        now.content_id === null
          ? { status: "failed" as const, error: reason }
          : { next_content_id: null, next_file_name: null, next_metadata: null, error: reason };
      await tx.updateTable("documents").set(change).where("id", "=", document.id).execute();
      await tx
        .updateTable("workspace_documents")
        .set({ status: "failed", error: reason })
        .where("document_id", "=", document.id)
        .where("segment_id", "is", null)
        .execute();
      await tellFailed(app, tx, document, null, failure);
      return now.content_id === null ? [] : releaseContents(tx, [contentId]);
    },
    "background",
  );
  if (released === "overtaken") return released;
  await deleteFiles(app, released);
  return failure ?? error;
}

/** Why this is the end of it; `undefined` when another try may help and there is one. */
export function finalFailure(error: unknown, job: RunningJob): JobFailure | undefined {
  if (error instanceof JobFailure) return error;
  const isOver = job.isLastAttempt && !job.signal.aborted;
  if (error instanceof ParseFailure && (isOver || !["cancelled", "unavailable"].includes(error.code))) {
    return new JobFailure(error.code, error.message, { cause: error });
  }
  if (error instanceof ProviderError && (isOver || !error.retryable)) {
    const what = error.retryable ? "failed again and again" : "refused";
    return new JobFailure(
      `provider_${error.code}`,
      `The ${error.provider} provider ${what}: ${error.message}`,
      {
        cause: error,
      },
    );
  }
  if (!isOver) return undefined;
  return new JobFailure(
    "internal",
    "An internal error stopped this work; the log has it under the job's id.",
    {
      cause: error,
    },
  );
}
