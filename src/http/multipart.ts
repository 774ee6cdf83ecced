import { createHash } from "node:crypto";
import { type FileHandle, mkdir, open, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { MultipartFile } from "@fastify/multipart";
import type { FastifyRequest } from "fastify";
import { Problem } from "./problem.ts";

/** A received file, not looked into yet: a small one in memory, others on local disk. Whoever gets it discards it. */
export interface StagedFile {
  held: { bytes: Buffer } | { path: string };
  /** As the sender named it, without any folder. For people and for its ending; never a path. */
  fileName: string;
  mime: string;
  sizeBytes: number;
  sha256: string;
  /** Its first bytes, up to 4,100. */
  head: Uint8Array;
}

export interface Multipart {
  fields: Record<string, string>;
  file: StagedFile;
}

const HEAD_BYTES = 4_100;
/** The most of a file that is held in memory: most texts that partners send are smaller. */
const MEMORY_BYTES = 65_536;
const FILE_NAME_MAX = 255;

/** Reads a form of text fields and exactly one file named `file`, which streams to disk unless it is small. */
export async function readMultipart(
  request: FastifyRequest,
  { folder, maxBytes, newId }: { folder: string; maxBytes: number; newId: () => string },
): Promise<Multipart> {
  const fields: Record<string, string> = {};
  let file: StagedFile | undefined;
  try {
    for await (const part of request.parts({
      limits: { fileSize: maxBytes, files: 2, fields: 20, fieldSize: 65_536 },
    })) {
      if (part.type === "field") {
        if (Object.hasOwn(fields, part.fieldname)) throw wrong(part.fieldname, "is there twice");
        // A part that calls itself JSON has been parsed already.
        fields[part.fieldname] = typeof part.value === "string" ? part.value : JSON.stringify(part.value);
      } else {
        if (part.fieldname !== "file" || file !== undefined) {
          part.file.resume();
          throw wrong(part.fieldname, 'is not expected: send one file, in the field "file"');
        }
        file = await stage(part, folder, newId(), maxBytes);
      }
    }
  } catch (error) {
    if (file !== undefined) await discard(file);
    throw isMalformed(error) ? wrong(null, "is a form that is malformed or ends too early") : error;
  }
  if (file === undefined) throw wrong("file", "is missing");
  return { fields, file };
}

/** The form's reader tells these apart by their text only. */
function isMalformed(error: unknown): boolean {
  return (
    error instanceof Error &&
    /^(Unexpected end of|Malformed|Part terminated early|Multipart: )|multipart data$/.test(error.message)
  );
}

async function stage(part: MultipartFile, folder: string, id: string, maxBytes: number): Promise<StagedFile> {
  const received = await receive(part.file, join(folder, id));
  const file = { ...received, fileName: cleanFileName(part.filename ?? ""), mime: part.mimetype };
  if (!part.file.truncated) return file;
  await discard(file);
  throw tooLarge(maxBytes);
}

/** Takes a body in: into memory while it is small, to `path` (whose folder is made) when it turns out not to be. */
export async function receive(
  body: AsyncIterable<Buffer>,
  path: string,
): Promise<Pick<StagedFile, "held" | "sizeBytes" | "sha256" | "head">> {
  const hash = createHash("sha256");
  const heads: Buffer[] = [];
  let waiting: Buffer[] = [];
  let sizeBytes = 0;
  let handle: FileHandle | undefined;
  try {
    for await (const chunk of body) {
      if (sizeBytes < HEAD_BYTES) heads.push(chunk.subarray(0, HEAD_BYTES - sizeBytes));
      sizeBytes += chunk.length;
      hash.update(chunk);
      waiting.push(chunk);
      if (handle === undefined && sizeBytes <= MEMORY_BYTES) continue;
      handle ??= await openNew(path);
      await handle.appendFile(waiting.length === 1 ? chunk : Buffer.concat(waiting));
      waiting = [];
    }
  } catch (error) {
    if (handle !== undefined) await rm(path, { force: true });
    throw error;
  } finally {
    await handle?.close();
  }
  return {
    held: handle === undefined ? { bytes: Buffer.concat(waiting) } : { path },
    sizeBytes,
    sha256: hash.digest("hex"),
    head: Buffer.concat(heads),
  };
}

async function openNew(path: string): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  return open(path, "wx", 0o600);
}

/** Removes what {@link receive} left on disk. */
export async function discard({ held }: StagedFile): Promise<void> {
  if ("path" in held) await rm(held.path, { force: true });
}

/** A stranger's name for a file, without folders and control characters, never empty. Its ending is kept. */
export function cleanFileName(given: string): string {
  const name = basename(given.replaceAll("\\", "/"))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it removes
    .replace(/[\u0000-\u001f\u007f]/g, "")
    .normalize("NFC")
    .slice(-FILE_NAME_MAX)
    .toWellFormed();
  return name === "" ? "document" : name;
}

export function tooLarge(maxBytes: number): Problem {
  return new Problem(
    "payload_too_large",
    `The file is larger than ${Math.floor(maxBytes / 1024 / 1024)} MB.`,
  );
}

/** The parser's own complaints, which have no code: a form without a boundary, or one that ends too early. */
function wrong(field: string | null, message: string): Problem {
  const path = field === null ? "body" : `body.${field}`;
  return new Problem("invalid_request", `${path}: ${message}.`, { details: [{ path, message }] });
}
