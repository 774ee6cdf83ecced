/** The first words should be heard soon; after that, longer pieces are spoken better. */
const FIRST_CHARS_MIN = 8;
const CHARS_MIN = 40;
/** Text without any stop is cut at a space by then. */
const CHARS_MAX = 200;
/** A bracket that is not closed within this many characters is no link. */
const LINK_CHARS_MAX = 300;

const HARD_STOP = /[.!?…]/;
const SOFT_STOP = /[,;:–—]/;
/** Stops of scripts that put no space behind them. */
const WIDE_STOP = /[。！？；，、：]/;
const CLOSING = /["'”’»)\]*_]/;

/** Words that end in a point and no sentence, in the languages that the assistant speaks. */
const ABBREVIATIONS = new Set(
  [
    "dr prof mr mrs ms st no nr vs etc approx dept fig vol inc ltd co jr sr e.g i.e a.m p.m u.s",
    "bzw ca evtl ggf inkl max min mind mio mrd str tel usw vgl zzgl abs art bspw dipl ing geb hr fr frl sog tägl wtl z.b d.h u.a u.u o.ä i.d.r",
    "sig sigg sig.ra dott dott.ssa avv arch geom ecc es p.es pag art cfr tel vs on gent egr n",
    "m mm mme mlle me av bd env p.ex c.-à-d réf tél",
    "sr sra srta dña d ud uds pág p.ej aprox núm av avda dpto",
    "exmo exma sr.ª d.ª n.º pág ex av dra",
    "dhr mevr mw bijv d.w.z o.a m.b.t blz tel nr",
  ].flatMap((line) => line.split(" ")),
);

/** A text that comes in pieces, cut where a voice would pause. */
export interface Clauses {
  clauses: string[];
  /** What is not over yet. */
  rest: string;
}

/**
 * Cuts off the clauses of `text` that are complete: joined with the rest they are the text, to the last character, and
 * they are the same in however many pieces it came.
 *
 * @param isFirst nothing of the answer has been spoken yet
 */
export function takeClauses(text: string, isFirst: boolean): Clauses {
  const clauses: string[] = [];
  let rest = text;
  for (;;) {
    const end = endOfClause(rest, isFirst && clauses.length === 0 ? FIRST_CHARS_MIN : CHARS_MIN);
    if (end === -1) return { clauses, rest };
    clauses.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
}

/** Where the first clause ends, by what comes before that place only; -1: not yet. */
function endOfClause(text: string, charsMin: number): number {
  let opened = -1;
  let space = -1;
  for (let index = 0; index < text.length; index += 1) {
    const char = text[index] ?? "";
    opened = openedBy(text, index, opened);
    const isInLink = opened !== -1 && index - opened < LINK_CHARS_MAX;
    if (!isInLink) {
      if (char === "\n") return index + 1;
      // Behind a letter it is no decimal comma: nothing has to be waited for.
      if (/[,;]/.test(char) && index + 1 >= charsMin && /\p{L}/u.test(text[index - 1] ?? ""))
        return index + 1;
      if (WIDE_STOP.test(char) && index + 1 >= FIRST_CHARS_MIN) return index + 1;
      if (/\s/.test(char)) {
        if (isStop(text, index, charsMin)) return index + 1;
        space = index;
      }
    }
    // A word without end is cut in the middle, but never a character.
    if (index >= CHARS_MAX && space !== -1) return space + 1;
    if (index >= CHARS_MAX + LINK_CHARS_MAX && !isHighSurrogate(text, index)) return index + 1;
  }
  return -1;
}

/** Where the link begins that is still open behind `index`. */
function openedBy(text: string, index: number, opened: number): number {
  const char = text[index];
  if (char === "[" && opened === -1) return index;
  if (opened === -1) return -1;
  if (char === ")") return -1;
  // The bracket is closed; only a parenthesis makes it a link.
  if (text[index - 1] === "]" && char !== "(") return char === "[" ? index : -1;
  return opened;
}

/** Whether a voice pauses at the space at `index`. */
function isStop(text: string, index: number, charsMin: number): boolean {
  let last = index - 1;
  while (last > 0 && CLOSING.test(text[last] ?? "")) last -= 1;
  const char = text[last] ?? "";
  if (SOFT_STOP.test(char)) return index + 1 >= charsMin;
  if (!HARD_STOP.test(char)) return false;
  return char !== "." || !isAbbreviation(text.slice(0, last));
}

/** Behind it stands a point: of an abbreviation, an initial or an ordinal number, which all go on. */
function isAbbreviation(before: string): boolean {
  const word = /[\p{L}\p{N}.\-ªº]*$/u.exec(before)?.[0].toLowerCase() ?? "";
  return /^\p{L}$|^\d{1,3}$/u.test(word) || ABBREVIATIONS.has(word);
}

function isHighSurrogate(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code >= 0xd800 && code <= 0xdbff;
}
