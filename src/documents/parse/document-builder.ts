import { cleanLine, cleanText, countWords } from "./clean-text.ts";
import { ParseFailure } from "./parse-failure.ts";
import type { BlockSpan, PageSpan, ParsedDocument, SectionSpan } from "./parsed-document.ts";

/** Collects what a reader finds, in reading order, as Markdown; offsets and structure marks are kept on the way. */
export interface DocumentBuilder {
  /** Begins a page or slide; everything until the next one belongs to it. */
  page(number: number): void;
  /** Level 1 is the highest; anything outside of 1..6 is moved into it. */
  heading(level: number, text: string): void;
  paragraph(text: string): void;
  /** `depth` 0 is the outermost list; consecutive items are one list. */
  listItem(depth: number, marker: string, text: string): void;
  /** The first row is the header, unless `hasHeader` says there is none. */
  table(rows: readonly (readonly string[])[], hasHeader?: boolean): void;
  /** More rows of the table written last: for tables too long to be held whole. */
  moreRows(rows: readonly (readonly string[])[]): void;
  code(text: string): void;
  warn(sentence: string): void;
  /** Characters so far. */
  length(): number;
  finish(facts?: { title?: string | null; pageCount?: number | null }): ParsedDocument;
}

/** @throws ParseFailure `too_much_text` from any call once the text is longer than `maxTextChars`. */
export function createDocumentBuilder(limits: { maxTextChars: number }): DocumentBuilder {
  const parts: string[] = [];
  const pages: PageSpan[] = [];
  const blocks: BlockSpan[] = [];
  const headings: SectionSpan[] = [];
  const warnings: string[] = [];
  let length = 0;
  let pageNumber: number | null = null;
  let renderMore: RenderedTable["renderMore"] = () => "";

  function write(text: string, separator: string): number {
    const lead = length === 0 ? "" : separator;
    parts.push(lead, text);
    const start = length + lead.length;
    length = start + text.length;
    if (length > limits.maxTextChars) throw tooMuchText(limits.maxTextChars);
    if (pageNumber !== null) startPage(pageNumber, start);
    pageNumber = null;
    return start;
  }

  function startPage(number: number, start: number): void {
    const previous = pages.at(-1);
    if (previous) previous.end = start;
    pages.push({ number, start, end: start });
  }

  function block(kind: BlockSpan["kind"], text: string): BlockSpan {
    const start = write(text, "\n\n");
    const span: BlockSpan = { kind, start, end: length };
    blocks.push(span);
    return span;
  }

  return {
    page(number) {
      // A page without text still exists: it becomes an empty span when the next one begins.
      if (pageNumber !== null) startPage(pageNumber, length);
      pageNumber = number;
    },
    heading(level, raw) {
      const heading = cleanLine(raw);
      if (!heading) return;
      const depth = Math.min(6, Math.max(1, Math.trunc(level)));
      const { start, end } = block("heading", `${"#".repeat(depth)} ${heading}`);
      headings.push({ level: depth, heading, start, end });
    },
    paragraph(raw) {
      const text = cleanText(raw).trim();
      if (text) write(text, "\n\n");
    },
    listItem(depth, marker, raw) {
      const text = cleanText(raw).trim();
      if (!text) return;
      const line = `${"  ".repeat(Math.min(depth, 10))}${marker} ${text}`;
      const last = blocks.at(-1);
      if (last?.kind !== "list" || last.end !== length || pageNumber !== null) {
        block("list", line);
        return;
      }
      write(line, "\n");
      last.end = length;
    },
    table(rows, hasHeader = true) {
      const table = renderTable(rows, hasHeader);
      if (!table) return;
      const span = block("table", table.text);
      if (table.headerLength > 0) span.headerEnd = span.start + table.headerLength;
      renderMore = table.renderMore;
    },
    moreRows(rows) {
      const last = blocks.at(-1);
      const cells = cleanRows(rows);
      if (last?.kind !== "table" || last.end !== length || cells.length === 0) return;
      write(renderMore(cells), "\n");
      last.end = length;
    },
    code(raw) {
      const text = cleanText(raw).replace(/^\n+|\s+$/g, "");
      if (text) block("code", `\`\`\`\n${text}\n\`\`\``);
    },
    warn(sentence) {
      warnings.push(sentence);
    },
    length: () => length,
    finish({ title = null, pageCount = null } = {}) {
      if (pageNumber !== null) startPage(pageNumber, length);
      const lastPage = pages.at(-1);
      if (lastPage) lastPage.end = length;
      const text = parts.join("");
      const sections = closeSections(headings, length);
      return { text, title, pages, sections, blocks, wordCount: countWords(text), pageCount, warnings };
    },
  };
}

