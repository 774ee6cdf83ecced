import { reachWithin } from "./chunk-tokens.ts";
import { isSpace } from "./chunk-units.ts";

/** How far back from the limit a sentence may end and still be the place to cut. */
const LOOK_BACK_CHARS = 1_000;
const SENTENCES = new Intl.Segmenter("en", { granularity: "sentence" });
const GRAPHEMES = new Intl.Segmenter("en", { granularity: "grapheme" });

/**
 * Where to end a piece of at most `budget` hundredths of a token that begins at `start`: after a sentence when one
 * ends in the second half, else after a line, a word, a visible character, a code point; in this order. The answer
 * is after `start` and at most `end`.
 */
export function findCut(text: string, start: number, end: number, budget: number): number {
  const limit = reachWithin(text, start, end, budget);
  if (limit >= end) return end;
  const half = start + Math.ceil((limit - start) / 2);
  const from = Math.max(half, limit - LOOK_BACK_CHARS);
  return (
    findSentenceEnd(text, from, limit) ??
    findAfter(text, from, limit, isLineFeed) ??
    findAfter(text, half, limit, isSpace) ??
    findGraphemeEnd(text, start, limit)
  );
}

const ENDS_SENTENCE = /[.!?…。！？｡:;][)\]"'”’»」』）]*\s*$/;

/** The segmenter is quadratic in the length of its text, so it only ever sees the last thousand characters. */
function findSentenceEnd(text: string, from: number, limit: number): number | null {
  let best: number | null = null;
  for (const { index, segment } of SENTENCES.segment(text.slice(from, limit))) {
    const end = from + index + segment.length;
    // The last one is not a sentence but what the limit cut off.
    if (end < limit && ENDS_SENTENCE.test(segment.slice(-12))) best = end;
  }
  return best;
}

function isLineFeed(code: number): boolean {
  return code === 10;
}

function findAfter(
  text: string,
  from: number,
  limit: number,
  matches: (code: number) => boolean,
): number | null {
  for (let at = limit; at > from; at -= 1) if (matches(text.charCodeAt(at - 1))) return at;
  return null;
}

const MAX_GRAPHEME_CHARS = 64;

/** Before the character the limit falls into, unless that one character is all there is. */
function findGraphemeEnd(text: string, start: number, limit: number): number {
  const from = Math.max(start, limit - MAX_GRAPHEME_CHARS);
  let best = start;
  for (const { index } of GRAPHEMES.segment(text.slice(from, limit + MAX_GRAPHEME_CHARS))) {
    if (from + index > limit) break;
    // The window may begin inside of a character, so its own beginning proves nothing.
    if (index > 0) best = from + index;
  }
  return best > start ? best : findCodePointEnd(text, start, limit);
}

function findCodePointEnd(text: string, start: number, limit: number): number {
  const before = text.charCodeAt(limit - 1);
  const after = text.charCodeAt(limit);
  const splitsPair = before >= 0xd800 && before <= 0xdbff && after >= 0xdc00 && after <= 0xdfff;
  if (!splitsPair) return limit;
  return limit - 1 > start ? limit - 1 : limit + 1;
}
