import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { Selectable } from "kysely";
import type { App } from "../context.ts";
import type { Tenant } from "../db/database.ts";
import { SEGMENT_VERSION, type SegmentInput } from "../retrieval/segment.ts";
import { CHUNKER_VERSION } from "./chunk.ts";
import type { DocumentTables } from "./documents.tables.ts";
import { type Passages, segmentInput, tokensOf } from "./passages.ts";
import type { ReadContent } from "./read-content.ts";
import { deleteFiles } from "./remove.ts";
import { SMALL_BYTES } from "./small-texts.ts";

export type SegmentRow = Selectable<DocumentTables["segments"]>;

/** Names everything that a segment made now depends on, besides its content and title. */
export function segmentMaker(app: App): string {
  return `chunker ${CHUNKER_VERSION}, segment ${SEGMENT_VERSION}, ${app.embedding?.id ?? "lexical"}`;
}

/**
 * The segment of a content under a title: the one that exists, or a new one. A document that goes into a second
 * workspace, or comes a second time, costs no call to the embedding provider.
 *
 * @throws ProviderError when the embedding provider fails
 */
export async function ensureSegment(
  app: App,
  tenant: Tenant,
  content: ReadContent,
  title: string,
  signal: AbortSignal,
  onProgress: (done: number, total: number) => void,
): Promise<SegmentRow> {
  const maker = segmentMaker(app);
  const recipe = segmentRecipe(app, content.id, title);
  const known = await findSegment(app, tenant, content.organization_id, recipe);
  if (known !== undefined) return known;

  const parsed = await app.files.read(content.parsed_key, { signal });
  const isSmall = parsed.byteLength <= SMALL_BYTES;
  const passages = isSmall
    ? await app.smallTexts.cut(parsed, title, signal)
    : await app.chunker.chunk(parsed, title, signal);
  const vectors = await embedPassages(app, passages, signal, onProgress);
  const input = segmentInput(passages, title, content.language, vectors);
  const bytes = await (isSmall ? app.smallTexts : app.segmentBuilder).build(input, signal);
  const id = app.newId();
  const fileKey = `segments/${content.organization_id}/${id}`;
  await app.files.put(fileKey, Readable.from([bytes]), { signal });
  return keepFirst(app, tenant, {
    partner_id: content.partner_id,
    account_id: content.account_id,
    organization_id: content.organization_id,
    id,
    content_id: content.id,
    recipe,
    maker,
    file_key: fileKey,
    size_bytes: bytes.byteLength,
    chunks: passages.chunks.length,
    tokens: tokensOf(passages),
  });
}

/** Null without an embedding model. @throws ProviderError */
export async function embedPassages(
  app: App,
  { contextual }: Passages,
  signal: AbortSignal,
  onProgress: (done: number, total: number) => void,
): Promise<SegmentInput["vectors"]> {
  if (app.embedding === null) return null;
  const values = await app.embedding.embedDocuments(contextual, signal, onProgress);
  return { model: app.embedding.id, values };
}

/** Names the segment of a content under a title, made as one would be made now. */
export function segmentRecipe(app: App, contentId: string, title: string): string {
  return createHash("sha256")
    .update(JSON.stringify([contentId, title, segmentMaker(app)]))
    .digest("hex");
}

async function keepFirst(
  app: App,
  tenant: Tenant,
  made: Omit<SegmentRow, "created_at">,
): Promise<SegmentRow> {
  const row = await app.db
    .asTenant(
      tenant,
      (tx) =>
        tx
          .insertInto("segments")
          .values(made)
          .onConflict((conflict) => conflict.columns(["organization_id", "recipe"]).doNothing())
          .returningAll()
          .executeTakeFirst(),
      "background",
    )
    .catch(async (error: unknown) => {
      // Most often the document was removed meanwhile: nothing of it may stay in the store.
      await deleteFiles(app, [made.file_key]);
      throw error;
    });
  if (row !== undefined) return row;
  await app.files.delete(made.file_key);
  const first = await findSegment(app, tenant, made.organization_id, made.recipe);
  if (first === undefined) throw new Error("a segment vanished while it was being made a second time");
  return first;
}

async function findSegment(
  app: App,
  tenant: Tenant,
  organizationId: number,
  recipe: string,
): Promise<SegmentRow | undefined> {
  const [row] = await app.db.readAsTenant<SegmentRow>(tenant, (db) =>
    db
      .selectFrom("segments")
      .selectAll()
      .where("organization_id", "=", organizationId)
      .where("recipe", "=", recipe),
  );
  return row;
}
