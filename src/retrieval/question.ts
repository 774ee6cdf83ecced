import { analyze, type Term } from "./analyze.ts";
import type { GramWord } from "./hash-vector.ts";
import type { TermHash } from "./term-hash.ts";

/** One spelling of a question word: its term in one or more of the workspace's languages. */
export type Variant = { high: number; low: number; languages: (string | null)[] };

/** One word of the question, however often it stands there. */
export type QuestionWord = GramWord & { stop: boolean; joined: boolean; variants: Variant[] };

/** Longer questions are cut: what follows is a pasted document, and every word costs a look-up in every document. */
const MAX_WORDS = 64;
const MAX_CHARS = 20_000;

/**
 * The words of a question, stemmed once for each language present in the workspace, because the language of three
 * words cannot be told. A word is a stop word if it is one in any of those languages.
 */
export function analyzeQuestion(question: string, languages: (string | null)[]): QuestionWord[] {
  const words = new Map<string, QuestionWord>();
  const text = question.slice(0, MAX_CHARS);
  for (const language of languages.length === 0 ? [null] : languages) {
    const seen = new Set<string>();
    for (const term of analyze(text, language)) {
      const key = `${term.joined ? "+" : " "}${term.surface}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const word = words.get(key) ?? newWord(term);
      if (!words.has(key) && words.size === MAX_WORDS) continue;
      words.set(key, word);
      word.stop ||= term.stop;
      addVariant(word, term, language);
    }
  }
  return [...words.values()];
}

function addVariant(word: QuestionWord, { high, low }: TermHash, language: string | null): void {
  const same = word.variants.find((variant) => variant.high === high && variant.low === low);
  if (same) same.languages.push(language);
  else word.variants.push({ high, low, languages: [language] });
}

function newWord({ surface, grams, joined }: Term): QuestionWord {
  return { surface, grams, stop: false, joined, variants: [] };
}
