import { analyze, type Term } from "./analyze.ts";
import { addToHashVector, HASH_DIMENSIONS, HASH_MODEL } from "./hash-vector.ts";
import type { Chunk, SegmentInput } from "./segment.ts";
import type { TermHash } from "./term-hash.ts";
import { createTermTable, type TermTable } from "./term-table.ts";

/** The words of a document version, inverted. */
export type Lexicon = {
  /** Ascending 48-bit term keys. */
  keys: Float64Array;
  /** First term of every bucket of keys that share their upper `bucketBits` bits. */
  buckets: Uint32Array;
  bucketBits: number;
  postingStarts: Uint32Array;
  /** Chunk and frequency in one number: 12 + 4 bits where the document is small enough, else 24 + 8. */
  postings: Uint16Array | Uint32Array;
  /** Words per chunk, at most 65,535. */
  lengths: Uint16Array;
  /** Languages the words were stemmed in. */
  languages: (string | null)[];
  /** One per chunk: the given ones, or made of character n-grams. */
  vectors: Float32Array[];
  /** What made the vectors. */
  model: string;
};

export function buildLexicon(input: SegmentInput): Lexicon {
  if (input.chunks.length >= 2 ** 24) throw new RangeError("A document may have at most 16,777,215 chunks.");
  const table = createTermTable();
  const found: Found = { terms: [], chunks: [], counts: [] };
  const lengths = new Uint16Array(input.chunks.length);
  const vectors = input.vectors
    ? input.vectors.values
    : input.chunks.map(() => new Float32Array(HASH_DIMENSIONS));
  const languages = new Set<string | null>();
  input.chunks.forEach((chunk, index) => {
    const language = chunk.language ?? input.language;
    languages.add(language);
    const counts = countTerms(analyze(searchedText(input.title, chunk), language), table);
    let length = 0;
    for (const { id, term, count } of counts) {
      found.terms.push(id);
      found.chunks.push(index);
      found.counts.push(count);
      if (term && !term.joined) length += count;
    }
    lengths[index] = Math.min(65_535, length);
    if (!input.vectors) fillHashVector(vectors[index], counts);
  });
  return {
    ...invert(table.keys(), found, input.chunks.length),
    lengths,
    languages: [...languages].sort(),
    vectors,
    model: input.vectors?.model ?? HASH_MODEL,
  };
}

type Found = { terms: number[]; chunks: number[]; counts: number[] };
/** `term` is null for a word's second spelling: found, but neither counted nor compared. */
type Counted = { id: number; term: Term | null; count: number };

/** Title and headings say what a passage is about when its own words do not. */
function searchedText(title: string, chunk: Chunk): string {
  return [title, ...chunk.headings, chunk.text].join("\n");
}

/** The distinct terms of a passage, in the order of their first occurrence. */
function countTerms(terms: Term[], table: TermTable): Counted[] {
  const seen = new Map<number, Counted>();
  const count = ({ high, low }: TermHash, term: Term | null) => {
    const id = table.idOf(high, low);
    const counted = seen.get(id);
    if (!counted) seen.set(id, { id, term, count: 1 });
    else {
      counted.count++;
      counted.term ??= term;
    }
  };
  for (const term of terms) {
    count(term, term);
    if (term.plain) count(term.plain, null);
  }
  return [...seen.values()];
}

function fillHashVector(vector: Float32Array | undefined, counts: Counted[]): void {
  if (!vector) return;
  for (const { term, count } of counts) {
    if (term && !term.stop) addToHashVector(vector, term, 1 + Math.log(count));
  }
}

/** @param unsorted term keys by term id */
function invert(unsorted: Float64Array, found: Found, chunkCount: number) {
  const order = Uint32Array.from(unsorted.keys()).sort((a, b) => (unsorted[a] ?? 0) - (unsorted[b] ?? 0));
  const keys = Float64Array.from(order, (id) => unsorted[id] ?? 0);
  const rankOf = new Uint32Array(keys.length);
  order.forEach((id, rank) => {
    rankOf[id] = rank;
  });
  const postingStarts = new Uint32Array(keys.length + 1);
  for (const term of found.terms) bump(postingStarts, (rankOf[term] ?? 0) + 1);
  for (let i = 1; i <= keys.length; i++)
    postingStarts[i] = (postingStarts[i] ?? 0) + (postingStarts[i - 1] ?? 0);
  const narrow = chunkCount <= 4_096;
  const postings = narrow ? new Uint16Array(found.terms.length) : new Uint32Array(found.terms.length);
  const next = postingStarts.slice();
  found.terms.forEach((term, i) => {
    const chunk = found.chunks[i] ?? 0;
    const count = found.counts[i] ?? 0;
    const at = bump(next, rankOf[term] ?? 0);
    // Frequencies are capped: beyond this, BM25 hardly tells them apart.
    postings[at] = narrow ? (chunk << 4) | Math.min(15, count) : (chunk << 8) | Math.min(255, count);
  });
  return { keys, postingStarts, postings, ...makeBuckets(keys) };
}

function bump(counters: Uint32Array, index: number): number {
  const before = counters[index] ?? 0;
  counters[index] = before + 1;
  return before;
}

/** Two to four terms a bucket: the kernel looks through eight at once. */
function makeBuckets(keys: Float64Array): { buckets: Uint32Array; bucketBits: number } {
  const bucketBits = Math.max(1, Math.ceil(Math.log2(Math.max(1, keys.length / 4))));
  const buckets = new Uint32Array(2 ** bucketBits + 1);
  const size = 2 ** (48 - bucketBits);
  for (const key of keys) bump(buckets, Math.floor(key / size) + 1);
  for (let i = 1; i < buckets.length; i++) buckets[i] = (buckets[i] ?? 0) + (buckets[i - 1] ?? 0);
  return { buckets, bucketBits };
}
