import { type SniffedContent, sniffContent } from "./file-signature.ts";
import { ParseFailure } from "./parse/parse-failure.ts";

/** The reader a file goes to. */
export type FileFormat =
  | "pdf"
  | "docx"
  | "spreadsheet"
  | "pptx"
  | "opendocument"
  | "rtf"
  | "epub"
  | "html"
  | "markdown"
  | "text"
  | "csv"
  | "json"
  | "email"
  | "image"
  | "audio";

export interface FileType {
  format: FileFormat;
  mime: string;
  /** With the dot, lower case; the first is the usual one. */
  extensions: readonly string[];
  /** What the first bytes must look like. */
  content: readonly SniffedContent[];
}

/** Everything that can be uploaded: the one table behind the check, the parser and the list the API publishes. */
export const ACCEPTED_FILE_TYPES: readonly FileType[] = [
  type("pdf", "application/pdf", ".pdf", ["pdf"]),
  type("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".docx", [
    "zip",
    "zip-word",
  ]),
  type("docx", "application/vnd.ms-word.document.macroenabled.12", ".docm", ["zip", "zip-word"]),
  type("spreadsheet", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx", [
    "zip",
    "zip-excel",
  ]),
  type("spreadsheet", "application/vnd.ms-excel.sheet.macroenabled.12", ".xlsm", ["zip", "zip-excel"]),
  type("spreadsheet", "application/vnd.ms-excel", ".xls", ["ole"]),
  type("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation", ".pptx", [
    "zip",
    "zip-powerpoint",
  ]),
  type("pptx", "application/vnd.openxmlformats-officedocument.presentationml.slideshow", ".ppsx", [
    "zip",
    "zip-powerpoint",
  ]),
  type("opendocument", "application/vnd.oasis.opendocument.text", ".odt", ["zip", "zip-odt"]),
  type("opendocument", "application/vnd.oasis.opendocument.spreadsheet", ".ods", ["zip", "zip-ods"]),
  type("opendocument", "application/vnd.oasis.opendocument.presentation", ".odp", ["zip", "zip-odp"]),
  type("rtf", "application/rtf", ".rtf", ["rtf"]),
  type("epub", "application/epub+zip", ".epub", ["zip", "zip-epub"]),
  type("html", "text/html", ".html .htm .xhtml", ["text", "xml"]),
  type("markdown", "text/markdown", ".md .markdown .mdx", ["text", "xml"]),
  type("text", "text/plain", ".txt .text .log .org .adoc .asciidoc .rst .tex .srt .vtt", ["text", "xml"]),
  type("text", "application/xml", ".xml", ["text", "xml"]),
  type("text", "application/yaml", ".yaml .yml", ["text"]),
  type("text", "text/x-source", ".ini .toml .sql .py .js .ts .java .c .h .cpp .go .rs .rb .php .sh .css", [
    "text",
    "xml",
  ]),
  type("csv", "text/csv", ".csv", ["text"]),
  type("csv", "text/tab-separated-values", ".tsv .tab", ["text"]),
  type("json", "application/json", ".json", ["text"]),
  type("json", "application/x-ndjson", ".jsonl .ndjson", ["text"]),
  type("email", "message/rfc822", ".eml", ["text"]),
  type("email", "application/mbox", ".mbox", ["text"]),
  type("image", "image/png", ".png", ["png"]),
  type("image", "image/jpeg", ".jpg .jpeg", ["jpeg"]),
  type("image", "image/webp", ".webp", ["webp"]),
  type("image", "image/bmp", ".bmp", ["bmp"]),
  type("audio", "audio/mpeg", ".mp3 .mpga", ["audio"]),
  type("audio", "audio/wav", ".wav", ["audio"]),
  type("audio", "audio/ogg", ".ogg .oga .opus", ["audio"]),
  type("audio", "audio/mp4", ".m4a", ["audio"]),
  type("audio", "audio/flac", ".flac", ["audio"]),
  type("audio", "video/mp4", ".mp4", ["audio"]),
  type("audio", "video/mpeg", ".mpeg .mpg", ["audio"]),
  type("audio", "video/webm", ".webm", ["audio"]),
];

/** How many first bytes `checkFileType` wants to see. Fewer are enough when the file is shorter. */
export const FILE_HEAD_BYTES = 4100;

/** MIME type → extensions, the shape the API publishes. */
export function listAcceptedFileTypes(): Record<string, string[]> {
  return Object.fromEntries(ACCEPTED_FILE_TYPES.map((entry) => [entry.mime, [...entry.extensions]]));
}

