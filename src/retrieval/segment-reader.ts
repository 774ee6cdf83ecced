import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { RetrievalError } from "./retrieval-error.ts";

/**
 * Where segments come from; a segment's key is its place in the file store and stands for its content: the same key is
 * always the same bytes. With `directory` the search worker reads files itself; with `read` every access is a message
 * to the main thread, which reads wherever the store is: `length` bytes from `start` on, or as many as there are.
 * `read` rejects with a `RetrievalError` `segment_missing` when there is no such segment; any other rejection fails
 * the search.
 */
export type SegmentReader =
  | { directory: string }
  | { read: (segmentKey: string, start: number, length: number) => Promise<Uint8Array> };

/**
 * `length` bytes of a file from `start` on, or as many as there are. Synchronous: the worker has nothing else to do
 * meanwhile, and a thread-pool round trip costs more than the read.
 * @throws RetrievalError `segment_missing`
 */
export function readFileRange(path: string, start: number, length: number): Uint8Array {
  const file = openSegment(path);
  try {
    const bytes = Buffer.allocUnsafeSlow(Math.max(0, Math.min(length, fstatSync(file).size - start)));
    let got = 0;
    while (got < bytes.length) {
      const read = readSync(file, bytes, got, bytes.length - got, start + got);
      if (read === 0) break;
      got += read;
    }
    return bytes.subarray(0, got);
  } finally {
    closeSync(file);
  }
}

function openSegment(path: string): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      throw new RetrievalError("segment_missing", "The segment's file is gone. Rebuild the segment.");
    }
    throw error;
  }
}
