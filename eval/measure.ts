// How an answer is judged: by words and numbers, without a model, so that the same answer always gets the same mark.

/** A passage that an answer may lean on, and what the platform says of its place. */
export interface Evidence {
  text: string;
  title: string;
  heading: string | null;
  page: number | null;
}

/** Whether `text` holds the words of `place` in a row, whatever stands between them in tables and at line ends. */
export function holds(text: string, place: string): boolean {
  return plain(text).includes(plain(place));
}

/**
 * Whether `text` states a fact: as words of their own, or, when the fact is a number, as that number in any spelling
 * (`1.740,00` is `1,740`). Alternatives are parted by `|`.
 */
export function states(text: string, fact: string): boolean {
  return fact.split("|").some((wanted) => {
    if (/^[\d.,]+$/.test(wanted)) return numbersIn(text).includes(toNumber(wanted));
    return ` ${words(text).join(" ")} `.includes(` ${words(wanted).join(" ")} `);
  });
}

/** The numbers of `[1]`, `[2]` … in an answer, each once. */
export function citedNumbers(answer: string): number[] {
  return [...new Set([...answer.matchAll(/\[(\d{1,3})\]/g)].map(([, number]) => Number(number)))];
}

/** Share of a sentence's words that its passages must hold for it to count as supported. */
const SUPPORTED_SHARE = 0.7;
/** Shorter sentences say nothing that could be checked: greetings, headings. */
const MIN_WORDS = 3;

/**
 * The sentences of an answer that state something, and how many of them are supported: at least 70 % of their
 * words, and every number, are in the passages cited in the sentence, or, where it cites none, in those that the
 * answer cites. Title, heading and page count as part of a passage.
 *
 * @param sources what the numbers of the citations stand for: `[1]` is the first
 * @param fixed sentences of the platform's own, which are not about the documents
 */
export function countSupported(
  answer: string,
  sources: readonly Evidence[],
  fixed: readonly string[],
): { sentences: number; supported: number; unsupported: string[] } {
  const everywhere = citedNumbers(answer);
  const own = fixed.reduce((text, sentence) => text.replaceAll(sentence, ""), answer);
  const stated = splitSentences(own).filter(
    (sentence) => words(withoutCitations(sentence)).length >= MIN_WORDS,
  );
  const unsupported = stated.filter((sentence) => {
    const named = citedNumbers(sentence);
    const cited = (named.length > 0 ? named : everywhere).flatMap((number) => sources[number - 1] ?? []);
    return !isSupported(withoutCitations(sentence), cited);
  });
  return { sentences: stated.length, supported: stated.length - unsupported.length, unsupported };
}

function isSupported(sentence: string, cited: readonly Evidence[]): boolean {
  const known = new Set(
    cited.flatMap(({ text, title, heading, page }) => words(`${text} ${title} ${heading} ${page}`)),
  );
  const said = words(sentence);
  const numbers = said.filter((word) => /\d/.test(word));
  const shared = said.filter((word) => known.has(word)).length;
  return shared >= SUPPORTED_SHARE * said.length && numbers.every((number) => known.has(number));
}

/** A citation behind the full stop belongs to the sentence before it. */
function splitSentences(text: string): string[] {
  return text
    .replaceAll(/([.!?])((?:\s*\[\d{1,3}\])+)/g, "$2$1")
    .split(/(?<=[.!?])\s+(?=\p{Lu}|\p{N}|["«“>-])|\n+/u)
    .filter((sentence) => sentence.trim() !== "");
}

function withoutCitations(text: string): string {
  return text.replaceAll(/\[\d{1,3}\]/g, " ");
}

function plain(text: string): string {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replaceAll(/[\s|*#>`_\\]+/g, " ")
    .replaceAll(/(?: -+)+ /g, " ");
}

function words(text: string): string[] {
  return plain(text).match(/[\p{L}\p{N}]+(?:[.,:'’@-][\p{L}\p{N}]+)*/gu) ?? [];
}

function numbersIn(text: string): number[] {
  return (text.match(/\d+(?:[.,]\d+)*/g) ?? []).map(toNumber);
}

/** The last separator is a decimal one unless exactly three digits follow it. */
function toNumber(written: string): number {
  const decimal = /[.,](\d{1,2}|\d{4,})$/.exec(written)?.[1];
  const whole = decimal === undefined ? written : written.slice(0, -decimal.length - 1);
  return Number(`${whole.replaceAll(/[.,]/g, "")}.${decimal ?? "0"}`);
}
