/**
 * A word as it stands in the text, normalised. `joined` marks the whole of a compound whose parts are words of their
 * own (`sku-123/a` beside `sku`, `123`, `a`) and pairs of characters in unspaced scripts: it helps when it matches and
 * must not count as missing when it does not.
 */
export type Word = { text: string; joined: boolean };

/** How text is compared: compatibility forms unified, lower case. Diacritics stay until after stemming. */
export function normalize(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}

/** Calls `visit` for every word of `text`, in order. `language` chooses the dictionary for unspaced scripts. */
export function forEachWord(text: string, language: string | null, visit: (word: Word) => void): void {
  const normal = normalize(text);
  const unspaced = UNSPACED.test(normal);
  for (const token of normal.match(TOKEN) ?? []) {
    if (unspaced && UNSPACED.test(token)) splitUnspaced(token, language, visit);
    else if (JOINT.test(token)) splitCompound(token, visit);
    else visit({ text: token, joined: false });
  }
}

const PART = "[\\p{L}\\p{N}][\\p{L}\\p{N}\\p{M}]*(?:\\+\\+|#(?![\\p{L}\\p{N}]))?";
const TOKEN = new RegExp(`${PART}(?:[-_./@:&'’·]${PART}){0,15}`, "gu");
const JOINT = /[-_./@:&'’·]/;
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/** Numbers keep a separator (`1.2.3` is not `123`); everything else is joined without one (`e-mail` is `email`). */
function splitCompound(token: string, visit: (word: Word) => void): void {
  const parts = token.split(/[-_./@:&'’·]/);
  for (const part of parts) visit({ text: part, joined: false });
  const numeric = /^[\p{N}\p{P}]+$/u.test(token);
  visit({ text: parts.join(numeric ? "." : ""), joined: true });
}

/** Dictionary words, and every pair of neighbouring characters, since the dictionary cuts by context. */
function splitUnspaced(token: string, language: string | null, visit: (word: Word) => void): void {
  // The segmenter's time grows faster than its input: never hand it more than a long sentence.
  for (let at = 0; at < token.length; at += 500) {
    const slice = token.slice(at, at + 500);
    for (const { segment, isWordLike } of segmenterFor(slice, language).segment(slice)) {
      if (isWordLike) visit({ text: segment, joined: false });
    }
    const characters = Array.from(slice);
    if (characters.length < 3) continue;
    for (let i = 1; i < characters.length; i++) {
      visit({ text: `${characters[i - 1]}${characters[i]}`, joined: true });
    }
  }
}

const segmenters = new Map<string, Intl.Segmenter>();

function segmenterFor(text: string, language: string | null): Intl.Segmenter {
  const locale = localeFor(text, language);
  let segmenter = segmenters.get(locale);
  if (segmenter === undefined) {
    segmenter = new Intl.Segmenter(locale, { granularity: "word" });
    segmenters.set(locale, segmenter);
  }
  return segmenter;
}

function localeFor(text: string, language: string | null): string {
  if (/[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(text)) return "ja";
  if (/\p{Script=Han}/u.test(text)) return language === "ja" ? "ja" : "zh";
  return "th";
}
