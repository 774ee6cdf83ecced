import { readFileSync } from "node:fs";
import { cleanLine } from "./clean-text.ts";
import { createDocumentBuilder, type DocumentBuilder } from "./document-builder.ts";
import { ParseFailure } from "./parse-failure.ts";
import type { ParsedDocument } from "./parsed-document.ts";
import type { ReadContext } from "./reader.ts";
import { findXmlText, walkXml, type XmlHandlers } from "./xml.ts";
import { openZip } from "./zip-container.ts";

/** Cells and rows may be "repeated" a million times to fill a sheet; a real repetition is shorter. */
const MAX_REPEAT = 100;

/** OpenDocument text, spreadsheet and presentation: one format with three kinds of body. */
export async function readOpenDocument(context: ReadContext): Promise<ParsedDocument> {
  const zip = openZip(readFileSync(context.path), context.limits);
  if (zip.readText("META-INF/manifest.xml")?.includes("encryption-data"))
    throw new ParseFailure(
      "encrypted",
      "The file is protected by a password. Remove the password and send it again.",
    );
  const content = zip.readText("content.xml");
  if (content === null)
    throw new ParseFailure("type_mismatch", "The file holds no OpenDocument content. Export it again.");
  const builder = createDocumentBuilder(context.limits);
  const pageCount = writeContent(builder, content, context.limits.maxPages);
  const title = cleanLine(findXmlText(zip.readText("meta.xml"), "title") ?? "") || null;
  return builder.finish({ title, pageCount: pageCount > 0 ? pageCount : null });
}

/** Comments, deleted text and drawings' descriptions are not the document's text. */
const SKIPPED = new Set([
  "annotation",
  "tracked-changes",
  "desc",
  "forms",
  "note-citation",
  "settings",
  "styles",
]);

function writeContent(builder: DocumentBuilder, xml: string, maxPages: number): number {
  let pageCount = 0;
  let skipDepth = 0;
  const body = createBody(builder, () => {
    pageCount += 1;
    if (pageCount > maxPages)
      throw new ParseFailure(
        "too_many_pages",
        `The presentation has more than ${maxPages} slides. Split it into parts.`,
      );
    return pageCount;
  });
  walkXml(xml, {
    open(name, attributes) {
      if (skipDepth > 0 || SKIPPED.has(name)) skipDepth += 1;
      else body.open(name, attributes);
    },
    text(text) {
      if (skipDepth === 0) body.text(text);
    },
    close(name) {
      if (skipDepth > 0) skipDepth -= 1;
      else body.close(name);
    },
  });
  return pageCount;
}

interface Table {
  name: string;
  rows: string[][];
  cell: string;
  cellRepeat: number;
  rowRepeat: number;
}

function createBody(builder: DocumentBuilder, nextPage: () => number): Required<XmlHandlers> {
  // Paragraphs nest (a footnote inside a sentence), so the outer one waits on this stack.
  const open: string[] = [];
  const tables: Table[] = [];
  let listDepth = 0;
  let headingLevel = 1;
  let isTitle = false;
  let isNotes = false;

  function append(text: string): void {
    if (open.length > 0) open.push((open.pop() ?? "") + text);
  }

  function closeParagraph(isHeading: boolean): void {
    const text = open.pop() ?? "";
    const table = tables.at(-1);
    if (open.length > 0) append(` (${text.trim()})`);
    else if (table) table.cell = `${table.cell} ${text}`.trim();
    else if (isTitle) builder.heading(2, text);
    else if (isHeading) builder.heading(headingLevel, text);
    else if (listDepth > 0) builder.listItem(listDepth - 1, "-", text);
    else builder.paragraph(isNotes && text.trim() ? `Notes: ${text}` : text);
  }

  return {
    open(name, attributes) {
      if (name === "p" || name === "h") {
        open.push("");
        headingLevel = Number.parseInt(attributes["outline-level"] ?? "1", 10) || 1;
      } else if (name === "s")
        append(" ".repeat(Math.min(100, Number.parseInt(attributes.c ?? "1", 10) || 1)));
      else if (name === "tab" || name === "line-break") append(name === "tab" ? "\t" : "\n");
      else if (name === "list") listDepth += 1;
      else if (name === "page") builder.page(nextPage());
      else if (name === "notes") isNotes = true;
      else if (name === "frame") isTitle = attributes.class === "title";
      else if (name === "table")
        tables.push({ name: attributes.name ?? "", rows: [], cell: "", cellRepeat: 1, rowRepeat: 1 });
      else openTablePart(tables.at(-1), name, attributes);
    },
    text: append,
    close(name) {
      if (name === "p" || name === "h") closeParagraph(name === "h");
      else if (name === "list") listDepth -= 1;
      else if (name === "notes") isNotes = false;
      else if (name === "frame") isTitle = false;
      else if (name === "table") closeTable(builder, tables);
      else closeTablePart(tables.at(-1), name);
    },
  };
}

function openTablePart(table: Table | undefined, name: string, attributes: Record<string, string>): void {
  if (!table) return;
  const repeat = (attribute: string) =>
    Math.min(MAX_REPEAT, Number.parseInt(attributes[attribute] ?? "1", 10) || 1);
  if (name === "table-row") {
    table.rows.push([]);
    table.rowRepeat = repeat("number-rows-repeated");
  } else if (name === "table-cell" || name === "covered-table-cell") {
    table.cell = "";
    table.cellRepeat = repeat("number-columns-repeated");
  }
}

function closeTablePart(table: Table | undefined, name: string): void {
  const row = table?.rows.at(-1);
  if (!table || !row) return;
  if (name === "table-cell" || name === "covered-table-cell")
    for (let index = 0; index < table.cellRepeat; index += 1) row.push(table.cell);
  else if (name === "table-row") {
    while (row.at(-1) === "") row.pop();
    if (row.length === 0) table.rows.pop();
    else for (let index = 1; index < table.rowRepeat; index += 1) table.rows.push(row);
  }
}

/** A table inside a cell becomes part of that cell's text. */
function closeTable(builder: DocumentBuilder, tables: Table[]): void {
  const table = tables.pop();
  if (!table || table.rows.length === 0) return;
  const outer = tables.at(-1);
  if (outer) {
    outer.cell = `${outer.cell} ${table.rows.map((row) => row.join(" ")).join(" ")}`.trim();
    return;
  }
  // Only spreadsheets give their tables names people have chosen; in texts they are Table1, Table2.
  if (table.name && !/^(?:table|tabla|tabelle|tableau)\d+$/i.test(table.name)) builder.heading(1, table.name);
  builder.table(table.rows);
}
