import { crc32 } from "node:zlib";
import { buildLexicon, type Lexicon } from "./lexicon.ts";
import { quantize, strideOf } from "./quantize.ts";
import type { Chunk, SegmentInput } from "./segment.ts";
import {
  align,
  checksumOf,
  FIELD,
  FORMAT_VERSION,
  HEADER_BYTES,
  MAGIC,
  partSizes,
  type SegmentHeader,
  VECTOR_KIND,
} from "./segment-layout.ts";

/**
 * Packs a document version into one immutable block of bytes. The same input gives the same bytes, so a segment can be
 * stored under the hash of its content. `decodeSegment` and the engine read it.
 * @throws RangeError when vectors and chunks do not belong together
 */
export function encodeSegment(input: SegmentInput): Uint8Array {
  checkVectors(input);
  const lexicon = buildLexicon(input);
  const meta = Buffer.from(JSON.stringify({ model: lexicon.model, languages: lexicon.languages }));
  const records = input.chunks.map(encodeRecord);
  const header = planHeader(input, lexicon, meta.length, records);
  const bytes = new Uint8Array(header.totalBytes);
  writeIndex(bytes, header, input, lexicon, meta, records);
  let at = header.indexBytes;
  for (const record of records) {
    bytes.set(record, at);
    at += record.length;
  }
  header.checksum = checksumOf(bytes.subarray(0, header.indexBytes));
  writeHeader(bytes, header);
  return bytes;
}

function encodeRecord({ text, start, end, page, headings, tokens, language }: Chunk): Uint8Array {
  // Fields are named one by one, so that their order, and with it the segment's hash, never depends on the caller.
  const body = Buffer.from(JSON.stringify({ text, start, end, page, headings, tokens, language }));
  const record = new Uint8Array(4 + body.length);
  new DataView(record.buffer).setUint32(0, crc32(body), true);
  record.set(body, 4);
  return record;
}

function checkVectors({ chunks, vectors }: SegmentInput): void {
  if (!vectors) return;
  if (vectors.values.length !== chunks.length) {
    throw new RangeError(`${chunks.length} chunks came with ${vectors.values.length} vectors.`);
  }
  const dimensions = vectors.values[0]?.length ?? 0;
  if (vectors.values.some((vector) => vector.length !== dimensions)) {
    throw new RangeError("The vectors of a segment must all have the same dimensions.");
  }
}

function planHeader(
  input: SegmentInput,
  lexicon: Lexicon,
  metaBytes: number,
  records: Uint8Array[],
): SegmentHeader {
  const dimensions = lexicon.vectors[0]?.length ?? 0;
  const header: SegmentHeader = Object.assign(asEmptyHeader(), {
    magic: MAGIC,
    version: FORMAT_VERSION,
    chunkCount: input.chunks.length,
    termCount: lexicon.keys.length,
    postingCount: lexicon.postings.length,
    postingWidth: lexicon.postings.BYTES_PER_ELEMENT,
    bucketBits: lexicon.bucketBits,
    vectorKind: dimensions === 0 ? VECTOR_KIND.none : input.vectors ? VECTOR_KIND.dense : VECTOR_KIND.hash,
    dimensions,
    stride: strideOf(dimensions),
    totalLength: lexicon.lengths.reduce((sum, length) => sum + length, 0),
    metaBytes,
  });
  let at = HEADER_BYTES;
  for (const [part, bytes] of partSizes(header)) {
    header[part] = at;
    at += align(bytes);
  }
  header.indexBytes = at;
  header.totalBytes = at + records.reduce((sum, record) => sum + record.length, 0);
  return header;
}

function asEmptyHeader(): SegmentHeader {
  const { fromEntries, keys } = Object;
  // FIELD's own keys are the header's keys.
  return fromEntries(keys(FIELD).map((key) => [key, 0])) as SegmentHeader;
}

function writeHeader(bytes: Uint8Array, header: SegmentHeader): void {
  const view = new DataView(bytes.buffer);
  for (const [name, value] of Object.entries(header)) {
    const word = Object.entries(FIELD).find(([field]) => field === name)?.[1] ?? 0;
    view.setUint32(word * 4, value, true);
  }
}

function writeIndex(
  bytes: Uint8Array,
  header: SegmentHeader,
  input: SegmentInput,
  lexicon: Lexicon,
  meta: Uint8Array,
  records: Uint8Array[],
): void {
  writeHeader(bytes, header);
  const put = (at: number, part: Uint8Array | Uint16Array | Uint32Array | Float32Array) =>
    bytes.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at);
  put(header.meta, meta);
  put(header.lengths, lexicon.lengths);
  put(header.records, offsetsOf(records));
  put(header.buckets, lexicon.buckets);
  put(
    header.termHigh,
    Uint32Array.from(lexicon.keys, (key) => Math.floor(key / 0x10000)),
  );
  put(
    header.termLow,
    Uint16Array.from(lexicon.keys, (key) => key % 0x10000),
  );
  put(header.postingStarts, lexicon.postingStarts);
  put(header.postings, lexicon.postings);
  const scales = new Float32Array(input.chunks.length);
  lexicon.vectors.forEach((vector, chunk) => {
    const target = new Int8Array(bytes.buffer, header.vectors + chunk * header.stride, header.stride);
    scales[chunk] = quantize(vector, target);
  });
  put(header.scales, scales);
}

function offsetsOf(records: Uint8Array[]): Uint32Array {
  const offsets = new Uint32Array(records.length + 1);
  records.forEach((record, chunk) => {
    offsets[chunk + 1] = (offsets[chunk] ?? 0) + record.length;
  });
  return offsets;
}
