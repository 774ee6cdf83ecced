import { createDocumentBuilder, type DocumentBuilder } from "./document-builder.ts";
import { ParseFailure } from "./parse-failure.ts";
import type { ParsedDocument } from "./parsed-document.ts";
import { decodeOrFail, readBytes } from "./read-text.ts";
import type { ReadContext } from "./reader.ts";

const MAX_DEPTH = 100;

/**
 * JSON and JSON lines, made searchable: one "path: value" line for each value, each record of a list a paragraph of
 * its own, so that a passage says what its values belong to.
 */
export async function readJson(context: ReadContext): Promise<ParsedDocument> {
  const raw = decodeOrFail(readBytes(context), null, context.limits.maxTextChars);
  if (raw.trim() === "") throw new ParseFailure("empty", "The file is empty: it holds no values.");
  const builder = createDocumentBuilder(context.limits);
  for (const value of parseValues(raw)) writeValue(builder, value);
  return builder.finish();
}

function parseValues(raw: string): unknown[] {
  try {
    return [JSON.parse(raw)];
  } catch (error) {
    const lines = raw.split("\n").filter((line) => line.trim() !== "");
    try {
      if (lines.length > 1) return lines.map((line) => JSON.parse(line));
    } catch {
      // Not JSON lines either: the first error is the one to tell.
    }
    const reason = error instanceof Error ? error.message.slice(0, 200) : "";
    throw new ParseFailure("damaged", `The file is not valid JSON: ${reason}. Correct it and send it again.`);
  }
}

function writeValue(builder: DocumentBuilder, value: unknown): void {
  if (Array.isArray(value)) {
    for (const item of value) writeValueRecord(builder, item, "");
    return;
  }
  if (!isRecord(value)) {
    writeValueRecord(builder, value, "");
    return;
  }
  // The usual wrapper, {"items": [...]}: its lists are lists of records too.
  const plain = Object.entries(value).filter(([, item]) => !isListOfRecords(item));
  writeValueRecord(builder, Object.fromEntries(plain), "");
  for (const [key, item] of Object.entries(value))
    if (isListOfRecords(item)) for (const record of item) writeValueRecord(builder, record, key);
}

function writeValueRecord(builder: DocumentBuilder, value: unknown, path: string): void {
  const lines: string[] = [];
  collectLines(value, path, 0, lines);
  builder.paragraph(lines.join("\n"));
}

/** @throws ParseFailure `damaged` when values nest too deep to be read as lines */
function collectLines(value: unknown, path: string, depth: number, lines: string[]): void {
  if (depth > MAX_DEPTH)
    throw new ParseFailure(
      "damaged",
      `The JSON nests its values more than ${MAX_DEPTH} deep; it cannot be read.`,
    );
  if (value === null || value === "") return;
  if (Array.isArray(value) && value.every((item) => typeof item !== "object" || item === null)) {
    if (value.length > 0) lines.push(`${path ? `${path}: ` : ""}${value.join(", ")}`);
  } else if (Array.isArray(value)) {
    value.forEach((item, index) => {
      collectLines(item, `${path}[${index}]`, depth + 1, lines);
    });
  } else if (isRecord(value)) {
    for (const key in value) collectLines(value[key], path ? `${path}.${key}` : key, depth + 1, lines);
  } else lines.push(path ? `${path}: ${String(value)}` : String(value));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isListOfRecords(value: unknown): value is Record<string, unknown>[] {
  return Array.isArray(value) && value.length > 0 && value.every(isRecord);
}
