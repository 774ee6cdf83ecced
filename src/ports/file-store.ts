import type { Readable } from "node:stream";

/** Bytes in order; a Node `Readable` is one. What the iterator throws is what `put` throws. */
export type ByteStream = AsyncIterable<Uint8Array>;

/** First and last byte wanted, both included, counted from 0 (as in an HTTP `Range`). */
type ByteRange = { first: number; last: number };

export type StoredFile = {
  key: string;
  sizeBytes: number;
  modifiedAt: Date;
};

export type PutResult = {
  sizeBytes: number;
  /** SHA-256 of all bytes, lower-case hex. */
  sha256: string;
};

export type GetOptions = { range?: ByteRange; signal?: AbortSignal };

/**
 * Where originals and index segments live: keys to bytes, nothing else.
 *
 * A key matches `^[a-z0-9][a-z0-9/._-]*$`, has no empty, `.` or `..` segment, at most 512 characters and 200 a segment.
 * Keys are made by us from ids and hashes, never from a user's file name; a bad key is a bug and throws `TypeError`.
 * No key may be the folder of another one (`a` and `a/b`).
 *
 * Every failure of the store itself is a `ProviderError`; an aborted `signal` throws its reason.
 */
export type FileStore = {
  /** The adapter's name: `disk` or `s3`. */
  provider: string;

  /**
   * Stores a stream under a key, replacing what was there. At no time is the whole file in memory.
   * The key shows the old bytes (or nothing) until all new ones are stored for good, then all of them.
   * When the stream fails or `signal` aborts, nothing is left behind and that error is thrown unchanged.
   */
  put(key: string, body: ByteStream, options?: { signal?: AbortSignal }): Promise<PutResult>;

  /**
   * Opens a file for streaming. `sizeBytes` is the size of the whole file, also with a range.
   * Missing: `ProviderError` `not_found`. A range that starts after the end: `rejected`; one that ends after it is cut.
   */
  get(key: string, options?: GetOptions): Promise<{ body: Readable; sizeBytes: number }>;

  /** The whole file, or a range of it, in memory; for index segments, whose size is bounded. Errors as `get`. */
  read(key: string, options?: GetOptions): Promise<Uint8Array>;

  /** Size and time of a file, or null when there is none. */
  head(key: string, options?: { signal?: AbortSignal }): Promise<StoredFile | null>;

  /** Removes a file; one that is not there is fine. */
  delete(key: string, options?: { signal?: AbortSignal }): Promise<void>;

  /**
   * Every file whose key starts with `prefix` (`""` for all), in no particular order; files that come or go meanwhile
   * may or may not appear, and files whose name is no key never do. For the collection of orphans.
   */
  list(prefix: string, options?: { signal?: AbortSignal }): AsyncIterable<StoredFile>;

  /**
   * Removes the remains of uploads that began more than `olderThanMs` ago and never ended (a process that was killed).
   * @returns how many were removed
   */
  sweepUnfinished(olderThanMs: number, options?: { signal?: AbortSignal }): Promise<number>;
};
