import { createRecentCache } from "../retrieval/recent-cache.ts";

const WORD = /[\p{L}\p{N}]+/gu;
const WORDS_AND_GAPS = /[\p{L}\p{N}]+|[^\p{L}\p{N}]+/gu;
const GAP = /^[^\p{L}\p{N}]/u;
/** A run of so many words may be the beginning of a leak: it waits until the next words say. */
const SUSPICIOUS_WORDS = 4;
/** Fewer words than this are nobody's secret. */
const SECRET_WORDS_MIN = 6;
const SHARE = 0.8;

/** A text that no answer may repeat, prepared for comparison. */
export interface Secret {
  words: readonly string[];
  places: ReadonlyMap<string, readonly number[]>;
  /** How many of its words in a row are a leak. */
  limit: number;
}

/** Watches an answer while it is being written. */
export interface LeakGuard {
  /** The part of the answer that can go out; `leaked`: nothing more of it may. */
  push(text: string): { text: string; leaked: boolean };
  /** What was still waiting when the answer ended. */
  end(): { text: string; leaked: boolean };
}

const prepared = createRecentCache<Secret>(400);

/**
 * Repeating `limit` words of a text in a row is a leak; of a shorter text, most of it. A partner's prompt holds facts
 * that an answer may repeat, so its limit is higher than that of our own rules.
 */
export function secretOf(text: string, limit: number): Secret {
  const key = `${limit} ${text}`;
  const known = prepared.get(key);
  if (known !== undefined) return known;
  const words = wordsOf(text);
  const places = new Map<string, number[]>();
  for (const [index, word] of words.entries()) {
    const list = places.get(word);
    if (list === undefined) places.set(word, [index]);
    else list.push(index);
  }
  const least = words.length < SECRET_WORDS_MIN ? Number.POSITIVE_INFINITY : Math.ceil(words.length * SHARE);
  const secret = { words, places, limit: Math.min(limit, least) };
  prepared.set(key, secret);
  return secret;
}

/**
 * Compares by words, whatever stands between them and however they are capitalised. A run that has begun to follow a
 * secret waits, so that nothing of a leak but its first words has gone out when it is recognised.
 *
 * @param mark a random word of this turn, whose appearance alone is a leak
 */
export function createLeakGuard(secrets: readonly Secret[], mark: string): LeakGuard {
  const runs = secrets.map((secret) => ({ secret, lengths: new Map<number, number>() }));
  let word = "";
  let waiting = "";
  let longest = 0;
  let leaked = false;

  function finishWord(): void {
    if (word === "") return;
    const plain = word.toLowerCase();
    word = "";
    longest = 0;
    if (plain.includes(mark)) leaked = true;
    for (const run of runs) {
      const next = new Map<number, number>();
      for (const place of run.secret.places.get(plain) ?? []) {
        const length = (run.lengths.get(place - 1) ?? 0) + 1;
        next.set(place, length);
        longest = Math.max(longest, length);
        if (length >= run.secret.limit) leaked = true;
      }
      run.lengths = next;
    }
  }

  function watch(text: string): void {
    for (const piece of text.match(WORDS_AND_GAPS) ?? []) {
      if (GAP.test(piece)) finishWord();
      else word += piece;
      if (leaked) return;
    }
  }

  return {
    push(text) {
      if (leaked) return { text: "", leaked };
      watch(text);
      if (leaked) return { text: "", leaked };
      waiting += text;
      if (longest >= SUSPICIOUS_WORDS || isMarkBegun(word, mark)) return { text: "", leaked };
      const out = waiting;
      waiting = "";
      return { text: out, leaked };
    },
    end() {
      if (!leaked) finishWord();
      const out = leaked ? "" : waiting;
      waiting = "";
      return { text: out, leaked };
    },
  };
}

function isMarkBegun(word: string, mark: string): boolean {
  return word.length >= 3 && mark.startsWith(word.toLowerCase());
}

function wordsOf(text: string): string[] {
  return (text.match(WORD) ?? []).map((word) => word.toLowerCase());
}
