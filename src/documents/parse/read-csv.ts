import { createDocumentBuilder } from "./document-builder.ts";
import type { ParsedDocument } from "./parsed-document.ts";
import { readTextFile } from "./read-text.ts";
import type { ReadContext } from "./reader.ts";

/** Rows held at a time. */
const BATCH_ROWS = 5_000;

/** CSV and TSV: one table, the first row its header. */
export async function readCsv(context: ReadContext): Promise<ParsedDocument> {
  const builder = createDocumentBuilder(context.limits);
  const text = readTextFile(context);
  let batch: string[][] = [];
  let isFirst = true;

  function writeBatch(): void {
    if (isFirst) builder.table(batch);
    else builder.moreRows(batch);
    isFirst = false;
    batch = [];
  }

  for (const row of parseCsv(text, findDelimiter(text))) if (batch.push(row) === BATCH_ROWS) writeBatch();
  writeBatch();
  return builder.finish();
}

/** The candidate that splits the first lines into the most columns, evenly. */
export function findDelimiter(text: string): string {
  const lines = text
    .slice(0, 20_000)
    .split("\n", 20)
    .filter((line) => line.trim() !== "");
  let best = { delimiter: ",", score: 0 };
  for (const delimiter of [",", ";", "\t", "|"]) {
    const counts = lines.map((line) => countOutsideQuotes(line, delimiter));
    const first = counts[0] ?? 0;
    const even = counts.filter((count) => count === first).length / Math.max(1, counts.length);
    const score = first * even;
    if (score > best.score) best = { delimiter, score };
  }
  return best.delimiter;
}

function countOutsideQuotes(line: string, delimiter: string): number {
  let count = 0;
  let quoted = false;
  for (const char of line) {
    if (char === '"') quoted = !quoted;
    else if (char === delimiter && !quoted) count += 1;
  }
  return count;
}

/** Fields as RFC 4180 has them; a quote in the middle of an unquoted field is itself. */
export function* parseCsv(text: string, delimiter: string): Generator<string[]> {
  let row: string[] = [];
  let at = 0;
  while (at < text.length) {
    const field = readField(text, at, delimiter);
    row.push(field.value);
    at = field.next + 1;
    if (text[field.next] === delimiter) continue;
    yield row;
    row = [];
  }
  if (row.length > 0) yield row;
}

/** `next` is where the field's delimiter or line feed stands, or the end of the text. */
function readField(text: string, from: number, delimiter: string): { value: string; next: number } {
  if (text[from] !== '"') {
    const next = findFieldEnd(text, from, delimiter);
    return { value: text.slice(from, next), next };
  }
  const pieces: string[] = [];
  let at = from + 1;
  while (at < text.length) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return { value: pieces.join("") + text.slice(at), next: text.length };
    pieces.push(text.slice(at, quote));
    if (text[quote + 1] !== '"') {
      const next = findFieldEnd(text, quote + 1, delimiter);
      return { value: pieces.join("") + text.slice(quote + 1, next), next };
    }
    pieces.push('"');
    at = quote + 2;
  }
  return { value: pieces.join(""), next: text.length };
}

function findFieldEnd(text: string, from: number, delimiter: string): number {
  let at = from;
  while (at < text.length && text[at] !== delimiter && text[at] !== "\n") at += 1;
  return at;
}
