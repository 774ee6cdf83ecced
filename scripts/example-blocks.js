/**
 * Cuts the small part of Markdown that the sources in `examples/source` use into blocks: headings, paragraphs,
 * warnings, lists and tables.
 *
 * @param {string} markdown
 * @returns {({kind: "heading", level: number, text: string} | {kind: "paragraph" | "warning", text: string}
 *   | {kind: "steps" | "bullets", items: string[]} | {kind: "table", rows: string[][]})[]}
 */
export function readBlocks(markdown) {
  return markdown
    .split(/\n{2,}/)
    .map((part) => part.trim())
    .filter(Boolean)
    .map(readBlock);
}

function readBlock(part) {
  const heading = /^(#+) (.*)$/.exec(part);
  if (heading) return { kind: "heading", level: heading[1].length, text: heading[2] };
  const lines = part.split("\n");
  if (part.startsWith("> ")) return { kind: "warning", text: part.slice(2) };
  if (part.startsWith("- ")) return { kind: "bullets", items: lines.map((line) => line.slice(2)) };
  if (/^\d+\. /.test(part)) return { kind: "steps", items: lines.map((line) => line.replace(/^\d+\. /, "")) };
  if (part.startsWith("|")) return { kind: "table", rows: lines.filter((_, i) => i !== 1).map(readRow) };
  return { kind: "paragraph", text: part };
}

function readRow(line) {
  return line
    .slice(1, -1)
    .split("|")
    .map((cell) => cell.trim());
}
