import { z } from "zod";
import type { App } from "../context.ts";
import type { AccountCaller } from "../http/caller.ts";
import { notFound, Problem } from "../http/problem.ts";
import { ProviderError } from "../ports/provider-error.ts";
import type { Reranker } from "../ports/reranker.ts";
import { RetrievalError } from "../retrieval/retrieval-error.ts";
import type { SearchHit, WorkspaceDocument } from "../retrieval/search-types.ts";
import { findWorkspaceById, readWorkspaceRow, type WorkspaceRow } from "../workspaces/find.ts";
import { formatDocpath, parseDocpath } from "./docpath.ts";

const RERANK_CANDIDATES = 40;
const RERANK_TIMEOUT_MS = 5_000;

const metadataValue = z.union([z.string().max(2_000), z.number(), z.boolean(), z.null()]);

export const SearchFilter = z
  .strictObject({
    folders: z.array(z.string().max(255)).max(100).optional(),
    docpaths: z.array(z.string().max(1_000)).max(1_000).optional(),
    languages: z.array(z.string().max(10)).max(50).optional().meta({ description: "ISO 639-1." }),
    metadata: z.record(z.string().max(100), metadataValue).optional().meta({
      description:
        "Each named field (title, docAuthor, description, docSource, chunkSource, published, url) must be equal.",
    }),
  })
  .meta({ id: "SearchFilter" });

export const VectorSearch = z
  .strictObject({
    query: z.string().trim().min(1, "must not be empty").max(10_000),
    topN: z.int().min(1).max(50).optional().meta({ description: "The workspace's own when absent." }),
    scoreThreshold: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .meta({ description: "The workspace's own when absent." }),
    filter: SearchFilter.optional(),
  })
  .meta({ id: "VectorSearch" });
export type VectorSearch = z.output<typeof VectorSearch>;

const Passage = z
  .object({
    id: z.string(),
    text: z.string(),
    score: z
      .number()
      .meta({ description: "0 to 1, falls with relevance; absolute, so that 0.25 means the same anywhere." }),
    metadata: z.object({
      docpath: z.string(),
      document_id: z.string(),
      title: z.string(),
      page: z.int().nullable(),
      headings: z.array(z.string()),
      start: z
        .int()
        .meta({ description: "Where the passage begins in the document's text, in UTF-16 units." }),
      end: z.int(),
      tokens: z.int(),
      language: z.string().nullable(),
      url: z.string().nullable(),
      docAuthor: z.string().nullable(),
      description: z.string().nullable(),
      docSource: z.string().nullable(),
      chunkSource: z.string().nullable(),
      published: z.string().nullable(),
    }),
  })
  .meta({ id: "Passage" });
export type Passage = z.output<typeof Passage>;

export const SearchResults = z
  .object({
    results: z.array(Passage),
    mode: z.enum(["semantic", "lexical"]).meta({
      description: "`lexical`: no embedding model is configured; connect one for search by meaning.",
    }),
  })
  .meta({ id: "SearchResults" });

/** The passages of a workspace's documents that answer a question best, best first; none when none is good enough. */
export async function searchWorkspace(app: App, caller: AccountCaller, slug: string, search: VectorSearch) {
  const workspace = await readWorkspaceRow(app, caller, slug);
  for (const [index, docpath] of (search.filter?.docpaths ?? []).entries())
    parseDocpath(workspace.organization_slug, docpath, `body.filter.docpaths.${index}`);
  const results = await findPassages(app, workspace, search);
  app.usage.add(
    {
      partnerId: workspace.partner_id,
      accountId: workspace.account_id,
      organizationId: workspace.organization_id,
      workspaceId: workspace.id,
    },
    { searches: 1 },
  );
  return {
    results,
    mode: app.embedding === null ? ("lexical" as const) : ("semantic" as const),
  };
}

/** For every channel that asks. The workspace row must have been read by this request: it carries the index version. */
export async function findPassages(
  app: App,
  workspace: WorkspaceRow,
  search: VectorSearch,
): Promise<Passage[]> {
  return findPassagesAsOf(app, workspace, search).catch(async (error: unknown) => {
    // A document was removed while its passage was being read: ask again, as of now.
    if (!(error instanceof RetrievalError) || error.code !== "segment_missing") throw error;
    return findPassagesAsOf(app, await readAgain(app, workspace), search);
  });
}

async function readAgain(
  app: App,
  { partner_id: partnerId, account_id: accountId, id }: WorkspaceRow,
): Promise<WorkspaceRow> {
  const row = await app.db.asTenant({ partnerId, accountId, workspaceId: id }, (tx) =>
    findWorkspaceById(tx, id),
  );
  if (row === undefined) throw notFound("workspace");
  return row;
}

