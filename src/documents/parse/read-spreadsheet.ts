import { readFileSync } from "node:fs";
import { read, type WorkBook, type WorkSheet } from "@e965/xlsx";
import { cleanLine } from "./clean-text.ts";
import { createDocumentBuilder, type DocumentBuilder } from "./document-builder.ts";
import { ParseFailure } from "./parse-failure.ts";
import type { ParsedDocument } from "./parsed-document.ts";
import type { ReadContext } from "./reader.ts";
import { openZip } from "./zip-container.ts";

/** Excel workbooks, new and old: one document, each sheet a section with its rows as a table. */
export async function readSpreadsheet(context: ReadContext): Promise<ParsedDocument> {
  const workbook = openWorkbook(context);
  const builder = createDocumentBuilder(context.limits);
  for (const name of workbook.SheetNames) {
    const sheet = workbook.Sheets[name];
    if (sheet) writeSheet(builder, name, readRows(sheet));
    // The sheet has been written: let its cells go before the next one is.
    delete workbook.Sheets[name];
  }
  return builder.finish({ title: cleanLine(workbook.Props?.Title ?? "") || null });
}

function openWorkbook(context: ReadContext): WorkBook {
  const bytes = readFileSync(context.path);
  if (bytes.readUInt16LE(0) === 0x4b50) {
    const zip = openZip(bytes, context.limits);
    if (!zip.has("xl/workbook.xml") && !zip.has("xl/workbook.bin"))
      throw new ParseFailure(
        "type_mismatch",
        "The file is named .xlsx, but holds no workbook. Export it again.",
      );
    zip.verify();
  }
  try {
    return read(bytes, { dense: true, cellFormula: false, cellHTML: false, dateNF: "yyyy-mm-dd" });
  } catch (error) {
    if (/password|encrypt/i.test(String(error)))
      throw new ParseFailure(
        "encrypted",
        "The workbook is protected by a password. Remove the password and send it again.",
      );
    throw error;
  }
}

/** Rows of the cells as they are shown, without the columns nobody uses. */
function readRows(sheet: WorkSheet): string[][] {
  const rows: Map<number, string>[] = [];
  const used = new Set<number>();
  for (const row of sheet["!data"] ?? []) {
    const cells = new Map<number, string>();
    // forEach steps over the holes, of which a sheet may have sixteen thousand in a row.
    row?.forEach((cell, column) => {
      const text = cell.t === "z" ? "" : String(cell.w ?? cell.v ?? "");
      if (text.trim() === "") return;
      cells.set(column, text);
      used.add(column);
    });
    if (cells.size > 0) rows.push(cells);
  }
  const columns = [...used].sort((a, b) => a - b);
  return rows.map((cells) => columns.map((column) => cells.get(column) ?? ""));
}

/** Lines above the table (a name, a date, a remark) become paragraphs. */
function writeSheet(builder: DocumentBuilder, name: string, rows: string[][]): void {
  if (rows.length === 0) return;
  builder.heading(1, name);
  const header = findHeader(rows);
  for (const row of rows.slice(0, header)) builder.paragraph(row.filter(Boolean).join(" "));
  builder.table(rows.slice(header));
}

/** The first row that is nearly as full as the fullest; remarks above a table are shorter than it. */
function findHeader(rows: readonly string[][]): number {
  const filled = rows.slice(0, 30).map((row) => row.filter((cell) => cell !== "").length);
  const fullest = Math.max(...filled);
  const header = filled.findIndex((count) => count >= Math.max(2, fullest * 0.9));
  return header < 0 || header > 10 ? 0 : header;
}
