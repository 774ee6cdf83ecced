export const stubDimensions = 384;

/**
 * A text's vector from its words, word pairs and letter triples, each hashed to a place and a sign: equal texts get
 * equal vectors, texts that share words similar ones, on every machine. Deterministic, fast, and no model of meaning.
 */
export function embedText(text: string, dimensions = stubDimensions): Float32Array {
  const full = new Float32Array(stubDimensions);
  let previous = "";
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]+/gu)) {
    const features = featuresOf(word);
    add(full, features[0] ?? 0, 1);
    if (previous !== "") add(full, pairOf(featuresOf(previous)[0] ?? 0, features[0] ?? 0), 0.5);
    for (let i = 1; i < features.length; i++) add(full, features[i] ?? 0, 0.25);
    previous = word;
  }
  // Punctuation alone is a text, too.
  if (previous === "") add(full, hash(text, 4), 1);
  return unit(full.slice(0, dimensions), text);
}

/** Rounded up from four bytes a token, as the real tokenizers do for English. */
export function countTokens(text: string): number {
  return Math.max(1, Math.ceil(Buffer.byteLength(text) / 4));
}

export function base64Of(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64");
}

/** A few words make up most of every text; the stub shares its cores with what is measured. */
const known = new Map<string, Uint32Array>();

/** The hash of the word, then those of its letter triples. */
function featuresOf(word: string): Uint32Array {
  let features = known.get(word);
  if (features === undefined) {
    features = new Uint32Array(1 + Math.max(0, word.length - 2));
    features[0] = hash(word, 1);
    for (let i = 0; i + 3 <= word.length; i++) features[i + 1] = hash(word.slice(i, i + 3), 3);
    if (known.size > 50_000) known.clear();
    known.set(word, features);
  }
  return features;
}

function pairOf(first: number, second: number): number {
  return mix(Math.imul(first, 0x01000193) ^ second ^ 2);
}

function add(vector: Float32Array, hashed: number, weight: number): void {
  const place = hashed % vector.length;
  vector[place] = (vector[place] ?? 0) + (hashed >>> 31 === 0 ? weight : -weight);
}

/** FNV-1a over UTF-16 units. */
function hash(text: string, seed: number): number {
  let h = 0x811c9dc5 ^ seed;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return mix(h);
}

/** Makes the low bits as good as the high ones. */
function mix(hashed: number): number {
  const mixed = Math.imul(hashed ^ (hashed >>> 15), 0x2c1b3c6d);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}

function unit(vector: Float32Array, text: string): Float32Array {
  let sum = 0;
  for (const value of vector) sum += value * value;
  const length = Math.sqrt(sum);
  if (length === 0) {
    // All features fell beyond the dimensions asked for, or cancelled out.
    vector[hash(text, 5) % vector.length] = 1;
    return vector;
  }
  return vector.map((value) => value / length);
}
