import { detectLanguage } from "../src/retrieval/language.ts";
import { TUNING, type Tuning } from "../src/retrieval/tuning.ts";
import { type Corpus, loadCorpora } from "./quality-corpus.ts";
import { type Index, indexCorpus, ndcg, topPages } from "./quality-search.ts";
import { UNANSWERABLE } from "./quality-unanswerable.ts";
import { printTable } from "./retrieval-table.ts";

// How well the engine finds and refuses without an embedding model. Every sweep uses the tune half of the questions;
// the test half is looked at once, with the constants of `tuning.ts`. `node bench/quality.ts`

/** Textbook BM25 over the same words: nothing for presence, all words alike, no character n-grams. */
const PLAIN: Tuning = { ...TUNING, presence: 0, k1: 1.2, b: 0.75, stopWeight: 1, hashWeight: 0 };
/** Whole pages (they are cut at 6,000 characters), and passages of the length that a chunker makes. */
const PASSAGE_CHARS = [6_000, 1_500];

const corpora = loadCorpora();
for (const { name, pages, tune, test } of corpora) {
  console.log(`${name}: ${pages.length} pages, ${tune.length} questions to tune, ${test.length} to test`);
}
for (const chars of PASSAGE_CHARS) await report(chars);
console.log("\nLanguage told right: questions (one line), passages of 500 characters");
printTable(await Promise.all(corpora.map(languageAccuracy)));

async function report(chars: number): Promise<void> {
  const indexes = await Promise.all(corpora.map((corpus) => indexCorpus(corpus, chars)));
  const row = (system: string, tuning: Tuning, half: "tune" | "test") => ({
    system,
    ...perCorpus(indexes, (corpus, index) => ndcg(index, corpus[half], tuning).toFixed(3)),
  });
  const sweep = (change: Partial<Tuning>) => row(JSON.stringify(change), { ...TUNING, ...change }, "tune");
  console.log(
    `\nnDCG@10, tune halves, passages of ${chars} characters: one constant of tuning.ts changed at a time`,
  );
  printTable([
    row("as shipped", TUNING, "tune"),
    ...[0, 0.05, 0.1, 0.15, 0.24, 0.4, 0.6, 1].map((hashWeight) => sweep({ hashWeight })),
    ...[0, 0.1, 0.3, 0.5, 0.7].map((presence) => sweep({ presence })),
    ...[0.7, 1.2, 1.5, 2, 3].map((k1) => sweep({ k1 })),
    ...[0.5, 0.75, 1].map((b) => sweep({ b })),
    ...[0, 0.5, 1].map((stopWeight) => sweep({ stopWeight })),
  ]);
  console.log(
    "\nAt a threshold: right pages among the ten that pass / unanswerable questions that get anything",
  );
  printTable([0.1, 0.2, 0.25, 0.3, 0.4].map((threshold) => refusing(indexes, threshold)));
  console.log(`\nnDCG@10, test halves, passages of ${chars} characters`);
  printTable([
    row("plain BM25 (k1 1.2, b 0.75)", PLAIN, "test"),
    row("plain BM25 (k1 1.5, b 0.9)", { ...PLAIN, k1: 1.5, b: 0.9 }, "test"),
    row("character n-grams alone", { ...TUNING, hashWeight: 1 }, "test"),
    row("ours, words alone", { ...TUNING, hashWeight: 0 }, "test"),
    row("ours", TUNING, "test"),
  ]);
}

function refusing(indexes: Index[], threshold: number): Record<string, string> {
  const cells = perCorpus(indexes, (corpus, index) => {
    const right = corpus.tune.flatMap(({ text, page }) => topPages(index, text, TUNING).get(page) ?? []);
    const wrong = (UNANSWERABLE[corpus.language] ?? []).map(
      (question) => topPages(index, question, TUNING).values().next().value ?? 0,
    );
    return `${part(right, threshold)} / ${part(wrong, threshold)}`;
  });
  return { threshold: String(threshold), man_en: cells.man_en ?? "", man_de: cells.man_de ?? "" };
}

function part(scores: number[], threshold: number): string {
  return `${Math.round((100 * scores.filter((score) => score >= threshold).length) / scores.length)} %`;
}

function perCorpus(
  indexes: Index[],
  measure: (corpus: Corpus, index: Index) => string,
): Record<string, string> {
  return Object.fromEntries(
    corpora.flatMap((corpus, i) => {
      const index = indexes[i];
      return index ? [[corpus.name, measure(corpus, index)]] : [];
    }),
  );
}

async function languageAccuracy({ name, language, tune, pages }: Corpus): Promise<Record<string, string>> {
  const rate = async (texts: string[]) => {
    const told = await Promise.all(texts.map(detectLanguage));
    return (told.filter((answer) => answer === language).length / texts.length).toFixed(3);
  };
  const questions = await rate(tune.map(({ text }) => text));
  return { corpus: name, questions, passages: await rate(pages.map((page) => page.slice(500, 1_000))) };
}
