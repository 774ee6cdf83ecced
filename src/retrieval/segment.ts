import { crc32 } from "node:zlib";
import { LEXER_VERSION } from "./analyze.ts";
import { checkIndex, damaged, FORMAT_VERSION, readHeader, type SegmentHeader } from "./segment-layout.ts";

/** A passage of a document, with its place. */
export type Chunk = {
  text: string;
  /** `documentText.slice(start, end)` is the passage (UTF-16 units). */
  start: number;
  end: number;
  /** From 1; null where the document has no pages. */
  page: number | null;
  /** Headings above the passage, outermost first. They are searched as if they stood in it. */
  headings: string[];
  tokens: number;
  /** ISO 639-1; null: the document's. */
  language: string | null;
};

/** One version of one document, ready to be indexed. */
export type SegmentInput = {
  /** Searched as if it stood in every passage; "" for none. */
  title: string;
  /** ISO 639-1 of the document, null when unknown: decides how words are stemmed. */
  language: string | null;
  chunks: Chunk[];
  /** One embedding per chunk, any dimension and length; null without an embedding model (lexical mode). */
  vectors: { model: string; values: Float32Array[] } | null;
};

/**
 * Belongs into the key under which a segment is stored, beside the content, the chunker and the model: segments of
 * another version are not read, or were made of other words, and have to be built anew.
 */
export const SEGMENT_VERSION = `${FORMAT_VERSION}.${LEXER_VERSION}`;

export type SegmentMeta = { model: string; languages: (string | null)[] };

export type DecodedSegment = { header: SegmentHeader; meta: SegmentMeta; chunks: Chunk[] };

/**
 * Reads and checks a whole segment: what a backup's verification or an export needs. A search reads only parts.
 * @throws RetrievalError `segment_damaged` or `segment_version`
 */
export function decodeSegment(bytes: Uint8Array): DecodedSegment {
  const header = readHeader(bytes);
  if (bytes.length !== header.totalBytes)
    throw damaged(`it has ${bytes.length} of ${header.totalBytes} bytes`);
  const index = bytes.subarray(0, header.indexBytes);
  checkIndex(index, header);
  const chunks = Array.from({ length: header.chunkCount }, (_, chunk) => {
    const { start, end } = recordRange(index, header, chunk);
    return decodeRecord(bytes.subarray(start, end));
  });
  return { header, meta: readMeta(index, header), chunks };
}

/** Model and languages of a checked index. */
export function readMeta(index: Uint8Array, header: SegmentHeader): SegmentMeta {
  return asMeta(
    JSON.parse(Buffer.from(index.subarray(header.meta, header.meta + header.metaBytes)).toString()),
  );
}

/** Where a chunk's record lies in the segment; `index` is the checked index part. */
export function recordRange(
  index: Uint8Array,
  header: SegmentHeader,
  chunk: number,
): { start: number; end: number } {
  if (chunk < 0 || chunk >= header.chunkCount) throw new RangeError(`The segment has no chunk ${chunk}.`);
  const view = new DataView(index.buffer, index.byteOffset + header.records + chunk * 4, 8);
  return {
    start: header.indexBytes + view.getUint32(0, true),
    end: header.indexBytes + view.getUint32(4, true),
  };
}

/** @throws RetrievalError `segment_damaged` */
export function decodeRecord(record: Uint8Array): Chunk {
  const body = record.subarray(4);
  if (
    record.length < 4 ||
    new DataView(record.buffer, record.byteOffset).getUint32(0, true) !== crc32(body)
  ) {
    throw damaged("the checksum of a passage does not match");
  }
  return asChunk(JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.length).toString()));
}

/** Behind a checksum over what `encodeSegment` wrote. */
function asMeta(value: unknown): SegmentMeta {
  return value as SegmentMeta;
}

/** Behind a checksum over what `encodeRecord` wrote. */
function asChunk(value: unknown): Chunk {
  return value as Chunk;
}