/** The type a name claims, or, when the name has no known extension, the type the sender's MIME type claims. */
export function findFileType(fileName: string, mime: string | null = null): FileType | undefined {
  const name = fileName.toLowerCase();
  const byName = ACCEPTED_FILE_TYPES.find((entry) =>
    entry.extensions.some((extension) => name.endsWith(extension)),
  );
  if (byName || hasEnding(name)) return byName;
  const essence = mime?.split(";")[0]?.trim().toLowerCase();
  return ACCEPTED_FILE_TYPES.find((entry) => entry.mime === essence);
}

/**
 * Says what a file is, from its name and its first bytes together (`FILE_HEAD_BYTES` of them, or all there are).
 *
 * @throws ParseFailure `unsupported_type`, `empty`, `encrypted`, or `type_mismatch` when the content is not what
 *   the name says.
 */
export function checkFileType(file: { fileName: string; mime?: string | null; head: Uint8Array }): FileType {
  const found = sniffContent(file.head);
  const claimed = findFileType(file.fileName, file.mime) ?? findUnnamedType(file.fileName, found);
  if (!claimed) throw unsupported(file.fileName);
  if (file.head.length === 0) throw new ParseFailure("empty", "The file is empty: it has no bytes at all.");
  if (claimed.content.includes(found)) return claimed;
  throw mismatch(claimed, found);
}

/** Nothing says what it is, as with a `README`: its content does, where only one kind of file looks like that. */
function findUnnamedType(fileName: string, found: SniffedContent): FileType | undefined {
  if (hasEnding(fileName) || found === "zip") return undefined;
  if (found === "text") return findFileType("unnamed.txt");
  return ACCEPTED_FILE_TYPES.find(({ content }) => content.includes(found));
}

function hasEnding(fileName: string): boolean {
  return /\.[a-z0-9]{1,8}$/i.test(fileName);
}

function type(format: FileFormat, mime: string, extensions: string, content: SniffedContent[]): FileType {
  return { format, mime, extensions: extensions.split(" "), content };
}

function unsupported(fileName: string): ParseFailure {
  const extension = /\.[^.\s]{1,12}$/.exec(fileName)?.[0].toLowerCase();
  const instead = extension && SAVE_AS[extension];
  const what = extension ? `Files ending in ${extension}` : "Files without a known ending";
  return new ParseFailure(
    "unsupported_type",
    `${what} are not supported. ${instead ?? "See the list of accepted file types."}`,
  );
}

const SAVE_AS: Record<string, string> = {
  ".doc": "Save the file as .docx or PDF and send it again.",
  ".ppt": "Save the file as .pptx or PDF and send it again.",
  ".pages": "Export the file as .docx or PDF and send it again.",
  ".numbers": "Export the file as .xlsx or CSV and send it again.",
  ".key": "Export the file as .pptx or PDF and send it again.",
  ".msg": "Save the message as .eml and send it again.",
  ".zip": "Unpack the archive and send its files one by one.",
};

function mismatch(claimed: FileType, found: SniffedContent): ParseFailure {
  const extension = claimed.extensions[0] ?? claimed.mime;
  if (found === "ole" && claimed.content.includes("zip"))
    return new ParseFailure(
      "encrypted",
      `The ${extension} file is protected by a password, or was saved in the old format before 2007. Save it without a password in the current format and send it again.`,
    );
  return new ParseFailure(
    "type_mismatch",
    `The file is named ${extension}, but its content is ${CONTENT_NAMES[found]}. Rename it to what it is, or export it again.`,
  );
}

const CONTENT_NAMES: Record<SniffedContent, string> = {
  pdf: "a PDF",
  zip: "a zip archive",
  "zip-word": "a Word document",
  "zip-excel": "an Excel workbook",
  "zip-powerpoint": "a PowerPoint presentation",
  "zip-odt": "an OpenDocument text",
  "zip-ods": "an OpenDocument spreadsheet",
  "zip-odp": "an OpenDocument presentation",
  "zip-epub": "an EPUB book",
  ole: "an old Microsoft Office file or one protected by a password",
  rtf: "an RTF document",
  png: "a PNG image",
  jpeg: "a JPEG image",
  webp: "a WebP image",
  bmp: "a BMP image",
  image: "an image of another kind",
  audio: "audio or video",
  archive: "a compressed archive",
  program: "a program",
  xml: "XML or HTML",
  text: "plain text",
  binary: "binary data that is not text",
};
