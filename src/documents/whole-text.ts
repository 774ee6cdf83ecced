import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { fixedQuery } from "../db/fixed-query.ts";
import { ProviderError } from "../ports/provider-error.ts";
import { createRecentCache, type RecentCache } from "../retrieval/recent-cache.ts";
import type { WorkspaceRow } from "../workspaces/find.ts";
import { chunkDocument } from "./chunk.ts";
import { formatDocpath } from "./docpath.ts";
import type { ParsedDocument } from "./parse/parsed-document.ts";
import { describe, type Passage } from "./search.ts";

/** Estimated tokens above which a workspace is searched and never read whole. */
export const WHOLE_TOKENS_MAX = 6_000;
/** Very many tiny documents are a large workspace, too. */
const DOCUMENTS_MAX = 200;
/** Texts of so many workspaces stay in memory: at most some 20 MB. */
const WORKSPACES_CACHED = 500;
const READ_TIMEOUT_MS = 5_000;

/** A passage as it was cut for the search; nothing was searched for, so it has no score. */
export type WholePassage = Omit<Passage, "score"> & { score: null };

/** All that is embedded in a small workspace, in the order of its documents. */
export interface WholeText {
  passages: readonly WholePassage[];
  /** Estimated. */
  tokens: number;
}

type Cache = RecentCache<WholeText | "too large">;
const caches = new WeakMap<App["db"], Cache>();

/**
 * The whole text of a workspace, or `null` where it is too large. The same object as long as the workspace's documents
 * stay the same: only a change makes it read anything.
 */
export async function readWholeText(app: App, workspace: WorkspaceRow): Promise<WholeText | null> {
  const cache = cacheOf(app);
  const key = `${workspace.id} ${workspace.index_version}`;
  const known = cache.get(key);
  if (known !== undefined) return known === "too large" ? null : known;
  const rows = await readRows(app, workspace);
  const tokens = rows.reduce((sum, row) => sum + row.tokens, 0);
  if (tokens > WHOLE_TOKENS_MAX || rows.length > DOCUMENTS_MAX) {
    cache.set(key, "too large");
    return null;
  }
  const whole = await readAll(app, workspace, rows);
  if (whole !== null) cache.set(key, whole);
  return whole;
}

function cacheOf(app: App): Cache {
  const known = caches.get(app.db);
  if (known !== undefined) return known;
  const made: Cache = createRecentCache(WORKSPACES_CACHED);
  caches.set(app.db, made);
  return made;
}

function tenantOf(workspace: WorkspaceRow) {
  return {
    partnerId: workspace.partner_id,
    accountId: workspace.account_id,
    workspaceId: workspace.id,
  };
}

const embedded = fixedQuery((db: Tx, workspaceId: number) =>
  db
    .selectFrom("workspace_documents")
    .innerJoin("documents", "documents.id", "workspace_documents.document_id")
    .innerJoin("segments", "segments.id", "workspace_documents.segment_id")
    .innerJoin("contents", "contents.id", "segments.content_id")
    .select(["documents.id", "documents.folder", "documents.name", "documents.title", "documents.metadata"])
    .select(["contents.parsed_key", "contents.language", "segments.tokens"])
    .where("workspace_documents.workspace_id", "=", workspaceId)
    .orderBy("documents.id")
    .limit(DOCUMENTS_MAX + 1),
);
type EmbeddedRow = Awaited<ReturnType<typeof readRows>>[number];

function readRows(app: App, workspace: WorkspaceRow) {
  return app.db.readAsTenant(tenantOf(workspace), (db) => embedded(db, workspace.id));
}

async function readAll(
  app: App,
  workspace: WorkspaceRow,
  rows: readonly EmbeddedRow[],
): Promise<WholeText | null> {
  try {
    const documents = await Promise.all(rows.map((row) => readDocument(app, workspace, row)));
    const passages = documents.flat();
    return { passages, tokens: passages.reduce((sum, { metadata }) => sum + metadata.tokens, 0) };
  } catch (error) {
    // Most often a document was removed while it was being read. The search finds what is there now.
    if (!(error instanceof ProviderError && error.code === "not_found"))
      app.log.warn({ error, workspaceId: workspace.id }, "a small workspace could not be read whole");
    return null;
  }
}

const unzip = promisify(gunzip);

/** What `read-content.ts` has stored. */
function parseStored(bytes: Uint8Array): ParsedDocument {
  return JSON.parse(Buffer.from(bytes).toString("utf8"));
}

async function readDocument(app: App, workspace: WorkspaceRow, row: EmbeddedRow): Promise<WholePassage[]> {
  if (row.parsed_key === null) return [];
  const signal = AbortSignal.timeout(READ_TIMEOUT_MS);
  const parsed = parseStored(await unzip(await app.files.read(row.parsed_key, { signal })));
  // In this thread: so little text takes a millisecond, and the thread for large ones may have to be started first.
  const chunks = chunkDocument(parsed);
  const described = describe({ ...Object(row.metadata), title: row.title });
  return chunks.map((chunk, index) => ({
    id: `${row.id}:${index}`,
    text: chunk.text,
    score: null,
    metadata: {
      docpath: formatDocpath(workspace.organization_slug, row),
      document_id: row.id,
      page: chunk.pageStart,
      headings: chunk.headingPath,
      start: chunk.start,
      end: chunk.end,
      tokens: chunk.tokens,
      language: row.language,
      ...described,
      title: row.title,
    },
  }));
}
