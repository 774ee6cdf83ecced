import { readFileSync, statSync } from "node:fs";
import type { FileFormat } from "../file-type.ts";
import { cleanText, countWords } from "./clean-text.ts";
import { decodeText } from "./decode-text.ts";
import { closeSections, tooMuchText } from "./document-builder.ts";
import type { ParseLimits } from "./limits.ts";
import { type MarkupFlavour, scanMarkup } from "./markup-blocks.ts";
import { ParseFailure } from "./parse-failure.ts";
import type { ParsedDocument } from "./parsed-document.ts";
import type { ReadContext } from "./reader.ts";

/** Reads Markdown and plain text as they are; only the structure is marked. */
export async function readText(context: ReadContext): Promise<ParsedDocument> {
  return readTextBytes(readBytes(context), context.fileName, context.type.format, context.limits);
}

/** The same of bytes that are in memory. @throws ParseFailure `too_much_text`, `type_mismatch` */
export function readTextBytes(
  bytes: Uint8Array,
  fileName: string,
  format: FileFormat,
  { maxTextChars }: Pick<ParseLimits, "maxTextChars">,
): ParsedDocument {
  const text = cleanText(decodeOrFail(bytes, null, maxTextChars)).trimEnd();
  const { blocks, headings, title } = scanMarkup(text, findFlavour(fileName, format));
  const sections = closeSections(headings, text.length);
  return {
    text,
    title,
    pages: [],
    sections,
    blocks,
    wordCount: countWords(text),
    pageCount: null,
    warnings: [],
  };
}

/** The clean text of a whole file. @throws ParseFailure `too_much_text`, `type_mismatch` */
export function readTextFile(context: ReadContext, declared: string | null = null): string {
  return cleanText(decodeOrFail(readBytes(context), declared, context.limits.maxTextChars));
}

/** The bytes of a file that is text: refused by size before they are read. @throws ParseFailure `too_much_text` */
export function readBytes(context: ReadContext): Buffer {
  // A character takes at most four bytes: beyond that it is too much in any encoding.
  if (statSync(context.path).size > context.limits.maxTextChars * 4)
    throw tooMuchText(context.limits.maxTextChars);
  return readFileSync(context.path);
}

/** @throws ParseFailure `type_mismatch`, `too_much_text` */
export function decodeOrFail(bytes: Uint8Array, declared: string | null, maxTextChars: number): string {
  const text = decodeText(bytes, declared);
  if (text === null)
    throw new ParseFailure(
      "type_mismatch",
      "The file is not text: it holds binary data. Rename it to what it is.",
    );
  if (text.length > maxTextChars) throw tooMuchText(maxTextChars);
  return text;
}

function findFlavour(fileName: string, format: FileFormat): MarkupFlavour {
  const name = fileName.toLowerCase();
  if (format === "markdown") return "markdown";
  if (name.endsWith(".org")) return "org";
  if (/\.(?:adoc|asciidoc)$/.test(name)) return "asciidoc";
  return "plain";
}
