import { type Selectable, sql } from "kysely";
import type { Tx } from "../db/database.ts";
import { asJobError } from "../jobs/queue.ts";
import { type Docpath, formatDocpath } from "./docpath.ts";
import type { Document } from "./documents.schemas.ts";
import type { DocumentTables } from "./documents.tables.ts";

export type DocumentRow = Selectable<DocumentTables["documents"]>;

/** A document with what was read from its content, and where it is used. */
export type DocumentView = DocumentRow & {
  mime: string | null;
  size_bytes: number | null;
  pages: number | null;
  language: string | null;
  words: number | null;
  tokens: number | null;
  workspaces: string[];
};

export async function findDocumentById(tx: Tx, id: string): Promise<DocumentRow | undefined> {
  return tx.selectFrom("documents").selectAll().where("id", "=", id).executeTakeFirst();
}

/** The document at a docpath of this organization. */
export async function findDocumentRow(
  tx: Tx,
  organizationId: number,
  { folder, name }: Docpath,
): Promise<DocumentRow | undefined> {
  return tx
    .selectFrom("documents")
    .selectAll()
    .where("organization_id", "=", organizationId)
    .where("folder", "=", folder)
    .where("name", "=", name)
    .executeTakeFirst();
}

export function selectDocumentViews(db: Tx) {
  return db
    .selectFrom("documents")
    .leftJoin("contents", (join) =>
      join.on(sql<boolean>`contents.id = coalesce(documents.content_id, documents.next_content_id)`),
    )
    .selectAll("documents")
    .select([
      "contents.mime",
      "contents.size_bytes",
      "contents.pages",
      "contents.language",
      "contents.words",
      "contents.tokens",
      sql<string[]>`array(select workspaces.slug from workspace_documents
        join workspaces on workspaces.id = workspace_documents.workspace_id
        where workspace_documents.document_id = documents.id and workspaces.erasing_at is null
        order by workspaces.id)`.as("workspaces"),
    ]);
}

export function toDocument(orgSlug: string, row: DocumentView): Document {
  const metadata: Record<string, string | undefined> = { ...Object(row.metadata) };
  const docpath = formatDocpath(orgSlug, row);
  return {
    id: row.id,
    docpath,
    location: docpath,
    name: row.name,
    title: row.title,
    url: metadata.url ?? null,
    docAuthor: metadata.docAuthor ?? null,
    description: metadata.description ?? null,
    docSource: metadata.docSource ?? null,
    chunkSource: metadata.chunkSource ?? null,
    published: metadata.published ?? null,
    type: row.mime,
    bytes: row.size_bytes,
    pages: row.pages,
    language: row.language,
    wordCount: row.words,
    token_count_estimate: row.tokens,
    status: row.status,
    error: row.error === null ? null : asJobError(row.error),
    external_id: row.external_id,
    workspaces: row.workspaces,
    created_at: row.created_at.toISOString(),
  };
}
