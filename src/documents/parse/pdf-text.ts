/** A line shorter than this share of the page's usual line ends its paragraph. */
const FULL_LINE = 0.75;

/**
 * Makes paragraphs of the lines of a page. A PDF knows lines only; a line is joined to the one before when that one
 * was full and did not end a sentence, or when the text plainly goes on. Hyphens made by the line break go.
 */
export function joinLines(lines: readonly string[]): string[] {
  const usual = usualLength(lines);
  const paragraphs: string[] = [];
  let current = "";
  let previous = "";
  for (const line of lines) {
    if (current && continues(previous, line, usual)) current = joinTwo(current, line);
    else {
      if (current) paragraphs.push(current);
      current = line;
    }
    previous = line;
  }
  if (current) paragraphs.push(current);
  return paragraphs;
}

/** Page text as pdfium gives it, as trimmed, non-empty lines. U+0002 and U+FFFE are its marks for a broken word. */
export function splitPageLines(text: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: pdfium writes this character for a line-end hyphen.
  const joined = text.replace(/[\u0002\ufffe]\s*\r?\n?/g, "");
  return joined
    .split(/\r\n|\r|\n/)
    .map((line) =>
      line
        .replace(/[ \t\u00a0]+/g, " ")
        .replace(LEADERS, " … ")
        .trim(),
    )
    .filter((line) => line !== "");
}

/** The dots between an entry and its page number in a table of contents. */
const LEADERS = /(?: ?\.){4,} ?/g;

/** The length nine lines in ten do not pass: robust against one very long line. */
function usualLength(lines: readonly string[]): number {
  const lengths = lines.map((line) => line.length).sort((a, b) => a - b);
  return lengths[Math.floor(lengths.length * 0.9)] ?? 0;
}

const STARTS_ITEM = /^(?:[•◦▪■●–—*-]\s|\(?\d{1,3}[.)]\s|\(?[a-z][.)]\s|#|\||\d+(?:\.\d+)+\s)/i;
const ENDS_SENTENCE = /[.!?:;。！？…]["'”’)\]]*$/;

function continues(previous: string, line: string, usual: number): boolean {
  if (STARTS_ITEM.test(line) || / … \S{1,6}$/.test(previous)) return false;
  if (/[\p{L}]-$/u.test(previous) && /^\p{Ll}/u.test(line)) return true;
  const isFull = usual >= 30 && previous.length >= usual * FULL_LINE;
  if (!isFull)
    return /^\p{Ll}/u.test(line) && !ENDS_SENTENCE.test(previous) && previous.length >= usual * 0.5;
  return true;
}

function joinTwo(left: string, right: string): string {
  if (/\p{Ll}-$/u.test(left) && /^\p{Ll}/u.test(right)) return left.slice(0, -1) + right;
  const isCjk = /[\u3040-\u9fff\uff00-\uffef]$/.test(left) && /^[\u3000-\u9fff\uff00-\uffef]/.test(right);
  return isCjk ? left + right : `${left} ${right}`;
}

/**
 * Running headers and footers: lines at the top or bottom that are the same on most pages but for the page's own
 * number, or that begin or end with it. They would be cut into the middle of sentences that cross pages. Lines that
 * differ in any other number are content: an invoice on each page has its own.
 */
export function dropRunningLines(pages: readonly (readonly string[])[]): string[][] {
  if (pages.length < 4) return pages.map((lines) => [...lines]);
  const enough = pages.length * 0.5;
  const shift = findShift(pages, enough);
  const keyOf = (line: string, index: number) => replaceNumber(line, shift === null ? null : index + shift);
  const keys = countAll(pages.map((lines, index) => edgeLines(lines).map((line) => keyOf(line, index))));
  return pages.map((lines, index) => {
    const isRunning = (line = "") => {
      if ((keys.get(keyOf(line, index)) ?? 0) > enough) return true;
      return shift !== null && outerNumbers(line).includes(index + shift);
    };
    let from = 0;
    let to = lines.length;
    while (from < Math.min(2, to) && isRunning(lines[from])) from += 1;
    while (to > from && to > lines.length - 2 && isRunning(lines[to - 1])) to -= 1;
    return lines.slice(from, to);
  });
}

function edgeLines(lines: readonly string[]): string[] {
  return [...lines.slice(0, 2), ...lines.slice(-2)];
}

/** Further apart, and the numbers count something else than pages. */
const MAX_SHIFT = 50;

/** What most pages print as their number, less their place in the file; null when they print none. */
function findShift(pages: readonly (readonly string[])[], enough: number): number | null {
  const shifts = countAll(
    pages.map((lines, index) =>
      edgeLines(lines).flatMap((line) => allNumbers(line).map((number) => number - index)),
    ),
  );
  for (const [shift, count] of shifts) if (count > enough && Math.abs(shift) <= MAX_SHIFT) return shift;
  return null;
}

/** On how many pages each thing is found. */
function countAll<Key>(found: readonly (readonly Key[])[]): Map<Key, number> {
  const counts = new Map<Key, number>();
  for (const keys of found) for (const key of new Set(keys)) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

function allNumbers(line: string): number[] {
  return [...line.slice(0, 300).matchAll(/\b\d{1,4}\b/g)].map(Number);
}

/** The numbers a line begins and ends with: the usual places of a page number. */
function outerNumbers(line: string): number[] {
  const numbers = [/^(\d{1,4})\b/.exec(line)?.[1], /\b(\d{1,4})$/.exec(line)?.[1]];
  return numbers.filter((number) => number !== undefined).map(Number);
}

function replaceNumber(line: string, number: number | null): string {
  return number === null ? line : line.replace(new RegExp(`\\b${number}\\b`), "#");
}
