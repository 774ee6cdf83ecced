import { recordAudit } from "../audit/record.ts";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { AccountCaller } from "../http/caller.ts";
import { Answer } from "../http/operation.ts";
import { getOrganizationRow } from "../organizations/find.ts";
import {
  bumpIndexVersions,
  getWorkspaceRow,
  readWorkspaceRow,
  toWorkspace,
  type WorkspaceRow,
} from "../workspaces/find.ts";
import { type Docpath, parseDocpath } from "./docpath.ts";
import type { EmbeddingResult, UpdateEmbeddings } from "./documents.schemas.ts";
import { findDocumentRow } from "./find.ts";
import { enqueueEmbedding, joinWorkspace } from "./membership.ts";

interface Named extends Docpath {
  docpath: string;
}

interface Planned {
  results: EmbeddingResult[];
  /** Documents whose embedding is under way, with the job that does it. */
  pending: { docpath: string; jobId: string }[];
  workspace: WorkspaceRow;
}

/**
 * Takes documents out of a workspace, then puts others in. Each embedding is a durable job; the answer waits for them.
 * A docpath of another organization refuses the whole request before anything is done.
 */
export async function updateEmbeddings(
  app: App,
  caller: AccountCaller,
  slug: string,
  fields: UpdateEmbeddings,
  waitSeconds: number,
) {
  const { organization_slug: orgSlug, organization_id: organizationId } = await readWorkspaceRow(
    app,
    caller,
    slug,
  );
  const adds = unique(fields.adds, orgSlug, "body.adds");
  const deletes = unique(fields.deletes, orgSlug, "body.deletes");
  let planned: Planned | undefined;
  await app.db.asTenant(caller, async (tx) => {
    await holdDocuments(tx, organizationId, [...adds, ...deletes]);
    const workspace = await getWorkspaceRow(tx, caller, slug, deletes.length > 0 ? "update" : "share");
    const removed = await removeFromWorkspace(tx, workspace, deletes);
    const added = await enqueueAdds(app, tx, caller, workspace, adds);
    planned = { results: [...removed, ...added.results], pending: added.pending, workspace };
    await recordAudit(app, tx, caller, {
      action: "workspace.embeddings_updated",
      resourceType: "workspace",
      resourceId: workspace.id,
      organizationId: workspace.organization_id,
      workspaceId: workspace.id,
      details: { adds: adds.length, deletes: deletes.length },
    });
    return new Answer(202, answerBody(planned, planned.results));
  });
  if (planned === undefined) throw new Error("the transaction committed without a plan");
  return waitForAll(app, caller, slug, planned, waitSeconds);
}

async function waitForAll(
  app: App,
  caller: AccountCaller,
  slug: string,
  planned: Planned,
  waitSeconds: number,
) {
  const deadline = performance.now() + waitSeconds * 1000;
  const results = [...planned.results];
  let unfinished: string | undefined;
  for (const { docpath, jobId } of planned.pending) {
    const end = await app.queue.wait(jobId, Math.max(0, deadline - performance.now()));
    if (end === undefined) {
      unfinished = jobId;
      results.push({ docpath, status: "embedding" });
    } else if (end.status === "succeeded" && end.result === null) {
      results.push({ docpath, status: 409, message: "This document was taken out again meanwhile." });
    } else if (end.status === "succeeded") {
      const { chunks, tokens } = { ...Object(end.result) };
      results.push({ docpath, status: "embedded", chunks, tokens });
    } else {
      results.push({
        docpath,
        status: end.error.code.startsWith("provider_") ? 502 : 422,
        message: end.error.message,
      });
    }
  }
  if (unfinished !== undefined) return new Answer(202, answerBody(planned, results, unfinished));
  const failed = results.some(({ status }) => typeof status === "number");
  const body = {
    success: !failed,
    workspace: toWorkspace(await readWorkspaceRow(app, caller, slug)),
    results,
  };
  return failed ? new Answer(207, body) : body;
}

function answerBody(planned: Planned, results: EmbeddingResult[], jobId = planned.pending.at(-1)?.jobId) {
  return {
    success: true,
    workspace: toWorkspace(planned.workspace),
    results,
    ...(jobId === undefined ? {} : { job_id: jobId }),
  };
}

/** Documents first, then the workspace: the order of every transaction here. */
async function holdDocuments(tx: Tx, organizationId: number, named: Named[]): Promise<void> {
  if (named.length === 0) return;
  await tx
    .selectFrom("documents")
    .select("id")
    .where("organization_id", "=", organizationId)
    .where(
      "name",
      "in",
      named.map(({ name }) => name),
    )
    .orderBy("id")
    .forKeyShare()
    .execute();
}

function unique(docpaths: readonly string[], orgSlug: string, path: string): Named[] {
  const named = docpaths.map((docpath, index) => ({
    docpath,
    ...parseDocpath(orgSlug, docpath, `${path}.${index}`),
  }));
  return [...new Map(named.map((one) => [`${one.folder}/${one.name}`, one])).values()];
}

async function removeFromWorkspace(
  tx: Tx,
  workspace: WorkspaceRow,
  deletes: Named[],
): Promise<EmbeddingResult[]> {
  const results: EmbeddingResult[] = [];
  for (const path of deletes) {
    const document = await findDocumentRow(tx, workspace.organization_id, path);
    const removed =
      document !== undefined &&
      (
        await tx
          .deleteFrom("workspace_documents")
          .where("workspace_id", "=", workspace.id)
          .where("document_id", "=", document.id)
          .executeTakeFirst()
      ).numDeletedRows > 0n;
    results.push(
      removed
        ? { docpath: path.docpath, status: "removed" }
        : { docpath: path.docpath, status: 404, message: "This document is not in this workspace." },
    );
  }
  if (results.some(({ status }) => status === "removed")) await bumpIndexVersions(tx, [workspace.id]);
  return results;
}

async function enqueueAdds(app: App, tx: Tx, caller: AccountCaller, workspace: WorkspaceRow, adds: Named[]) {
  const results: EmbeddingResult[] = [];
  const pending: Planned["pending"] = [];
  await getOrganizationRow(tx, caller, workspace.organization_slug);
  for (const path of adds) {
    const document = await findDocumentRow(tx, workspace.organization_id, path);
    if (document === undefined) {
      results.push({
        docpath: path.docpath,
        status: 404,
        message: "There is no such document under this account.",
      });
    } else if (document.status === "failed") {
      results.push({
        docpath: path.docpath,
        status: 422,
        message: "This document could not be read; upload it again.",
      });
    } else {
      const member = await joinWorkspace(tx, document, workspace.id);
      pending.push({ docpath: path.docpath, jobId: await enqueueEmbedding(app, tx, member) });
    }
  }
  return { results, pending };
}
