import { cleanLine } from "./clean-text.ts";
import type { BlockSpan, SectionSpan } from "./parsed-document.ts";

/** How headings are written. `plain` knows underlined headings only. */
export type MarkupFlavour = "markdown" | "asciidoc" | "org" | "plain";

export interface MarkupScan {
  blocks: BlockSpan[];
  /** Their ends are the ends of the heading lines; `closeSections` makes sections of them. */
  headings: SectionSpan[];
  title: string | null;
}

interface Line {
  text: string;
  start: number;
  end: number;
}

/** Finds headings, fenced code, tables and lists in text that is kept as it is. One pass over the lines. */
export function scanMarkup(text: string, flavour: MarkupFlavour): MarkupScan {
  const scan: MarkupScan = { blocks: [], headings: [], title: null };
  const lines = splitLines(text);
  let index = 0;
  if (flavour === "markdown") {
    const matter = readFrontMatter(lines);
    index = matter.next;
    scan.title = matter.title;
  }
  while (index < lines.length) index = readBlock(lines, index, flavour, scan);
  scan.title ??= scan.headings.find((heading) => heading.level === 1)?.heading ?? null;
  return scan;
}

/** Lines by number. Only their beginnings are kept: a large file has millions of them. */
interface Lines {
  length: number;
  at(index: number): Line | undefined;
}

function splitLines(text: string): Lines {
  const starts: number[] = [0];
  for (let feed = text.indexOf("\n"); feed >= 0; feed = text.indexOf("\n", feed + 1)) starts.push(feed + 1);
  return {
    length: starts.length,
    at(index) {
      const start = starts[index];
      if (start === undefined) return undefined;
      const end = (starts[index + 1] ?? text.length + 1) - 1;
      // A line of a million characters is no markup: looking at its beginning is enough, and bounded.
      return { text: text.slice(start, Math.min(end, start + 2_000)), start, end };
    },
  };
}

function readFrontMatter(lines: Lines): { next: number; title: string | null } {
  if (lines.at(0)?.text.trim() !== "---") return { next: 0, title: null };
  let title: string | null = null;
  for (let index = 1; index < Math.min(lines.length, 200); index += 1) {
    const line = lines.at(index)?.text ?? "";
    if (line.trim() === "---" || line.trim() === "...") return { next: index + 1, title };
    title ??= /^title:\s*["']?(.*?)["']?\s*$/i.exec(line)?.[1] || null;
  }
  return { next: 0, title: null };
}

/** Reads the block that begins at a line and answers the line after it. */
function readBlock(lines: Lines, index: number, flavour: MarkupFlavour, scan: MarkupScan): number {
  const line = lines.at(index);
  if (!line || line.text.trim() === "") return index + 1;
  const fence = /^ {0,3}(`{3,}|~{3,}|-{4,}(?=\s*$))/.exec(line.text)?.[1];
  if (fence && (flavour === "asciidoc" || (flavour === "markdown" && fence[0] !== "-")))
    return addBlock(scan, lines, "code", index, findFenceEnd(lines, index, fence));
  const heading = readHeading(lines, index, flavour);
  if (heading) {
    const last = lines.at(heading.next - 1) ?? line;
    scan.blocks.push({ kind: "heading", start: line.start, end: last.end });
    scan.headings.push({ level: heading.level, heading: heading.text, start: line.start, end: last.end });
    return heading.next;
  }
  if (flavour === "plain") return index + 1;
  if (isTableStart(lines, index)) return addTable(scan, lines, index);
  if (LIST_ITEM.test(line.text)) return addBlock(scan, lines, "list", index, findListEnd(lines, index));
  return index + 1;
}

function addBlock(scan: MarkupScan, lines: Lines, kind: "code" | "list", from: number, next: number): number {
  const first = lines.at(from);
  const last = lines.at(next - 1);
  if (first && last) scan.blocks.push({ kind, start: first.start, end: last.end });
  return next;
}

function findFenceEnd(lines: Lines, from: number, fence: string): number {
  for (let index = from + 1; index < lines.length; index += 1) {
    const text = lines.at(index)?.text.trim() ?? "";
    if (text.startsWith(fence) && text.replaceAll(fence[0] ?? "", "") === "") return index + 1;
  }
  return lines.length;
}

const HEADING_MARKS: Record<MarkupFlavour, RegExp | null> = {
  markdown: /^ {0,3}(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$/,
  asciidoc: /^(={1,6})[ \t]+(.+)$/,
  org: /^(\*{1,6})[ \t]+(.+)$/,
  plain: null,
};

interface HeadingLine {
  level: number;
  text: string;
  next: number;
}

function readHeading(lines: Lines, index: number, flavour: MarkupFlavour): HeadingLine | null {
  const line = lines.at(index)?.text ?? "";
  const marked = HEADING_MARKS[flavour]?.exec(line);
  if (marked) return { level: marked[1]?.length ?? 1, text: cleanLine(marked[2] ?? ""), next: index + 1 };
  if (flavour === "org" || flavour === "asciidoc") return null;
  return readUnderlined(lines, index, flavour);
}

/** A line with a line of `===` or `---` under it. Plain text must underline its whole length, between other lines. */
function readUnderlined(lines: Lines, index: number, flavour: MarkupFlavour): HeadingLine | null {
  const title = lines.at(index)?.text.trim() ?? "";
  const under = /^(={2,}|-{2,}|~{3,})\s*$/.exec(lines.at(index + 1)?.text ?? "")?.[1];
  if (!under || title.length > 120 || !/[\p{L}\p{N}]/u.test(title) || title.startsWith("|")) return null;
  if ((lines.at(index - 1)?.text.trim() ?? "") !== "") return null;
  if (flavour === "plain" && Math.abs(under.length - title.length) > 2) return null;
  if (LIST_ITEM.test(title)) return null;
  const level = under[0] === "=" ? 1 : under[0] === "-" ? 2 : 3;
  return { level, text: cleanLine(title), next: index + 2 };
}

const DELIMITER_ROW = /^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;

function isTableStart(lines: Lines, index: number): boolean {
  const under = lines.at(index + 1)?.text ?? "";
  return (lines.at(index)?.text.includes("|") ?? false) && under.includes("|") && DELIMITER_ROW.test(under);
}

function addTable(scan: MarkupScan, lines: Lines, from: number): number {
  let next = from + 2;
  while (lines.at(next)?.text.includes("|")) next += 1;
  const first = lines.at(from);
  const header = lines.at(from + 1);
  const last = lines.at(next - 1);
  if (first && header && last)
    scan.blocks.push({ kind: "table", start: first.start, end: last.end, headerEnd: header.end });
  return next;
}

const LIST_ITEM = /^\s*(?:[-*+•]|\d{1,4}[.)])\s+\S/;

/** A list goes on over indented lines and over single blank lines between its items. */
function findListEnd(lines: Lines, from: number): number {
  let end = from + 1;
  for (let index = from + 1; index < lines.length; index += 1) {
    const text = lines.at(index)?.text ?? "";
    if (text.trim() === "") {
      const after = lines.at(index + 1)?.text ?? "";
      if (!LIST_ITEM.test(after) && !/^\s{2,}\S/.test(after)) break;
      continue;
    }
    const lazy = end === index && !/^ {0,3}(?:#{1,6}\s|`{3}|~{3})/.test(text);
    if (!LIST_ITEM.test(text) && !/^\s{2,}\S/.test(text) && !lazy) break;
    end = index + 1;
  }
  return end;
}
