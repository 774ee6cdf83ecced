// The inner loops of a search, in AssemblyScript. `npm run build:kernel` compiles this file to `scan.wasm`.
//
// Everything works on one linear memory, laid out by `segment-layout.ts` (segments) and `shard.ts`
// (entries).
// An entry is one document of a workspace, 64 bytes, one cache line, so that a search touches a segment only where it
// has something to read there:
//   +0 first chunk in the workspace  +4 chunk count  +8 1 when the filter lets it through  +12 languages (bit set)
//   +16 which query vector to compare with (0 none)  +20 32 - bucket bits  +24 posting width  +28 stride
//   addresses: +32 buckets  +36 term high  +40 term low  +44 posting starts  +48 postings  +52 lengths  +56 vectors
//   +60 scales
// Scores are one f32 per chunk of the workspace.

const ENTRY: usize = 64;

/** Looks a term up in every segment; writes (posting address, posting count) per entry; returns the document frequency. */
export function find(entries: usize, count: u32, high: u32, low: u32, languages: u32, found: usize): u32 {
  let frequency: u32 = 0;
  const wanted = i32x4.splat(high);
  for (let i: u32 = 0; i < count; i++, entries += ENTRY, found += 8) {
    store<u64>(found, 0);
    if (!(load<u32>(entries, 12) & languages)) continue;
    const bucket: usize = load<u32>(entries, 32) + ((high >>> load<u32>(entries, 20)) << 2);
    const end = load<u32>(bucket, 4);
    // Eight terms at a time: hardly a bucket has more, so that the processor guesses this loop right. The terms behind
    // the bucket cannot match, because their upper bits differ.
    for (let term = load<u32>(bucket); term < end; term += 8) {
      const highs: usize = load<u32>(entries, 36) + (term << 2);
      const near = i32x4.eq(v128.load(highs), wanted);
      const far = i32x4.eq(v128.load(highs, 16), wanted);
      if (!v128.any_true(v128.or(near, far))) continue;
      const match = firstMatch(entries, term, min<u32>(end, term + 8), high, low);
      if (match < 0) continue;
      const starts: usize = load<u32>(entries, 44) + (<usize>match << 2);
      const first = load<u32>(starts);
      const postings = load<u32>(starts, 4) - first;
      store<u32>(found, load<u32>(entries, 48) + first * load<u32>(entries, 24));
      store<u32>(found, postings, 4);
      frequency += postings;
      break;
    }
  }
  return frequency;
}

function firstMatch(entry: usize, term: u32, end: u32, high: u32, low: u32): i32 {
  for (; term < end; term++) {
    if (load<u32>(load<u32>(entry, 36) + (term << 2)) != high) continue;
    if (load<u16>(load<u32>(entry, 40) + (term << 1)) == <u16>low) return term;
  }
  return -1;
}

/**
 * Adds one term's share of the question to every chunk that holds it:
 * weight * (presence + (1 - presence) * tf / (tf + flat + slope * length)).
 */
export function accumulate(
  entries: usize, count: u32, found: usize, weight: f32, presence: f32, flat: f32, slope: f32, scores: usize,
): void {
  const varying = weight * (1 - presence);
  const fixed = weight * presence;
  for (let i: u32 = 0; i < count; i++, entries += ENTRY, found += 8) {
    const postings = load<u32>(found, 4);
    if (!postings || !load<u32>(entries, 8)) continue;
    const lengths: usize = load<u32>(entries, 52);
    const base: usize = scores + (load<u32>(entries) << 2);
    const narrow = load<u32>(entries, 24) == 2;
    let at: usize = load<u32>(found);
    for (let j: u32 = 0; j < postings; j++) {
      let chunk: u32, times: f32;
      if (narrow) {
        const posting = <u32>load<u16>(at);
        chunk = posting >>> 4;
        times = <f32>(posting & 15);
        at += 2;
      } else {
        const posting = load<u32>(at);
        chunk = posting >>> 8;
        times = <f32>(posting & 255);
        at += 4;
      }
      const length = <f32>load<u16>(lengths + (chunk << 1));
      const slot = base + (chunk << 2);
      store<f32>(slot, load<f32>(slot) + fixed + varying * (times / (times + flat + slope * length)));
    }
  }
}

