import type { DocumentAttributes } from "./filter.ts";
import { createFoundCache, type FoundCache } from "./found-cache.ts";
import { ENTRY_BYTES } from "./kernel/kernel.ts";
import type { LoadedSegment, SearchMemory } from "./search-memory.ts";
import { VECTOR_KIND } from "./segment-layout.ts";

/** A document of the workspace with its segment in the kernel's memory. */
export type ShardDocument = { attributes: DocumentAttributes; segment: LoadedSegment };

/** What made a group of vectors: only vectors of the same maker can be compared. */
export type VectorMaker = { model: string; dimensions: number; hashed: boolean };

/**
 * A workspace, ready to be searched: its documents, and a table of them in the kernel's memory. Segments are shared
 * with other workspaces and never change; the table is 64 bytes a document and is rewritten when one changes.
 */
export type Shard = {
  memory: SearchMemory;
  documents: ShardDocument[];
  /** Address of the table. */
  entries: number;
  /** Number of the workspace's first passage of each document, ascending. */
  firstPassages: number[];
  passages: number;
  /** Mean number of words in a passage. */
  meanLength: number;
  languages: (string | null)[];
  /** `makers[selector - 1]` made the vectors of the entries with that selector; 0 is "no vectors". */
  makers: VectorMaker[];
  /** Neighbouring documents with the same selector, as passage numbers: most workspaces are one run. */
  runs: Run[];
  /** Look-ups of the table as it is now; null while there is none. */
  found: FoundCache | null;
  /** Whether several documents have the same segment. */
  repeated: boolean;
  /** Whether the last search left documents switched off in the table. */
  filtered: boolean;
};

export type Run = { selector: number; first: number; end: number };

export function createShard(memory: SearchMemory): Shard {
  const nothing = { documents: [], firstPassages: [], languages: [], makers: [], runs: [] };
  return {
    memory,
    entries: 0,
    passages: 0,
    meanLength: 0,
    found: null,
    repeated: false,
    filtered: false,
    ...nothing,
  };
}

/** Puts the shard on another list of documents. Segments themselves are neither read nor written. */
export function setDocuments(shard: Shard, documents: ShardDocument[]): void {
  shard.documents = documents;
  shard.firstPassages = [];
  shard.passages = 0;
  shard.languages = [...new Set(documents.flatMap(({ segment }) => segment.meta.languages))];
  shard.makers = makersOf(documents);
  shard.repeated = new Set(documents.map(({ segment }) => segment)).size < documents.length;
  let words = 0;
  for (const { segment } of documents) {
    shard.firstPassages.push(shard.passages);
    shard.passages += segment.header.chunkCount;
    words += segment.header.totalLength;
  }
  shard.meanLength = words / Math.max(1, shard.passages);
  writeTable(shard);
}

/** Gives the table back. The shard must not be used again. */
export function releaseShard(shard: Shard): void {
  shard.found?.release();
  shard.found = null;
  if (shard.entries !== 0) shard.memory.arena.release(shard.entries);
  shard.entries = 0;
}

/** The languages of a word or a document as a set of bits. Beyond 31 languages, the rest share the last bit. */
export function languageBits(shard: Shard, languages: (string | null)[]): number {
  return languages.reduce((bits, language) => {
    const index = shard.languages.indexOf(language);
    return index < 0 ? bits : bits | (1 << Math.min(31, index));
  }, 0);
}

/** The document that holds the workspace's passage number `passage`. */
export function documentOf(shard: Shard, passage: number): { document: ShardDocument; chunk: number } {
  let low = 0;
  let high = shard.firstPassages.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((shard.firstPassages[middle] ?? 0) <= passage) low = middle;
    else high = middle - 1;
  }
  const document = shard.documents[low];
  if (!document) throw new RangeError(`The workspace has no passage ${passage}.`);
  return { document, chunk: passage - (shard.firstPassages[low] ?? 0) };
}

function writeTable(shard: Shard): void {
  releaseShard(shard);
  const { arena, kernel } = shard.memory;
  const bytes = shard.documents.length * ENTRY_BYTES;
  shard.entries = arena.allocate(bytes);
  shard.found = createFoundCache(shard.memory, shard.entries, shard.documents.length);
  const words = new Uint32Array(kernel.memory.buffer, shard.entries, bytes / 4);
  shard.runs = [];
  shard.filtered = false;
  shard.documents.forEach(({ segment }, i) => {
    const selector = selectorOf(shard.makers, segment);
    const first = shard.firstPassages[i] ?? 0;
    words.set(
      entryOf(segment, first, languageBits(shard, segment.meta.languages), selector),
      i * (ENTRY_BYTES / 4),
    );
    const end = first + segment.header.chunkCount;
    const run = shard.runs.at(-1);
    if (run?.selector === selector) run.end = end;
    else shard.runs.push({ selector, first, end });
  });
}

/** The sixteen words of an entry, as `scan.as` reads them. */
function entryOf(
  { address, header }: LoadedSegment,
  first: number,
  languages: number,
  selector: number,
): number[] {
  const { chunkCount, bucketBits, postingWidth, stride } = header;
  const parts = [header.buckets, header.termHigh, header.termLow, header.postingStarts];
  const more = [header.postings, header.lengths, header.vectors, header.scales];
  const addresses = [...parts, ...more].map((offset) => address + offset);
  return [first, chunkCount, 1, languages, selector, 32 - bucketBits, postingWidth, stride, ...addresses];
}

function makersOf(documents: ShardDocument[]): VectorMaker[] {
  const makers: VectorMaker[] = [];
  for (const { segment } of documents) {
    const { vectorKind, dimensions } = segment.header;
    if (vectorKind === VECTOR_KIND.none || selectorOf(makers, segment) > 0) continue;
    makers.push({ model: segment.meta.model, dimensions, hashed: vectorKind === VECTOR_KIND.hash });
  }
  return makers;
}

function selectorOf(makers: VectorMaker[], { meta, header }: LoadedSegment): number {
  return (
    1 + makers.findIndex((maker) => maker.model === meta.model && maker.dimensions === header.dimensions)
  );
}