/** Gives every heading its end: the next heading of the same or a higher level, or the end of the text. */
export function closeSections(headings: readonly SectionSpan[], textLength: number): SectionSpan[] {
  const sections = headings.map((heading) => ({ ...heading, end: textLength }));
  const open: SectionSpan[] = [];
  for (const section of sections) {
    for (let last = open.at(-1); last && last.level >= section.level; last = open.at(-1)) {
      last.end = section.start;
      open.pop();
    }
    open.push(section);
  }
  return sections;
}

export function tooMuchText(maxTextChars: number): ParseFailure {
  const millions = Math.round(maxTextChars / 1e6);
  return new ParseFailure(
    "too_much_text",
    `The file holds more than ${millions} million characters of text. Split it into smaller files.`,
  );
}

/** A row this long is unreadable as a table row and would be cut; it is written as "Header: value" lines instead. */
const WIDE_ROW_CHARS = 600;

interface RenderedTable {
  text: string;
  headerLength: number;
  renderMore(rows: readonly (readonly string[])[]): string;
}

function renderTable(rows: readonly (readonly string[])[], hasHeader: boolean): RenderedTable | null {
  const cells = cleanRows(rows);
  const width = cells.reduce((widest, row) => Math.max(widest, row.length), 0);
  const [header, ...body] = cells;
  if (!header) return null;
  if (width === 1) {
    const renderMore: RenderedTable["renderMore"] = (more) => more.map((row) => row[0]).join("\n");
    return { text: renderMore(cells), headerLength: 0, renderMore };
  }
  if (hasHeader && isWide(body)) {
    const renderMore: RenderedTable["renderMore"] = (more) => renderRecords(header, more);
    return { text: renderMore(body), headerLength: 0, renderMore };
  }
  const renderMore: RenderedTable["renderMore"] = (more) =>
    more.map((row) => renderRow(row, width)).join("\n");
  const first = hasHeader ? header : Array.from({ length: width }, () => "");
  const head = `${renderRow(first, width)}\n|${" --- |".repeat(width)}`;
  const rest = hasHeader ? body : cells;
  const text = rest.length > 0 ? `${head}\n${renderMore(rest)}` : head;
  return { text, headerLength: hasHeader ? head.length : 0, renderMore };
}

function cleanRows(rows: readonly (readonly string[])[]): string[][] {
  return rows.map((row) => row.map(cleanLine)).filter((row) => row.some((cell) => cell !== ""));
}

function isWide(body: readonly (readonly string[])[]): boolean {
  const sample = body.slice(0, 50);
  const chars = sample.reduce((sum, row) => sum + row.reduce((inRow, cell) => inRow + cell.length + 3, 0), 0);
  return sample.length > 0 && chars / sample.length > WIDE_ROW_CHARS;
}

function renderRow(row: readonly string[], width: number): string {
  let line = "|";
  for (let column = 0; column < width; column += 1)
    line += ` ${(row[column] ?? "").replaceAll("|", "\\|")} |`;
  return line;
}

function renderRecords(header: readonly string[], body: readonly (readonly string[])[]): string {
  const records = body.map((row) =>
    row
      .map((cell, column) => (cell ? `${header[column] || `Column ${column + 1}`}: ${cell}` : ""))
      .filter(Boolean),
  );
  return records.map((lines) => lines.join("\n")).join("\n\n");
}
