import anyAscii from "any-ascii";
import { Problem } from "../http/problem.ts";

/** The folder that always exists and takes documents without one. */
export const DEFAULT_FOLDER = "custom-documents";

const SEGMENT_MAX_BYTES = 255;
const FILE_STEM_MAX = 120;

/** `{organization}/{folder}/{name}`: how bodies name a document. */
export interface Docpath {
  folder: string;
  name: string;
}

export function formatDocpath(orgSlug: string, { folder, name }: Docpath): string {
  return `${orgSlug}/${folder}/${name}`;
}

/**
 * Takes a docpath apart.
 *
 * @param path where it stands in the request, for the error
 * @throws Problem 400 when it is malformed or names another organization, whoever owns that one
 */
export function parseDocpath(orgSlug: string, docpath: string, path: string): Docpath {
  const [organization, folder, name, ...rest] = docpath.normalize("NFC").split("/");
  if (organization === undefined || folder === undefined || name === undefined || rest.length > 0) {
    throw invalid(path, "must be {organization}/{folder}/{file}");
  }
  if (organization !== orgSlug)
    throw invalid(path, `must begin with ${orgSlug}/: it names another organization`);
  return { folder: checkSegment(folder, path), name: checkSegment(name, path) };
}

/** A folder's or a file's name as it is stored: NFC, nothing that could lead elsewhere. */
export function checkSegment(text: string, path: string): string {
  const segment = text.normalize("NFC");
  const message = complaint(segment);
  if (message !== undefined) throw invalid(path, message);
  return segment;
}

/** `Preisliste 2026.pdf` → `preisliste-2026.pdf-<id>.json`: readable, and unique by the id. */
export function documentName(fileName: string, id: string): string {
  const stem = anyAscii(fileName)
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, "-")
    .replace(/^[-.]+|[-.]+$/g, "")
    .slice(0, FILE_STEM_MAX);
  return `${stem === "" ? "document" : stem}-${id}.json`;
}

function complaint(segment: string): string | undefined {
  if (segment === "" || segment === "." || segment === "..") return "must not be empty, . or ..";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it refuses
  if (/[/\\\u0000-\u001f\u007f]/.test(segment))
    return "must not contain slashes, backslashes or control characters";
  if (Buffer.byteLength(segment) > SEGMENT_MAX_BYTES)
    return `must not be longer than ${SEGMENT_MAX_BYTES} bytes`;
  return undefined;
}

function invalid(path: string, message: string): Problem {
  return new Problem("invalid_request", `${path}: ${message}.`, { details: [{ path, message }] });
}
