import { analyze, type Term } from "../retrieval/analyze.ts";
import type { Language } from "./language.ts";
import { PHRASES, type Phrases } from "./phrases.ts";
import { isRow, isRule, sentencesOf } from "./sentences.ts";
import { type Evidence, headingOf } from "./sources.ts";

const QUOTES_MAX = 4;
const QUOTE_CHARS_MAX = 500;
/** A sentence is worth quoting beside a better one when it says at least this share of what that says. */
const WORTH_SHARE = 0.5;
/** What a heading says counts this much for the sentences under it. */
const ABOUT = 0.5;
/** What a sentence says counts this much for the one that follows it in its paragraph. */
const CARRY = 0.5;
/** A small share for the weakest passage: beside a good one, its sentences must say much more. */
const LIFT = 0.1;

interface Sentence {
  source: number;
  /** Its place in the passage. */
  place: number;
  text: string;
  score: number;
}

/**
 * An answer without a model: the sentences that say most of what was asked, quoted word for word under their document
 * and heading, each with its source. Never empty where there are passages.
 */
export function writeExtract(question: string, evidence: readonly Evidence[], language: Language): string {
  const phrases = PHRASES[language];
  const chosen = chooseSentences(question, evidence);
  const quotes = evidence.flatMap((one, source) => {
    const own = chosen.filter((sentence) => sentence.source === source);
    if (own.length === 0) return [];
    return [`${placeOf(one, phrases)}\n${quote(own, one)} [${source + 1}]`];
  });
  return `${phrases.quoted}\n\n${quotes.join("\n\n")}\n\n${phrases.noModel}`;
}

/** The best sentences of all passages, those of a passage in its own order. */
function chooseSentences(question: string, evidence: readonly Evidence[]): Sentence[] {
  const read = evidence.map(readSentences);
  const weightOf = createWeights(read.flat());
  const ranked = evidence
    .flatMap((one, source) => scoreSentences(question, one, source, read[source] ?? [], weightOf))
    .toSorted((a, b) => b.score - a.score || a.source - b.source || a.place - b.place);
  const [best] = ranked;
  if (best === undefined) return [];
  return ranked
    .filter((sentence) => sentence === best || sentence.score >= best.score * WORTH_SHARE)
    .filter((sentence, index, kept) => kept.findIndex(({ text }) => text === sentence.text) === index)
    .slice(0, QUOTES_MAX)
    .toSorted((a, b) => a.source - b.source || a.place - b.place);
}

/** A sentence with the words it says, and those of the headings above it. */
interface ReadSentence {
  text: string;
  keys: ReadonlySet<string>;
  about: ReadonlySet<string>;
  /** It stands in the same paragraph as the one before it. */
  continues: boolean;
}

/** A word that many sentences say tells few of them apart, in whatever passage they stand. */
function createWeights(sentences: readonly ReadSentence[]): (key: string) => number {
  const having = new Map<string, number>();
  for (const { keys } of sentences) for (const key of keys) having.set(key, (having.get(key) ?? 0) + 1);
  return (key) => Math.log(1 + sentences.length / (1 + (having.get(key) ?? 0)));
}

function readSentences({ text, metadata }: Evidence): ReadSentence[] {
  const { language, headings, title } = metadata;
  const keysOf = (words: string) => new Set(analyze(words, language).map(keyOf));
  const above = keysOf([title, ...headings.filter((heading) => !heading.includes("|"))].join(" "));
  return text.split(/^(?=#{1,6}\s)/m).flatMap((section) => {
    const own = keysOf(/^#{1,6}\s.*/.exec(section)?.[0] ?? "");
    const about = new Set([...above, ...own]);
    return sentencesOf(section, language).map((sentence, index, all) => ({
      text: sentence,
      keys: keysOf(sentence),
      about,
      continues: index > 0 && section.includes(`${all[index - 1]} ${sentence}`),
    }));
  });
}

/** How much of the question a sentence says; a better passage lifts all of its sentences. */
function scoreSentences(
  question: string,
  { score, metadata }: Evidence,
  source: number,
  sentences: readonly ReadSentence[],
  weightOf: (key: string) => number,
): Sentence[] {
  const wanted = subjectsOf(analyze(question, metadata.language));
  let before = 0;
  return sentences.flatMap(({ text, keys, about, continues }, place) => {
    if (isRule(text)) return [];
    let own = 0;
    for (const key of wanted) {
      if (keys.has(key)) own += weightOf(key);
      // What the heading says already, every sentence under it is about.
      else if (about.has(key)) own += ABOUT * weightOf(key);
    }
    // A sentence that follows one which says it, and says much of it too, goes on about it.
    const weight = continues && own > CARRY * before ? own + CARRY * before : own;
    before = own;
    return [{ source, place, text, score: (weight + 0.02 / (place + 1)) * (LIFT + (score ?? 0.5)) }];
  });
}

function subjectsOf(terms: readonly Term[]): Set<string> {
  const subjects = terms.filter(({ stop }) => !stop);
  return new Set((subjects.length > 0 ? subjects : terms).map(keyOf));
}

function keyOf({ high, low }: Term): string {
  return `${high} ${low}`;
}

function quote(sentences: readonly Sentence[], { text, metadata }: Evidence): string {
  const lines: string[] = [];
  for (const [index, sentence] of sentences.entries()) {
    const before = sentences[index - 1];
    if (isRow(sentence.text)) {
      if (before === undefined || !isRow(before.text)) lines.push(...tableHeader(text, metadata.headings));
      if (!lines.includes(sentence.text)) lines.push(sentence.text);
    } else {
      const apart = before !== undefined && sentence.place !== before.place + 1 ? "[…] " : "";
      lines.push(apart + shorten(sentence.text));
    }
  }
  return lines.map((line) => `> ${line}`).join("\n");
}

/** A row means little without the names of its columns; they are in the passage, or among its headings. */
function tableHeader(text: string, headings: readonly string[]): string[] {
  const lines = text.split("\n");
  const rule = lines.findIndex((line) => isRow(line) && isRule(line));
  const own = rule > 0 ? [lines[rule - 1] ?? "", lines[rule] ?? ""] : undefined;
  const repeated = headings.find((heading) => heading.includes("|"))?.split("\n");
  return (own ?? repeated ?? []).map((line) => line.trim()).filter((line) => line !== "");
}

function shorten(text: string): string {
  return text.length <= QUOTE_CHARS_MAX
    ? text
    : `${text.slice(0, QUOTE_CHARS_MAX).replace(/\s+\S*$/, "")} […]`;
}

function placeOf({ metadata }: Evidence, { page }: Phrases): string {
  // The first heading of most documents is their title.
  const heading = headingOf(metadata.headings.filter((one) => one !== metadata.title));
  const parts = [metadata.title, heading].filter(Boolean).join(" › ");
  return `**${parts}**${metadata.page === null ? "" : `, ${page} ${metadata.page}`}`;
}
