import type { App } from "../context.ts";
import type { AccountCaller } from "../http/caller.ts";
import { Answer } from "../http/operation.ts";
import { notFound } from "../http/problem.ts";
import type { Document, EmbeddingResult } from "./documents.schemas.ts";
import { selectDocumentViews, toDocument } from "./find.ts";
import { problemOf } from "./parse-problem.ts";
import { removeDocuments } from "./remove.ts";
import type { StoredUpload } from "./store-upload.ts";

/** Waits for the job that reads an upload: 200 when it is read, 202 when the wait is over first, 422 when it cannot be. */
export async function answerUpload(
  app: App,
  caller: AccountCaller,
  orgSlug: string,
  stored: StoredUpload,
  waitSeconds: number,
) {
  const end = await app.queue.wait(stored.jobId, waitSeconds * 1000);
  const document = await readDocument(app, caller, orgSlug, stored.documentId);
  if (end === undefined) {
    return new Answer(202, { success: true, error: null, documents: [document], job_id: stored.jobId });
  }
  if (end.status === "failed" && document.status === "failed") {
    // The caller hears why; a document that can never be read is not left behind.
    if (stored.isNew) await removeDocuments(app, caller, [stored.documentId]);
    throw problemOf(end.error);
  }
  if (end.status === "failed") {
    const results = stored.workspaces.map(
      (workspace): EmbeddingResult => ({
        docpath: document.docpath,
        workspace,
        status: end.error.code.startsWith("provider_") ? 502 : 422,
        message: end.error.message,
      }),
    );
    return new Answer(207, { success: false, error: end.error.message, documents: [document], results });
  }
  // A still newer version came meanwhile: that one's answer says what became of it.
  if (end.result === null) return { success: true, error: null, documents: [document] };
  const { chunks, tokens } = { ...Object(end.result) };
  const results = stored.workspaces.map(
    (workspace): EmbeddingResult => ({
      docpath: document.docpath,
      workspace,
      status: "embedded",
      chunks,
      tokens,
    }),
  );
  return { success: true, error: null, documents: [document], ...(results.length > 0 ? { results } : {}) };
}

async function readDocument(app: App, caller: AccountCaller, orgSlug: string, id: string): Promise<Document> {
  const [row] = await app.db.readAsTenant(caller, (db) =>
    selectDocumentViews(db).where("documents.id", "=", id),
  );
  if (row === undefined) throw notFound("document");
  return toDocument(orgSlug, row);
}
