import type { QuestionWord } from "./question.ts";
import type { Tuning } from "./tuning.ts";

/** A question word, how many passages of the workspace hold it, and the kernel's tables of where. */
export type FoundWord = { word: QuestionWord; frequency: number; tables: number[] };

/** `share` is the part of the question that the word makes up. */
export type WeighedWord = FoundWord & { idf: number; share: number };

/**
 * Passages that every workspace is assumed to have beside its own. In a workspace of three passages every word that
 * occurs would otherwise look common, and every word that does not, decisive.
 */
const ASSUMED_PASSAGES = 100;
const ASSUMED_FREQUENCY = 0.5;
/**
 * Stop words together are worth at most this part of what the subject words are worth. Small enough that stop words and
 * the character n-gram vector together stay below the default threshold of 0.25.
 */
const MAX_STOP_PART = 0.05;

/**
 * Divides the question among its words by inverse document frequency; the shares add up to 1, or to less when the
 * question has nothing but stop words: such a question has no subject, and nothing answers it.
 */
export function weighWords(words: FoundWord[], passages: number, { stopWeight }: Tuning): WeighedWord[] {
  // The whole of a compound helps where it occurs; where it does not, its parts speak for it.
  const counted = words.filter(({ word, frequency }) => !word.joined || frequency > 0);
  const weighed = counted.map((found) => ({ ...found, idf: idf(found.frequency, passages), share: 0 }));
  const sum = (stop: boolean) =>
    weighed.reduce((total, { word, idf }) => total + (word.stop === stop ? idf : 0), 0);
  const subject = sum(false);
  const grammar = sum(true);
  const stopFactor =
    subject === 0 ? stopWeight : Math.min(stopWeight, (MAX_STOP_PART * subject) / (grammar || 1));
  const total = subject === 0 ? grammar : subject + stopFactor * grammar;
  for (const found of weighed) found.share = (found.idf * (found.word.stop ? stopFactor : 1)) / (total || 1);
  return weighed;
}

function idf(frequency: number, passages: number): number {
  const all = passages + ASSUMED_PASSAGES;
  const holding = Math.min(frequency, passages) + ASSUMED_FREQUENCY;
  return Math.log(1 + (all - holding + 0.5) / (holding + 0.5));
}