async function findPassagesAsOf(app: App, workspace: WorkspaceRow, search: VectorSearch): Promise<Passage[]> {
  try {
    const queryVector =
      app.embedding === null
        ? null
        : { model: app.embedding.id, values: await app.embedding.embedQuery(search.query) };
    const topN = search.topN ?? workspace.top_n;
    const reranker = workspace.vector_search_mode === "rerank" ? app.reranker : null;
    const { hits, unavailable } = await app.search.search({
      workspaceKey: workspaceKey(workspace),
      indexVersion: workspace.index_version,
      question: search.query,
      queryVector,
      topN: reranker === null ? topN : Math.max(RERANK_CANDIDATES, topN),
      threshold: search.scoreThreshold ?? workspace.similarity_threshold,
      ...(search.filter === undefined ? {} : { filter: search.filter }),
    });
    if (unavailable.length > 0) {
      app.log.error({ workspaceId: workspace.id, unavailable }, "segments could not be searched");
    }
    const passages = hits.map(toPassage);
    return reranker === null ? passages : await rerank(app, reranker, search.query, passages, topN);
  } catch (error) {
    if (error instanceof ProviderError) {
      throw new Problem("provider_failed", "The embedding provider failed. Try again.", { cause: error });
    }
    if (error instanceof RetrievalError && error.retryable) {
      throw new Problem("overloaded", "The search was interrupted. Try again.", {
        headers: { "retry-after": "1" },
        cause: error,
      });
    }
    throw error;
  }
}

/** A reranker that fails costs quality, not the answer. */
async function rerank(
  app: App,
  reranker: Reranker,
  query: string,
  passages: Passage[],
  topN: number,
): Promise<Passage[]> {
  try {
    const texts = passages.map(({ text }) => text);
    const ranked = await reranker.rerank(query, texts, {
      topN,
      signal: AbortSignal.timeout(RERANK_TIMEOUT_MS),
    });
    return ranked.flatMap(({ index, score }) => {
      const passage = passages[index];
      return passage === undefined ? [] : [{ ...passage, score }];
    });
  } catch (error) {
    app.log.warn({ error }, "the reranker failed; passages keep the order of the search");
    return passages.slice(0, topN);
  }
}

/** What the search engine asks for when it has not got a workspace's newest version. */
export async function loadWorkspaceDocuments(app: App, key: string) {
  const { partnerId, accountId, workspaceId } = parseWorkspaceKey(key);
  return app.db.asTenant({ partnerId, accountId, workspaceId }, async (tx) => {
    const workspace = await findWorkspaceById(tx, workspaceId);
    const rows = await tx
      .selectFrom("workspace_documents")
      .innerJoin("documents", "documents.id", "workspace_documents.document_id")
      .innerJoin("segments", "segments.id", "workspace_documents.segment_id")
      .innerJoin("contents", "contents.id", "segments.content_id")
      .select(["documents.id", "documents.folder", "documents.name", "documents.title", "documents.metadata"])
      .select(["contents.language", "segments.file_key"])
      .where("workspace_documents.workspace_id", "=", workspaceId)
      .execute();
    const documents = rows.map(
      (row): WorkspaceDocument => ({
        documentId: row.id,
        folder: row.folder,
        docpath: formatDocpath(workspace?.organization_slug ?? "", row),
        language: row.language,
        metadata: { ...Object(row.metadata), title: row.title },
        segmentKey: row.file_key,
      }),
    );
    return { indexVersion: workspace?.index_version ?? 0, documents };
  });
}

function workspaceKey(workspace: WorkspaceRow): string {
  return `${workspace.partner_id} ${workspace.account_id} ${workspace.id}`;
}

function parseWorkspaceKey(key: string) {
  const [partnerId = "", accountId = "", workspaceId = ""] = key.split(" ");
  return { partnerId, accountId, workspaceId: Number(workspaceId) };
}

function toPassage(hit: SearchHit): Passage {
  const { title, ...described } = describe(hit.metadata);
  return {
    id: `${hit.documentId}:${hit.chunk}`,
    text: hit.text,
    score: hit.score,
    metadata: {
      docpath: hit.docpath,
      document_id: hit.documentId,
      title: title ?? "",
      page: hit.page,
      headings: hit.headings,
      start: hit.start,
      end: hit.end,
      tokens: hit.tokens,
      language: hit.language,
      ...described,
    },
  };
}

/** What a document's stored metadata says in a passage. */
export function describe(metadata: Readonly<Record<string, unknown>>) {
  const text = (name: string): string | null => {
    const value = metadata[name];
    return typeof value === "string" ? value : null;
  };
  return {
    title: text("title"),
    url: text("url"),
    docAuthor: text("docAuthor"),
    description: text("description"),
    docSource: text("docSource"),
    chunkSource: text("chunkSource"),
    published: text("published"),
  };
}
