import { crc32 } from "node:zlib";
import { RetrievalError } from "./retrieval-error.ts";

/**
 * A segment, little-endian: a header of 32 words, then the part a search works on (the index), then one record per
 * chunk (text and place), of which a search reads only those it returns. The kernel reads the same offsets.
 */
export const HEADER_BYTES = 128;
export const MAGIC = 0x4753_4d4c;
export const FORMAT_VERSION = 1;

/** Word of the header each field is in. Offsets count bytes from the start of the segment. */
export const FIELD = {
  magic: 0,
  version: 1,
  indexBytes: 2,
  totalBytes: 3,
  checksum: 4,
  chunkCount: 5,
  termCount: 6,
  postingCount: 7,
  postingWidth: 8,
  bucketBits: 9,
  vectorKind: 10,
  dimensions: 11,
  stride: 12,
  totalLength: 13,
  meta: 14,
  metaBytes: 15,
  lengths: 16,
  records: 17,
  buckets: 18,
  termHigh: 19,
  termLow: 20,
  postingStarts: 21,
  postings: 22,
  vectors: 23,
  scales: 24,
} as const;

export type SegmentHeader = Record<keyof typeof FIELD, number>;

export const VECTOR_KIND = { none: 0, hash: 1, dense: 2 } as const;

/** Every part starts on a SIMD register's boundary. */
export function align(bytes: number): number {
  return Math.ceil(bytes / 16) * 16;
}

/**
 * Reads the header and checks that it can be believed before anything is read by its offsets.
 * @throws RetrievalError `segment_damaged` or `segment_version`
 */
export function readHeader(bytes: Uint8Array): SegmentHeader {
  if (bytes.length < HEADER_BYTES) throw damaged("it ends inside its header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const word = (field: number) => view.getUint32(field * 4, true);
  if (word(FIELD.magic) !== MAGIC) throw damaged("it does not begin like one");
  if (word(FIELD.version) !== FORMAT_VERSION) {
    throw new RetrievalError(
      "segment_version",
      `The segment has format ${word(FIELD.version)}; this version reads format ${FORMAT_VERSION}. Rebuild it.`,
    );
  }
  const header = mapFields(word);
  if (header.indexBytes < HEADER_BYTES || header.totalBytes < header.indexBytes)
    throw damaged("its lengths contradict");
  return header;
}

/**
 * Checks the index part: its length, its checksum, and that every part lies inside it.
 * @param index exactly the first `header.indexBytes` bytes of the segment
 * @throws RetrievalError `segment_damaged`
 */
export function checkIndex(index: Uint8Array, header: SegmentHeader): void {
  if (index.length !== header.indexBytes) {
    throw damaged(`its index has ${index.length} of ${header.indexBytes} bytes`);
  }
  if (checksumOf(index) !== header.checksum) throw damaged("its checksum does not match");
  for (const [field, bytes] of partSizes(header)) {
    const start = header[field];
    if (start % 16 !== 0 || start < HEADER_BYTES || start + bytes > header.indexBytes) {
      throw damaged(`its ${field} lie outside`);
    }
  }
}

/** Over everything but the checksum itself. */
export function checksumOf(index: Uint8Array): number {
  const at = FIELD.checksum * 4;
  return crc32(index.subarray(at + 4), crc32(index.subarray(0, at)));
}

export function damaged(why: string): RetrievalError {
  return new RetrievalError(
    "segment_damaged",
    `The segment is damaged: ${why}. Rebuild it from its document.`,
  );
}

/** Bytes of every part, in the order in which they follow each other. */
export function partSizes(header: Omit<SegmentHeader, "checksum">): [keyof SegmentHeader, number][] {
  const { chunkCount, termCount, postingCount } = header;
  return [
    ["meta", header.metaBytes],
    ["lengths", chunkCount * 2],
    ["records", (chunkCount + 1) * 4],
    ["buckets", (2 ** header.bucketBits + 1) * 4],
    ["termHigh", termCount * 4],
    ["termLow", termCount * 2],
    ["postingStarts", (termCount + 1) * 4],
    ["postings", postingCount * header.postingWidth],
    ["vectors", chunkCount * header.stride],
    ["scales", chunkCount * 4],
  ];
}

function mapFields(word: (field: number) => number): SegmentHeader {
  const { entries, fromEntries } = Object;
  return asHeader(fromEntries(entries(FIELD).map(([name, field]) => [name, word(field)])));
}

/** The record is made from FIELD's own entries, so it has exactly the header's keys. */
function asHeader(record: Record<string, number>): SegmentHeader {
  return record as SegmentHeader;
}
