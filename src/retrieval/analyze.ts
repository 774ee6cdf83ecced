import { fold } from "./fold.ts";
import { createRecentCache, type RecentCache } from "./recent-cache.ts";
import { stem } from "./stem.ts";
import { isStopWord } from "./stop-words.ts";
import { hashTerm, type TermHash } from "./term-hash.ts";
import { forEachWord } from "./tokenize.ts";

/** A word as documents and questions share it. */
export type Term = TermHash & {
  /** Normalised and folded, not stemmed: what character n-grams are made of. */
  surface: string;
  /** Filled by `addToHashVector`. */
  grams: Uint16Array | null;
  /** Carries grammar, not a subject. */
  stop: boolean;
  /**
   * What the word's stem would be without its accents, where that is another one: documents are found under both, for
   * those who ask without (`donnees` for `données`).
   */
  plain: TermHash | null;
  /** See `Word.joined`: counts when it matches, never as missing. */
  joined: boolean;
};

/** Raised whenever the same text would give other terms: segments made by another version are rebuilt. */
export const LEXER_VERSION = 1;

/** About 15 MB a language when full: the vocabulary in use at one time. Languages beyond the fourth get less. */
const CACHED_WORDS = 60_000;
const CACHED_RARE_WORDS = 2_000;
const MAX_LANGUAGES = 64;
const caches = new Map<string | null, RecentCache<Term>>();

/**
 * The terms of `text` in order, with repetitions. The same for documents and questions, as long as `language`
 * (ISO 639-1, null when unknown) is the same.
 */
export function analyze(text: string, language: string | null): Term[] {
  const terms: Term[] = [];
  const cache = cacheFor(language);
  forEachWord(text, language, (word) => {
    if (word.joined) {
      terms.push(termOf(word.text, language, true));
      return;
    }
    let term = cache.get(word.text);
    if (term === undefined) {
      term = termOf(word.text, language, false);
      cache.set(word.text, term);
    }
    terms.push(term);
  });
  return terms;
}

/** One cache a language: putting the language into every key would cost more than the look-up itself. */
function cacheFor(language: string | null): RecentCache<Term> {
  const known = caches.get(language);
  if (known) return known;
  if (caches.size === MAX_LANGUAGES) caches.clear();
  const cache = createRecentCache<Term>(caches.size < 4 ? CACHED_WORDS : CACHED_RARE_WORDS);
  caches.set(language, cache);
  return cache;
}

function termOf(word: string, language: string | null, joined: boolean): Term {
  const stop = !joined && isStopWord(word, language);
  const surface = fold(word);
  // Codes and numbers are names, not words: nothing may be cut off them.
  const exact = joined || HAS_DIGIT.test(word);
  const base = exact ? surface : fold(stem(word, language));
  const bare = exact || surface === word ? base : fold(stem(surface, language));
  const plain =
    bare === base ? null : { ...hashTerm(bare), surface, grams: null, plain: null, stop, joined: true };
  return { ...hashTerm(base), surface, grams: null, plain, stop, joined };
}

const HAS_DIGIT = /\p{N}/u;
