/** Prose this long is no sentence; it is cut at its lines. */
const SENTENCE_CHARS_MAX = 600;
const MARKUP = /^\s*(?:#{1,6}\s|[-*+]\s|\d{1,3}[.)]\s|>\s?)/;

const segmenters = new Map<string, Intl.Segmenter>();

/** The sentences of a passage as Markdown has it: items and rows of tables are sentences of their own. */
export function sentencesOf(text: string, language: string | null): string[] {
  return text
    .split(/\n+/)
    .flatMap((line) => (isRow(line) || MARKUP.test(line) ? [line] : splitProse(line, language)))
    .map((line) => line.trim())
    .filter((line) => /[\p{L}\p{N}]/u.test(line) && !/^#{1,6}\s/.test(line));
}

function splitProse(line: string, language: string | null): string[] {
  let segmenter = segmenters.get(language ?? "en");
  if (segmenter === undefined) {
    segmenter = new Intl.Segmenter(language ?? "en", { granularity: "sentence" });
    segmenters.set(language ?? "en", segmenter);
  }
  const sentences: string[] = [];
  for (const { segment } of segmenter.segment(line)) {
    const last = sentences.at(-1);
    // The segmenter takes the point of an abbreviation or a number for an end: what begins small goes on.
    if (last !== undefined && /^[\p{Ll}\p{N}]/u.test(segment) && last.length < SENTENCE_CHARS_MAX)
      sentences[sentences.length - 1] = last + segment;
    else sentences.push(segment);
  }
  return sentences;
}

export function isRow(line: string): boolean {
  return /^\s*\|.*\|\s*$/.test(line);
}

/** A rule between a table's header and its rows says nothing. */
export function isRule(line: string): boolean {
  return /^[\s|:-]+$/.test(line);
}
