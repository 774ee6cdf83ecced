import { estimateCost } from "./chunk-tokens.ts";
import type { BlockSpan, Span } from "./parse/parsed-document.ts";

/** A stretch that is kept whole when it can be: a heading, a paragraph, a list item, a table row, a line of code. */
export interface Unit extends Span {
  kind: "heading" | "paragraph" | "item" | "row" | "line";
  /** Hundredths of a token. */
  cost: number;
  /** The header row of the table this row belongs to; null for the header itself and everything else. */
  header: Span | null;
  /** It begins with a heading. */
  startsSection: boolean;
}

/** Cuts text into units, in order. Every character that is not white space is in exactly one. */
export function splitUnits(text: string, blocks: readonly BlockSpan[]): Unit[] {
  const units: Unit[] = [];
  let at = 0;
  for (const block of blocks) {
    const start = Math.max(at, block.start);
    const end = Math.min(text.length, block.end);
    if (end <= start) continue;
    addParagraphs(units, text, at, start);
    addBlock(units, text, { ...block, start, end });
    at = end;
  }
  addParagraphs(units, text, at, text.length);
  return joinHeadings(units, text);
}

/** Many headings in a row are a table of contents, not the beginning of something. */
const MAX_HEADINGS_COST = 10_000;

/** A heading belongs to what follows it: the two become one unit. */
function joinHeadings(units: readonly Unit[], text: string): Unit[] {
  const joined: Unit[] = [];
  for (const unit of units) {
    const last = joined.at(-1);
    if (last?.kind !== "heading" || last.cost > MAX_HEADINGS_COST) {
      joined.push(unit);
      continue;
    }
    const cost = last.cost + estimateCost(text, last.end, unit.start) + unit.cost;
    joined[joined.length - 1] = { ...unit, start: last.start, cost, startsSection: true };
  }
  return joined;
}

function addBlock(units: Unit[], text: string, block: BlockSpan): void {
  if (block.kind === "heading") addUnit(units, text, "heading", block.start, block.end);
  else if (block.kind === "list") addItems(units, text, block);
  else if (block.kind === "code") addLines(units, text, "line", block.start, block.end, null);
  else addRows(units, text, block);
}

function addUnit(
  units: Unit[],
  text: string,
  kind: Unit["kind"],
  from: number,
  to: number,
  header: Span | null = null,
): void {
  const start = skipSpace(text, from, to);
  const end = skipSpaceBack(text, start, to);
  if (end > start)
    units.push({
      kind,
      start,
      end,
      cost: estimateCost(text, start, end),
      header,
      startsSection: kind === "heading",
    });
}

/** Paragraphs are parted by lines with nothing on them. */
function addParagraphs(units: Unit[], text: string, from: number, to: number): void {
  let start = from;
  for (let feed = text.indexOf("\n", from); feed >= 0 && feed < to; ) {
    const next = skipBlanks(text, feed + 1, to);
    if (next < to && text[next] === "\n") {
      addUnit(units, text, "paragraph", start, feed);
      start = next;
    }
    feed = text.indexOf("\n", Math.max(next, feed + 1));
  }
  addUnit(units, text, "paragraph", start, to);
}

function addRows(units: Unit[], text: string, block: BlockSpan): void {
  const headerEnd = Math.min(block.end, block.headerEnd ?? block.start);
  const header = headerEnd > block.start ? { start: block.start, end: headerEnd } : null;
  if (header) addUnit(units, text, "row", header.start, header.end);
  addLines(units, text, "row", headerEnd, block.end, header);
}

function addLines(
  units: Unit[],
  text: string,
  kind: "row" | "line",
  from: number,
  to: number,
  header: Span | null,
): void {
  for (let start = from; start < to; ) {
    const feed = text.indexOf("\n", start);
    const end = feed < 0 || feed > to ? to : feed;
    addUnit(units, text, kind, start, end, header);
    start = end + 1;
  }
}

const ITEM_START = /[ \t]*(?:[-*+•]|\d{1,4}[.)])[ \t]/y;

/** A line that begins no item belongs to the one before. */
function addItems(units: Unit[], text: string, block: Span): void {
  let itemStart = block.start;
  for (let start = block.start; start < block.end; ) {
    const feed = text.indexOf("\n", start);
    const end = feed < 0 || feed > block.end ? block.end : feed;
    ITEM_START.lastIndex = start;
    if (start > itemStart && ITEM_START.test(text)) {
      addUnit(units, text, "item", itemStart, start);
      itemStart = start;
    }
    start = end + 1;
  }
  addUnit(units, text, "item", itemStart, block.end);
}

/** The first index from `from` that is not white space, or `to`. */
export function skipSpace(text: string, from: number, to: number): number {
  let at = from;
  while (at < to && isSpace(text.charCodeAt(at))) at += 1;
  return at;
}

/** The end of the last character before `to` that is not white space, or `from`. */
export function skipSpaceBack(text: string, from: number, to: number): number {
  let at = to;
  while (at > from && isSpace(text.charCodeAt(at - 1))) at -= 1;
  return at;
}

function skipBlanks(text: string, from: number, to: number): number {
  let at = from;
  while (at < to && text.charCodeAt(at) !== 10 && isSpace(text.charCodeAt(at))) at += 1;
  return at;
}

/** The white space of regular expressions and of `String.trim`. */
export function isSpace(code: number): boolean {
  if (code <= 32) return code === 32 || (code >= 9 && code <= 13);
  if (code < 160) return false;
  if (code === 160 || code === 0xfeff || code === 0x3000) return true;
  return (
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f
  );
}
