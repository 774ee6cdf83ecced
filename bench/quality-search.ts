import { encodeSegment } from "../src/retrieval/encode-segment.ts";
import { createSearchMemory, loadSegment } from "../src/retrieval/search-memory.ts";
import { searchShard } from "../src/retrieval/search-shard.ts";
import { createShard, type Shard, setDocuments } from "../src/retrieval/shard.ts";
import type { Tuning } from "../src/retrieval/tuning.ts";
import type { Corpus, Question } from "./quality-corpus.ts";

/** A workspace of one document in lexical mode, and the page that each of its passages is from. */
export type Index = { shard: Shard; pageOf: number[] };

/** @param passageChars pages are cut into passages of this length; a page is as good as its best passage */
export async function indexCorpus({ pages, language }: Corpus, passageChars: number): Promise<Index> {
  const place = { start: 0, end: 0, page: null, headings: [], tokens: 0, language: null };
  const pageOf: number[] = [];
  const chunks = pages.flatMap((text, page) =>
    Array.from({ length: Math.ceil(text.length / passageChars) }, (_, i) => {
      pageOf.push(page);
      return { text: text.slice(i * passageChars, (i + 1) * passageChars), ...place };
    }),
  );
  const bytes = encodeSegment({ title: "", language, chunks, vectors: null });
  const memory = createSearchMemory();
  const segment = await loadSegment(memory, "corpus", (start, length) =>
    bytes.subarray(start, start + length),
  );
  const shard = createShard(memory);
  const attributes = { documentId: "1", folder: "", docpath: "", language, metadata: {} };
  setDocuments(shard, [{ attributes, segment }]);
  return { shard, pageOf };
}

/** The ten best pages with the scores of their best passages. */
export function topPages({ shard, pageOf }: Index, question: string, tuning: Tuning): Map<number, number> {
  const pages = new Map<number, number>();
  for (const { chunk, score } of searchShard(
    shard,
    { question, queryVector: null, topN: 50, threshold: 0 },
    tuning,
  )) {
    const page = pageOf[chunk] ?? -1;
    if (pages.size < 10 && !pages.has(page)) pages.set(page, score);
  }
  return pages;
}

/** Mean nDCG@10 with one relevant page a question: 1 / log2(rank + 1), 0 beyond the tenth. */
export function ndcg(index: Index, questions: Question[], tuning: Tuning): number {
  let sum = 0;
  for (const { text, page } of questions) {
    const rank = [...topPages(index, text, tuning).keys()].indexOf(page);
    if (rank >= 0) sum += 1 / Math.log2(rank + 2);
  }
  return sum / questions.length;
}
