/**
 * The beginning of `said` that was heard, by what the carrier says it had spoken when it was interrupted. Carriers
 * write it with other spaces and signs, and some begin with the latest piece: words are compared. Whatever they write,
 * the result is a beginning of `said`.
 */
export function heardOf(said: string, spoken: string): string {
  const words = wordsOf(said);
  const heard = wordsOf(spoken).map(({ word }) => word);
  if (heard.length === 0) return "";
  let best = { at: 0, length: 0 };
  for (let at = 0; at < words.length && best.length < heard.length; at += 1) {
    const length = runAt(words, at, heard);
    if (length > best.length) best = { at, length };
  }
  // A few words that stand somewhere by chance say nothing of where it was interrupted.
  const isPlace = best.at === 0 || best.length === heard.length;
  const last = isPlace ? words[best.at + best.length - 1] : undefined;
  return last === undefined || best.length === 0 ? "" : said.slice(0, last.end);
}

/** How many of the heard words stand from `at` on; the last one may have been cut short. */
function runAt(words: readonly Word[], at: number, heard: readonly string[]): number {
  let length = 0;
  while (length < heard.length) {
    const word = words[at + length]?.word;
    const other = heard[length];
    if (word === undefined || other === undefined) break;
    const isCut = length === heard.length - 1 && length > 0 && word.startsWith(other);
    if (word !== other && !isCut) break;
    length += 1;
  }
  return length;
}

interface Word {
  word: string;
  /** Behind the word and the signs that follow it at once. */
  end: number;
}

function wordsOf(text: string): Word[] {
  return [...text.matchAll(/([\p{L}\p{N}]+)[^\s\p{L}\p{N}]*/gu)].map((match) => ({
    word: (match[1] ?? "").toLowerCase(),
    end: match.index + match[0].length,
  }));
}
