import { cleanLine, cleanText } from "./clean-text.ts";
import { createDocumentBuilder, type DocumentBuilder } from "./document-builder.ts";
import { openOcr } from "./ocr.ts";
import { ParseFailure } from "./parse-failure.ts";
import type { ParsedDocument } from "./parsed-document.ts";
import { findHeadings, type MeasuredPage } from "./pdf-headings.ts";
import { dropRunningLines, joinLines, splitPageLines } from "./pdf-text.ts";
import { type Bookmark, openPdf, type PdfFile, PdfOpenError, type PdfPage } from "./pdfium.ts";
import type { ReadContext } from "./reader.ts";

/** A page with fewer characters than this is a picture of text, or empty. */
const MIN_PAGE_CHARS = 20;
const OCR_DPI = 150;
const PROGRESS_EVERY_PAGES = 20;

/** Reads a PDF page by page; pages without text are recognised from their picture; bookmarks become headings. */
export async function readPdf(context: ReadContext): Promise<ParsedDocument> {
  const file = await open(context.path);
  checkPageCount(file.pageCount, context.limits.maxPages);
  const builder = createDocumentBuilder(context.limits);
  const outline = file.bookmarks();
  const measured = await readPages(file, context, builder, outline.length === 0);
  const pages = dropRunningLines(measured.map((page) => page.lines));
  const headings = pages.map((lines, index) => ({ lines, heights: measured[index]?.heights ?? NO_HEIGHTS }));
  const bookmarks = groupByPage(outline.length > 0 ? outline : findHeadings(headings));
  pages.forEach((lines, index) => {
    builder.page(index + 1);
    writePage(builder, lines, bookmarks.get(index) ?? []);
  });
  const { title, pageCount } = file;
  file.close();
  return builder.finish({ title: cleanTitle(title), pageCount });
}

const NO_HEIGHTS: ReadonlyMap<string, number> = new Map();

async function open(path: string): Promise<PdfFile> {
  try {
    return await openPdf(path);
  } catch (error) {
    if (error instanceof PdfOpenError && error.reason === "password")
      throw new ParseFailure(
        "encrypted",
        "The PDF is protected by a password. Remove the password and send it again.",
      );
    throw new ParseFailure(
      "damaged",
      "The PDF is damaged and cannot be opened. Export it again.",
      String(error),
    );
  }
}

function checkPageCount(pageCount: number, maxPages: number): void {
  if (pageCount <= 0)
    throw new ParseFailure("damaged", "The PDF is damaged: it has no pages. Export it again.");
  if (pageCount > maxPages)
    throw new ParseFailure(
      "too_many_pages",
      `The PDF has ${pageCount} pages; at most ${maxPages} are read. Split it into parts.`,
    );
}

async function readPages(
  file: PdfFile,
  context: ReadContext,
  builder: DocumentBuilder,
  measure: boolean,
): Promise<MeasuredPage[]> {
  const { pageCount } = file;
  const recognise = createRecogniser(context, builder, pageCount);
  const pages: MeasuredPage[] = [];
  const unreadable: number[] = [];
  let chars = 0;
  for (let index = 0; index < pageCount; index += 1) {
    const page = file.openPage(index);
    const found = page ? splitPageLines(page.text) : [];
    if (!page) unreadable.push(index + 1);
    const lines =
      page && countChars(found) < MIN_PAGE_CHARS ? await recognise(page, index + 1, found) : found;
    const heights = page && measure ? cleanKeys(page.measureLines()) : NO_HEIGHTS;
    pages.push({ lines, heights });
    page?.close();
    chars += countChars(lines);
    if (chars > context.limits.maxTextChars) throw tooMuch(context.limits.maxTextChars);
    if (index % PROGRESS_EVERY_PAGES === 0)
      context.progress({ stage: "reading", pagesDone: index + 1, pageCount });
  }
  if (unreadable.length === pageCount)
    throw new ParseFailure("damaged", "The PDF is damaged: none of its pages can be opened.");
  if (unreadable.length > 0) builder.warn(`${listPages(unreadable)} could not be opened and were left out.`);
  return pages;
}

/** The lines as they are after splitting and cleaning. */
function cleanKeys(heights: Map<string, number>): Map<string, number> {
  const clean = new Map<string, number>();
  for (const [line, height] of heights) clean.set(splitPageLines(line)[0] ?? "", height);
  return clean;
}

