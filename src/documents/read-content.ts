import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Selectable } from "kysely";
import type { App } from "../context.ts";
import type { Tenant } from "../db/database.ts";
import type { StagedFile } from "../http/multipart.ts";
import type { Transcriber } from "../ports/transcriber.ts";
import { estimateTokens } from "./chunk-tokens.ts";
import type { DocumentTables } from "./documents.tables.ts";
import { countWords } from "./parse/clean-text.ts";
import { ParseFailure } from "./parse/parse-failure.ts";
import type { ParsedDocument } from "./parse/parsed-document.ts";
import type { Progress } from "./parse/reader.ts";

export type ContentRow = Selectable<DocumentTables["contents"]>;

/** A content that has been read: its text lies in the file store under `parsed_key`. */
export type ReadContent = ContentRow & { parsed_key: string };

const compress = promisify(gzip);
const TOKEN_SAMPLE_CHARS = 20_000;

/**
 * Reads a content unless it has been read before, here or by another document with the same bytes.
 *
 * @throws ParseFailure when the file cannot be read, ProviderError when the file store fails
 */
export async function readContent(
  app: App,
  tenant: Tenant,
  content: ContentRow,
  fileName: string,
  signal: AbortSignal,
  onProgress: (progress: Progress) => void,
): Promise<ReadContent> {
  if (content.parsed_key !== null) return { ...content, parsed_key: content.parsed_key };
  const path = await fetchOriginal(app, content, signal);
  try {
    const parsed =
      content.format === "audio" && app.transcriber !== null
        ? await transcribe(app.transcriber, content, path, fileName, signal)
        : await app.parser.parseDocument({
            path,
            fileName,
            mime: content.mime,
            lane: content.organization_id,
            signal,
            onProgress,
          });
    const language = await app.segmentBuilder.detectLanguage(parsed.text, signal);
    const parsedKey = `parsed/${content.organization_id}/${app.newId()}`;
    await app.files.put(parsedKey, Readable.from([await compress(JSON.stringify(parsed))]), { signal });
    const facts = {
      parsed_key: parsedKey,
      parsed_title: parsed.title,
      pages: parsed.pageCount,
      language,
      words: parsed.wordCount,
      tokens: estimateLongText(parsed.text),
    };
    return await keepFirst(app, tenant, content, facts);
  } finally {
    await rm(path, { force: true });
  }
}

/** What was said, as a document of paragraphs. */
async function transcribe(
  transcriber: Transcriber,
  content: ContentRow,
  path: string,
  fileName: string,
  signal: AbortSignal,
): Promise<ParsedDocument> {
  const audio = {
    body: createReadStream(path),
    sizeBytes: content.size_bytes,
    fileName,
    contentType: content.mime,
  };
  const { text } = await transcriber.transcribe(audio, { signal });
  if (text.trim() === "") throw new ParseFailure("empty", "No speech was recognised in this recording.");
  return {
    text,
    title: null,
    pages: [],
    sections: [],
    blocks: [],
    wordCount: countWords(text),
    pageCount: null,
    warnings: [],
  };
}

/** Two may have read the same content at once: the first to say so wins, the other's file goes. */
async function keepFirst(
  app: App,
  tenant: Tenant,
  content: ContentRow,
  facts: Partial<ContentRow> & { parsed_key: string },
): Promise<ReadContent> {
  const row = await app.db.asTenant(
    tenant,
    async (tx) => {
      const written = await tx
        .updateTable("contents")
        .set(facts)
        .where("id", "=", content.id)
        .where("parsed_key", "is", null)
        .returningAll()
        .executeTakeFirst();
      return (
        written ??
        (await tx.selectFrom("contents").selectAll().where("id", "=", content.id).executeTakeFirst())
      );
    },
    "background",
  );
  if (row?.parsed_key !== facts.parsed_key) await app.files.delete(facts.parsed_key);
  if (row === undefined || row.parsed_key === null)
    throw new Error("the content was removed while it was being read");
  return { ...row, parsed_key: row.parsed_key };
}

/** The parser reads files, and the store may be elsewhere. */
async function fetchOriginal(app: App, content: ContentRow, signal: AbortSignal): Promise<string> {
  await mkdir(app.stagingDir, { recursive: true, mode: 0o700 });
  const path = join(app.stagingDir, app.newId());
  const { body } = await app.files.get(content.original_key, { signal });
  await pipeline(body, createWriteStream(path, { mode: 0o600 }));
  return path;
}

/** Stores a received file under a key of its own, and says which. */
export async function storeOriginal(app: App, organizationId: number, { held }: StagedFile): Promise<string> {
  const key = `originals/${organizationId}/${app.newId()}`;
  await app.files.put(key, "bytes" in held ? Readable.from([held.bytes]) : createReadStream(held.path));
  return key;
}

/** Counting a long text whole would hold up every request: its beginning tells the rate. */
function estimateLongText(text: string): number {
  if (text.length <= TOKEN_SAMPLE_CHARS) return estimateTokens(text);
  return Math.round((estimateTokens(text.slice(0, TOKEN_SAMPLE_CHARS)) / TOKEN_SAMPLE_CHARS) * text.length);
}
