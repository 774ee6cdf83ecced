/**
 * The words of an answer as they are spoken: without Markdown, citations, addresses' beginnings and pictures. Works
 * clause by clause: what it removes never reaches over a line's end.
 *
 * @param isInLine `text` goes on with a line: a hyphen at its beginning is no item's
 */
export function speakable(text: string, isInLine = false): string {
  return text
    .split("\n")
    .map((line, index) => speakLine(line, isInLine && index === 0))
    .filter((line) => line !== "")
    .join(" ");
}

function speakLine(line: string, isInLine: boolean): string {
  if (/^\s*(?:```|~~~)/.test(line) || /^\s*(?:[-*_]\s*){3,}$/.test(line)) return "";
  const isRow = /^\s*\|.*\|\s*$/.test(line);
  if (isRow && /^[\s|:-]+$/.test(line)) return "";
  const heading = isInLine ? null : /^\s*#{1,6}\s+(.*?)[\s#]*$/.exec(line);
  const words = heading?.[1] ?? (isInLine ? line : line.replace(/^(?:\s*>)*\s*(?:[-*+•]\s+)?/, ""));
  const spoken = speakWords(isRow ? cellsOf(words) : words);
  // A heading and a row are sentences, or a voice runs them into what follows.
  const isOpen = (heading !== null || isRow) && /[\p{L}\p{N}%€$£)]$/u.test(spoken);
  return isOpen ? `${spoken}.` : spoken;
}

function speakWords(text: string): string {
  return (
    text
      .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
      .replace(/\s?\[\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*\]/g, "")
      .replace(/<\/?[a-z][^>]*>/gi, " ")
      .replace(/<?\bhttps?:\/\/(?:www\.)?([^\s<>]*[^\s<>/.,;:!?)])\/?>?/gi, "$1")
      .replace(/`+|~~|\*\*|(?<!\w)__|__(?!\w)/g, "")
      // A single mark stands at the edge of a word; alone between spaces it is a sign.
      .replace(/(^|[\s(„“"«])[*_](?=[^\s*_])/g, "$1")
      .replace(/([^\s*_])[*_](?=$|[\s).,;:!?”"»])/g, "$1")
      .replace(/\\([\\`*_{}[\]()#+.!|>~-])/g, "$1")
      .replace(/\p{Extended_Pictographic}|\u200d|\ufe0f/gu, (sign) => (/[©®™]/.test(sign) ? sign : ""))
      .replace(/\s+/g, " ")
      .replace(/ (?=[.,;:!?](?:\s|$))/g, "")
      .trim()
  );
}

function cellsOf(row: string): string {
  return row
    .split("|")
    .map((cell) => cell.trim())
    .filter((cell) => cell !== "")
    .join(", ");
}
