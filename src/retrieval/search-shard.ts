import { compileFilter, type SearchFilter } from "./filter.ts";
import { addToHashVector, HASH_DIMENSIONS } from "./hash-vector.ts";
import { ENTRY_BYTES, HIT_BYTES } from "./kernel/kernel.ts";
import { quantizeQuery } from "./quantize.ts";
import { analyzeQuestion, type QuestionWord } from "./question.ts";
import type { LoadedSegment } from "./search-memory.ts";
import { documentOf, languageBits, type Shard, type ShardDocument } from "./shard.ts";
import { TUNING, type Tuning } from "./tuning.ts";
import { type FoundWord, type WeighedWord, weighWords } from "./word-weights.ts";

export type ShardQuestion = {
  question: string;
  /** The question, embedded. Compared with documents of the same model and dimensions; null searches words alone. */
  queryVector: { model: string; values: Float32Array } | null;
  topN: number;
  /** 0..1; a hit below it is not returned. */
  threshold: number;
  filter?: SearchFilter;
};

export type ShardHit = {
  document: ShardDocument;
  chunk: number;
  /** 0..1, falls with rank. */
  score: number;
  /** Share of the question's word weight that the passage holds, 0..1. */
  lexical: number;
  /** Cosine with the question, above the model's floor, 0..1; 0 without comparable vectors. */
  cosine: number;
};

/**
 * The best passages of a workspace, best first, ties in the order of its documents.
 * The score is a weighted mean of two absolute measures, so it says the same in every workspace: it does not depend on
 * the best hit, and a question the documents do not speak of gets nothing.
 */
export function searchShard(shard: Shard, asked: ShardQuestion, tuning: Tuning = TUNING): ShardHit[] {
  if (shard.passages === 0 || asked.topN < 1) return [];
  if (!applyFilter(shard, asked.filter)) return [];
  const { scratch, kernel } = shard.memory;
  const bytes = shard.passages * 4;
  const lexical = scratch("lexical", bytes);
  const cosines = scratch("cosines", bytes);
  const words = scoreWords(shard, asked.question, lexical, tuning);
  const mixes = scoreVectors(shard, asked, words, cosines, tuning);
  const hits = scratch("hits", asked.topN * HIT_BYTES);
  let count = 0;
  for (const { selector, first, end } of shard.runs) {
    const { weight, floor } = mixes[selector] ?? NO_VECTORS;
    const { threshold, topN } = asked;
    count = kernel.rank(first, end, lexical, cosines, weight, floor, threshold, topN, count, hits);
  }
  return readHits(shard, hits, count);
}

/** How a run of documents weighs its vectors against its words. */
type Mix = { weight: number; floor: number };

const NO_VECTORS: Mix = { weight: 0, floor: 0 };

/**
 * Marks the documents that may answer; false when none may. Of those with the same content, under several names, one
 * may: it says all that the others could.
 */
function applyFilter(shard: Shard, filter: SearchFilter | undefined): boolean {
  const allowed = compileFilter(filter);
  if (allowed === null && !shard.filtered && !shard.repeated) return true;
  const width = ENTRY_BYTES / 4;
  const words = new Uint32Array(
    shard.memory.kernel.memory.buffer,
    shard.entries,
    shard.documents.length * width,
  );
  const answering = new Set<LoadedSegment>();
  shard.documents.forEach(({ attributes, segment }, i) => {
    const yes = !answering.has(segment) && (allowed === null || allowed(attributes));
    words[i * width + 2] = yes ? 1 : 0;
    if (yes) answering.add(segment);
  });
  const active = answering.size;
  shard.filtered = active < shard.documents.length;
  return active > 0;
}

/** Fills the lexical scores. Frequencies are those of the whole workspace, whatever the filter. */
function scoreWords(shard: Shard, question: string, lexical: number, tuning: Tuning): WeighedWord[] {
  const { kernel } = shard.memory;
  const found = findWords(shard, analyzeQuestion(question, shard.languages));
  const weighed = weighWords(found, shard.passages, tuning);
  clear(shard, lexical);
  const { presence, k1, b } = tuning;
  const slope = (k1 * b) / Math.max(1, shard.meanLength);
  for (const { tables, share } of weighed) {
    for (const table of tables) {
      const { entries, documents } = shard;
      kernel.accumulate(entries, documents.length, table, share, presence, k1 * (1 - b), slope, lexical);
    }
  }
  return weighed;
}

/** Looks all spellings of the question's words up; spellings that nobody uses are left out. */
function findWords(shard: Shard, words: QuestionWord[]): FoundWord[] {
  shard.found?.begin(words.reduce((sum, { variants }) => sum + variants.length, 0));
  return words.map((word) => {
    const foundWord: FoundWord = { word, frequency: 0, tables: [] };
    for (const { high, low, languages } of word.variants) {
      const found = shard.found?.find(high, low, languageBits(shard, languages));
      if (!found?.frequency) continue;
      foundWord.frequency += found.frequency;
      foundWord.tables.push(found.address);
    }
    return foundWord;
  });
}

/** Fills the cosines of every document whose vectors can be compared; returns the mix of every selector. */
function scoreVectors(
  shard: Shard,
  { queryVector: vector }: ShardQuestion,
  words: WeighedWord[],
  cosines: number,
  tuning: Tuning,
): Mix[] {
  const mixes: Mix[] = [NO_VECTORS];
  clear(shard, cosines);
  shard.makers.forEach((maker, i) => {
    const selector = i + 1;
    mixes[selector] = NO_VECTORS;
    if (maker.hashed) {
      scan(shard, selector, hashQuestion(words), cosines);
      mixes[selector] = { weight: tuning.hashWeight, floor: 0 };
    } else if (vector && vector.model === maker.model && vector.values.length === maker.dimensions) {
      scan(shard, selector, vector.values, cosines);
      mixes[selector] = { weight: tuning.denseWeight, floor: tuning.cosineFloor };
    }
  });
  return mixes;
}

function scan(shard: Shard, selector: number, vector: Float32Array, cosines: number): void {
  const { values, scale } = quantizeQuery(vector);
  const { kernel, scratch } = shard.memory;
  const query = scratch("query", values.byteLength);
  new Int16Array(kernel.memory.buffer, query, values.length).set(values);
  kernel.scan(shard.entries, shard.documents.length, selector, query, scale, cosines);
}

function hashQuestion(words: WeighedWord[]): Float32Array {
  const vector = new Float32Array(HASH_DIMENSIONS);
  for (const { word, idf } of words) if (!word.stop) addToHashVector(vector, word, idf);
  return vector;
}

function clear(shard: Shard, scores: number): void {
  new Uint8Array(shard.memory.kernel.memory.buffer, scores, shard.passages * 4).fill(0);
}

function readHits(shard: Shard, address: number, count: number): ShardHit[] {
  const view = new DataView(shard.memory.kernel.memory.buffer, address, count * HIT_BYTES);
  return Array.from({ length: count }, (_, i) => {
    const at = i * HIT_BYTES;
    return {
      ...documentOf(shard, view.getUint32(at, true)),
      score: view.getFloat32(at + 4, true),
      lexical: view.getFloat32(at + 8, true),
      cosine: view.getFloat32(at + 12, true),
    };
  });
}
