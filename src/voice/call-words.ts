import { type RawBuilder, sql } from "kysely";
import { fold } from "../retrieval/fold.ts";
import { forEachWord } from "../retrieval/tokenize.ts";
import { type AskedFacts, askedWords, type CallFacts, factWords } from "./call-facts.ts";
import type { TranscriptEntry } from "./project-call.ts";

/** As much as an index takes of one call; a call of two hours says fewer different words. */
const WORDS_MAX = 5_000;
const WORD_CHARS_MAX = 100;
const ASKED_MAX = 20;

/**
 * What a call is found by. The facts are words as well: looked for together with what was said, they keep a word that
 * half of the installation says from being looked up for everybody.
 */
export function wordsVector(transcript: readonly TranscriptEntry[], facts: CallFacts): RawBuilder<string> {
  const words = new Set(factWords(facts));
  for (const { text } of transcript)
    for (const word of wordsOf(text)) if (words.size < WORDS_MAX) words.add(word);
  return sql<string>`array_to_tsvector(${[...words]}::text[])`;
}

/** The words of a question, each once; empty: there is none in it. */
export function askedOf(q: string): string[] {
  return [...new Set(wordsOf(q))].slice(0, ASKED_MAX);
}

/** Every word must have been said, in any order, in a call of these facts. A `tsquery`. */
export function wordsQuery(asked: readonly string[], facts: AskedFacts): string {
  const alternatives = [...askedWords(facts), ...asked.map((word) => [word])];
  return alternatives.map((words) => `(${words.map(quoted).join(" | ")})`).join(" & ");
}

function quoted(word: string): string {
  return `'${word.replaceAll(/['\\]/g, "")}'`;
}

/** Letters and digits only, so that no word can pass for a fact. */
function wordsOf(text: string): string[] {
  const words: string[] = [];
  forEachWord(text, null, (word) => {
    if (!word.joined) words.push(fold(word.text).slice(0, WORD_CHARS_MAX));
  });
  return words;
}
