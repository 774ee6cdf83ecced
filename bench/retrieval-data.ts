import { existsSync, linkSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { encodeSegment } from "../src/retrieval/encode-segment.ts";
import type { WorkspaceDocument } from "../src/retrieval/search-types.ts";
import type { Chunk, SegmentInput } from "../src/retrieval/segment.ts";

export const DIRECTORY = new URL("../data/bench-retrieval/", import.meta.url).pathname;
export const DIMENSIONS = 384;
export const MODEL = "bench-384";
/** Documents, passages in each, and whether there are no vectors. */
const WORKSPACES: [number, number, boolean][] = [
  [860, 7, false],
  [10_000, 100, false],
  [200, 100, true],
];
const VOCABULARY = 40_000;
const WORDS_PER_CHUNK = 110;

/** The same numbers on every machine and in every run. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A word of a made-up language, its rank drawn by Zipf's law. */
export function randomWord(random: () => number): string {
  let rank = Math.floor(VOCABULARY ** random());
  let word = "";
  for (; rank > 0; rank = Math.floor(rank / 60)) word += SYLLABLES[rank % 60];
  return word || "a";
}

const SYLLABLES = ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t"].flatMap((consonant) =>
  ["a", "e", "i", "o", "u"].map((vowel) => consonant + vowel),
);

export function randomVector(random: () => number): Float32Array {
  return Float32Array.from({ length: DIMENSIONS }, () => random() + random() + random() - 1.5);
}

/** A document of `chunkCount` passages of about 110 words, with vectors unless `lexical`. */
export function makeDocument(seed: number, chunkCount: number, lexical = false): SegmentInput {
  const random = createRandom(seed);
  let at = 0;
  const chunks = Array.from({ length: chunkCount }, (_, i): Chunk => {
    const text = Array.from({ length: WORDS_PER_CHUNK }, () => randomWord(random)).join(" ");
    const start = at;
    at += text.length;
    return { text, start, end: at, page: i + 1, headings: ["Chapter"], tokens: 150, language: "en" };
  });
  const vectors = lexical ? null : { model: MODEL, values: chunks.map(() => randomVector(random)) };
  return { title: "", language: "en", chunks, vectors };
}

/**
 * A workspace of `documents` documents with `chunksEach` passages, on disk. Beyond 100 documents the same 100 contents
 * appear again under other names: the engine cannot know, and loads each on its own.
 */
export function makeWorkspace(documents: number, chunksEach: number, lexical = false): WorkspaceDocument[] {
  const kind = `${chunksEach}${lexical ? "-lexical" : ""}`;
  return Array.from({ length: documents }, (_, i) => {
    const original = join(DIRECTORY, kind, `${i % 100}.segment`);
    const segmentKey = i < 100 ? `${kind}/${i}.segment` : `${kind}/copies/${i}.segment`;
    const path = join(DIRECTORY, segmentKey);
    mkdirSync(dirname(path), { recursive: true });
    if (!existsSync(original))
      writeFileSync(original, encodeSegment(makeDocument(i + 1, chunksEach, lexical)));
    if (!existsSync(path)) linkSync(original, path);
    return {
      documentId: `${i}`,
      docpath: `org/f${i % 7}/${i}`,
      folder: `f${i % 7}`,
      language: "en",
      metadata: {},
      segmentKey,
    };
  });
}

export function makeQuestion(random: () => number): { question: string; vector: Float32Array } {
  const question = Array.from({ length: 6 }, () => randomWord(random)).join(" ");
  return { question, vector: randomVector(random) };
}

if (import.meta.main) {
  for (const [documents, chunksEach, lexical] of WORKSPACES) makeWorkspace(documents, chunksEach, lexical);
}