/** Cosine of the query (i16, padded to the stride) with every vector of the entries that compare with `selector`. */
export function scan(entries: usize, count: u32, selector: u32, query: usize, queryScale: f32, scores: usize): void {
  for (let i: u32 = 0; i < count; i++, entries += ENTRY) {
    if (load<u32>(entries, 16) != selector || !load<u32>(entries, 8)) continue;
    const stride: usize = load<u32>(entries, 28);
    const chunks = load<u32>(entries, 4);
    let vector: usize = load<u32>(entries, 56);
    let scale: usize = load<u32>(entries, 60);
    let out: usize = scores + (load<u32>(entries) << 2);
    for (let chunk: u32 = 0; chunk < chunks; chunk++, vector += stride, scale += 4, out += 4) {
      store<f32>(out, <f32>dot(vector, query, stride) * load<f32>(scale) * queryScale);
    }
  }
}

// @ts-ignore: decorator
@inline
function dot(vector: usize, query: usize, stride: usize): i32 {
  let even = i32x4.splat(0);
  let odd = i32x4.splat(0);
  for (let i: usize = 0; i < stride; i += 16) {
    const bytes = v128.load(vector + i);
    const words = query + (i << 1);
    even = i32x4.add(even, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(bytes), v128.load(words)));
    odd = i32x4.add(odd, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(bytes), v128.load(words, 16)));
  }
  const sum = i32x4.add(even, odd);
  return (
    i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1) + i32x4.extract_lane(sum, 2) + i32x4.extract_lane(sum, 3)
  );
}

/**
 * Adds the chunks from `first` to `end` that score at or above `threshold` to the `k` best so far (`kept` of them), best
 * first, ties in workspace order; returns how many there are. Chunks that the filter stopped have no score and stay out.
 * A hit is (chunk u32, score, lexical, vector f32), 16 bytes.
 */
export function rank(
  first: u32, end: u32, lexical: usize, cosines: usize, weight: f32, floor: f32, threshold: f32, k: u32, kept: u32,
  hits: usize,
): u32 {
  const stretch: f32 = 1 / (1 - floor);
  let bar: f32 = threshold;
  if (kept == k) bar = max<f32>(bar, load<f32>(hits + ((k - 1) << 4), 4));
  let chunk = first;
  while (chunk < end) {
    // Four at a time, as long as none of them can be a hit: all but a few cannot.
    for (; chunk + 4 <= end; chunk += 4) {
      const at: usize = chunk << 2;
      const words = f32x4.min(f32x4.splat(1), v128.load(lexical + at));
      const cosine = f32x4.mul(f32x4.sub(v128.load(cosines + at), f32x4.splat(floor)), f32x4.splat(stretch));
      const near = f32x4.min(f32x4.splat(1), f32x4.max(f32x4.splat(0), cosine));
      const scores = f32x4.add(words, f32x4.mul(f32x4.splat(weight), f32x4.sub(near, words)));
      const passing = v128.and(f32x4.ge(scores, f32x4.splat(bar)), f32x4.gt(scores, f32x4.splat(0)));
      if (v128.any_true(passing)) break;
    }
    const stop = min<u32>(end, chunk + 4);
    for (; chunk < stop; chunk++) {
      const words = min<f32>(1, load<f32>(lexical + (chunk << 2)));
      const near = min<f32>(1, max<f32>(0, (load<f32>(cosines + (chunk << 2)) - floor) * stretch));
      const score = words + weight * (near - words);
      if (score <= 0 || score < bar || (kept == k && score == bar)) continue;
      if (kept < k) kept++;
      insert(hits, kept, chunk, score, words, near);
      if (kept == k) bar = load<f32>(hits + ((k - 1) << 4), 4);
    }
  }
  return kept;
}

function insert(hits: usize, kept: u32, chunk: u32, score: f32, lexical: f32, near: f32): void {
  let place = kept - 1;
  while (place > 0 && load<f32>(hits + ((place - 1) << 4), 4) < score) {
    v128.store(hits + (place << 4), v128.load(hits + ((place - 1) << 4)));
    place--;
  }
  const slot = hits + (place << 4);
  store<u32>(slot, chunk);
  store<f32>(slot, score, 4);
  store<f32>(slot, lexical, 8);
  store<f32>(slot, near, 12);
}
