import { z } from "zod";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { JobFailure, type JobHandler, JobPostponed } from "../jobs/worker.ts";
import { bumpIndexVersions } from "../workspaces/find.ts";
import { type DocumentRow, findDocumentById } from "./find.ts";
import { finalFailure, markFailed, progressOf, putIntoWorkspace, tenantOf } from "./ingest.jobs.ts";
import type { ReadContent } from "./read-content.ts";
import { releaseSegments } from "./remove.ts";
import { ensureSegment, type SegmentRow } from "./segment-store.ts";

const Payload = z.object({ documentId: z.string(), workspaceId: z.number() });
export type EmbedPayload = z.output<typeof Payload>;

/** Puts a document's current version into one workspace, or brings it there to the newest model. */
export const embedHandler: JobHandler = async (app, job) => {
  const payload = Payload.parse(job.payload);
  const tenant = tenantOf(job);
  const found = await app.db.asTenant(tenant, (tx) => findWork(tx, payload), "background");
  if (found === undefined) return null;
  const { document, content } = found;
  try {
    if (document.status === "failed") {
      throw new JobFailure("unreadable", "This document could not be read; upload it again.");
    }
    if (content === undefined) throw new JobPostponed("the document is still being read");
    const segment = await ensureSegment(app, tenant, content, document.title, job.signal, progressOf(job));
    const isIn = await app.db.asTenant(
      tenant,
      (tx) => putCurrent(app, tx, document, content.id, payload.workspaceId, segment),
      "background",
    );
    await releaseSegments(app, tenant, content.id, segment.id);
    return isIn ? { chunks: segment.chunks, tokens: segment.tokens } : null;
  } catch (error) {
    const failure = error instanceof JobPostponed ? undefined : finalFailure(error, job);
    if (failure === undefined) throw error;
    await app.db.asTenant(
      tenant,
      async (tx) => {
        const now = await findDocumentById(tx, document.id);
        // The files of a version go when another takes its place: that is no reason to give up.
        if (now !== undefined && now.content_id !== document.content_id) throw error;
        if (await isMember(tx, payload)) await markFailed(app, tx, document, payload.workspaceId, failure);
      },
      "background",
    );
    throw failure;
  }
};

/** `false`: it was taken out again meanwhile, and stays out. */
async function putCurrent(
  app: App,
  tx: Tx,
  document: DocumentRow,
  contentId: string,
  workspaceId: number,
  segment: SegmentRow,
): Promise<boolean> {
  const now = await tx
    .selectFrom("documents")
    .select("content_id")
    .where("id", "=", document.id)
    .forShare()
    .executeTakeFirst();
  await bumpIndexVersions(tx, [workspaceId]);
  if (now === undefined || !(await isMember(tx, { documentId: document.id, workspaceId }))) return false;
  if (now.content_id !== contentId) throw new Error("the document was replaced while it was being embedded");
  await putIntoWorkspace(app, tx, document, workspaceId, segment);
  return true;
}

async function isMember(tx: Tx, { documentId, workspaceId }: EmbedPayload): Promise<boolean> {
  const member = await tx
    .selectFrom("workspace_documents")
    .select("document_id")
    .where("workspace_id", "=", workspaceId)
    .where("document_id", "=", documentId)
    .executeTakeFirst();
  return member !== undefined;
}

/** `undefined`: the document is gone from the workspace. Without `content` it has not been read yet. */
async function findWork(tx: Tx, payload: EmbedPayload) {
  const document = await findDocumentById(tx, payload.documentId);
  if (document === undefined || !(await isMember(tx, payload))) return undefined;
  const content = await tx
    .selectFrom("contents")
    .selectAll()
    .where("id", "=", document.content_id)
    .executeTakeFirst();
  if (content === undefined || content.parsed_key === null) return { document };
  return { document, content: { ...content, parsed_key: content.parsed_key } satisfies ReadContent };
}