function tooMuch(maxTextChars: number): ParseFailure {
  return new ParseFailure(
    "too_much_text",
    `The PDF holds more than ${maxTextChars} characters of text. Split it into parts.`,
  );
}

type Recognise = (page: PdfPage, number: number, lines: string[]) => Promise<string[]>;

/** Recognition is slow (about a second a page), so it has its own time for the whole file. */
function createRecogniser(context: ReadContext, builder: DocumentBuilder, pageCount: number): Recognise {
  let spentMs = 0;
  const skipped: number[] = [];
  return async (page, number, lines) => {
    const image = page.render(OCR_DPI);
    if (isBlank(image.pixels)) return lines;
    if (spentMs > context.limits.ocrTimeoutMs) {
      if (skipped.push(number) === 1)
        builder.warn(
          `Reading text from pictures took too long: pages without text after page ${number - 1} were left out.`,
        );
      return lines;
    }
    const started = performance.now();
    context.progress({ stage: "recognising", pagesDone: number - 1, pageCount });
    const ocr = await openOcr(context.ocr);
    const text = ocr.recogniseGrey(image);
    spentMs += performance.now() - started;
    context.progress({ stage: "recognising", pagesDone: number, pageCount });
    const found = splitPageLines(text);
    return countChars(found) > countChars(lines) ? found : lines;
  };
}

/** Nearly every pixel light: an empty page, not worth a second of work. */
function isBlank(pixels: Uint8Array): boolean {
  let dark = 0;
  for (const pixel of pixels) if (pixel < 160) dark += 1;
  return dark < pixels.length / 5_000;
}

function writePage(builder: DocumentBuilder, lines: readonly string[], bookmarks: Bookmark[]): void {
  const waiting = [...bookmarks];
  let from = 0;
  lines.forEach((line, index) => {
    const at = waiting.findIndex((bookmark) => isHeadingLine(line, bookmark.title));
    if (at < 0) return;
    for (const paragraph of joinLines(lines.slice(from, index))) builder.paragraph(paragraph);
    // The bookmarks before this one were not found as lines of the page: they still open their sections here.
    for (const bookmark of waiting.splice(0, at + 1)) builder.heading(bookmark.level, bookmark.title);
    from = index + 1;
  });
  if (from === 0) for (const bookmark of waiting.splice(0)) builder.heading(bookmark.level, bookmark.title);
  for (const paragraph of joinLines(lines.slice(from))) builder.paragraph(paragraph);
  for (const bookmark of waiting) builder.heading(bookmark.level, bookmark.title);
}

/** A line is the heading when it says the title, numbering and case aside. */
function isHeadingLine(line: string, title: string): boolean {
  return line.length < title.length + 16 && plain(line) === plain(title);
}

/** "Chapter 3:", "IV.", "A.1.2 ", "2) " at the beginning of a heading. */
const NUMBERING =
  /^(?:chapter|section|part|appendix|cap[ií]tulo|secci[oó]n|parte|ap[eé]ndice|kapitel|abschnitt|teil|chapitre|partie|annexe)?\s*(?:[\divxlc]+|[a-z](?=\.))?(?:\.\d+)*[.:)]?\s+/;

function plain(text: string): string {
  return cleanText(text)
    .toLowerCase()
    .replace(NUMBERING, "")
    .replace(/[^\p{L}\p{N}]+/gu, "");
}

function groupByPage(bookmarks: readonly Bookmark[]): Map<number, Bookmark[]> {
  const named = bookmarks.filter((bookmark) => bookmark.pageIndex >= 0 && cleanLine(bookmark.title) !== "");
  return Map.groupBy(named, (bookmark) => bookmark.pageIndex);
}

function countChars(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + line.length, 0);
}

function listPages(numbers: readonly number[]): string {
  const shown = numbers.slice(0, 10).join(", ");
  return numbers.length > 10 ? `Pages ${shown} and ${numbers.length - 10} more` : `Pages ${shown}`;
}

/** Programs put their own name or the file's into the title; that is worse than none. */
function cleanTitle(title: string | null): string | null {
  const line = cleanLine(title ?? "");
  if (line.length < 3 || /^(?:untitled|microsoft (?:word|powerpoint|excel)|title|document\d*)\b/i.test(line))
    return null;
  return /\.(?:docx?|dvi|tex|pdf|indd|pptx?|qxd|xlsx?)$/i.test(line) ? null : line;
}
