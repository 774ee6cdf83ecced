import { toInline, toPlain } from "./format-inline.ts";

const FENCE = /^\s{0,3}(`{3,}|~{3,})/;
const QUOTE = /^\s{0,3}>[>\s]*/;
const HEADING = /^\s{0,3}#{1,6}\s+(.*)$/;
const RULE = /^\s{0,3}([-*_])(?:[ \t]*\1){2,}\s*$/;
const ITEM = /^(\s*)[*+-]\s+(.*)$/;
const TABLE_RULE = /^[\s|:-]*-[\s|:-]*$/;

/** A model's Markdown in the notation that WhatsApp knows: it has no headings, no tables and no links with a text. */
export function toWhatsApp(markdown: string): string {
  const lines = markdown.replaceAll("\r\n", "\n").split("\n");
  return convert(lines)
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}

function convert(lines: readonly string[]): string[] {
  const out: string[] = [];
  for (let index = 0; index < lines.length; ) {
    const [taken, converted] = nextBlock(lines, index);
    out.push(...converted);
    index += taken;
  }
  return out;
}

/** How many lines the block that begins here takes, and what becomes of them. */
function nextBlock(lines: readonly string[], index: number): [taken: number, converted: string[]] {
  const line = lines[index] ?? "";
  const fence = FENCE.exec(line)?.[1];
  if (fence !== undefined) return codeBlock(lines, index, fence);
  if (QUOTE.test(line)) return quoteBlock(lines, index);
  if (line.includes("|") && isTableRule(lines[index + 1])) return tableBlock(lines, index);
  return [1, [oneLine(line)]];
}

function codeBlock(lines: readonly string[], index: number, fence: string): [number, string[]] {
  const rest = lines.slice(index + 1);
  const end = rest.findIndex((line) => line.trimStart().startsWith(fence));
  const code = end === -1 ? rest : rest.slice(0, end);
  return [code.length + (end === -1 ? 1 : 2), ["```", ...code, "```"]];
}

/** Quotes in quotes are one quote. */
function quoteBlock(lines: readonly string[], index: number): [number, string[]] {
  const rest = lines.slice(index);
  const end = rest.findIndex((line) => !QUOTE.test(line));
  const quoted = end === -1 ? rest : rest.slice(0, end);
  const inner = convert(quoted.map((line) => line.replace(QUOTE, "")));
  return [quoted.length, inner.map((line) => `> ${line}`.trimEnd())];
}

/** Its rows one under the other, the header in bold above them. */
function tableBlock(lines: readonly string[], index: number): [number, string[]] {
  const rest = lines.slice(index + 2);
  const end = rest.findIndex((line) => !line.includes("|"));
  const rows = end === -1 ? rest : rest.slice(0, end);
  const header = cellsOf(lines[index] ?? "").map(toPlain);
  return [
    rows.length + 2,
    [
      `*${header.join(" · ")}*`,
      ...rows.filter((row) => !isTableRule(row)).map((row) => `- ${cellsOf(row).map(toInline).join(" · ")}`),
    ],
  ];
}

function isTableRule(line: string | undefined): boolean {
  return line?.includes("|") === true && TABLE_RULE.test(line);
}

function cellsOf(row: string): string[] {
  const inner = row.trim().replace(/^\|/, "").replace(/\|$/, "");
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function oneLine(line: string): string {
  const heading = HEADING.exec(line)?.[1];
  if (heading !== undefined) {
    const plain = toPlain(heading.replace(/\s#+\s*$/, "")).trim();
    return plain === "" ? "" : `*${plain}*`;
  }
  if (RULE.test(line)) return "";
  const item = ITEM.exec(line);
  if (item !== null) return `${item[1]}- ${toInline(item[2] ?? "")}`;
  return toInline(line.trimEnd());
}
