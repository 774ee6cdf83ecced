import type { SegmentInput } from "../retrieval/segment.ts";
import { createWorkerClient } from "../retrieval/worker-client.ts";
import type { FileFormat } from "./file-type.ts";
import type { Passages } from "./passages.ts";

/** A plain text that was just received, and what is wanted of it. */
export interface SmallText {
  bytes: Uint8Array;
  fileName: string;
  format: FileFormat;
  /** The sender's title for it; null: its own, or its file name. */
  givenTitle: string | null;
  /** `segment` is what a search without an embedding model needs; with one, `passages` have to be embedded first. */
  make: "nothing" | "passages" | "segment";
}

/** What became of it. */
export interface TextRead {
  /** The gzipped JSON of its `ParsedDocument`, as it lies in the file store. */
  parsed: Uint8Array;
  title: string;
  /** Columns of its content. */
  facts: {
    parsed_title: string | null;
    pages: number | null;
    language: string | null;
    words: number;
    tokens: number;
  };
  passages: Passages | null;
  segment: Uint8Array | null;
}

/**
 * A thread for what takes milliseconds, so that it never waits behind a document that takes seconds. Plain text needs
 * no library that could break or hang on it, hence no process of its own.
 */
export interface SmallTexts {
  /** Reads plain text or Markdown. @throws Error when there is no text in it, or it is no text */
  read(text: SmallText, signal?: AbortSignal): Promise<TextRead>;
  /** @param parsed as {@link TextRead} has it */
  cut(parsed: Uint8Array, title: string, signal?: AbortSignal): Promise<Passages>;
  build(input: SegmentInput, signal?: AbortSignal): Promise<Uint8Array>;
  /**
   * Runs `work` unless too much of it is under way: `undefined` then, so that it is done in turn, by the queue.
   * What `work` throws is thrown.
   */
  unlessBusy<T>(work: () => Promise<T>): Promise<T | undefined>;
  close(): Promise<void>;
}

/** Bytes that are small, before and after parsing. */
export const SMALL_BYTES = 65_536;
/** Uploads that are read and embedded while their request waits; each holds its text and its vectors. */
const AT_ONCE_MAX = 32;
const IDLE_MS = 30_000;
const HEAP_MB = 256;

export function createSmallTexts(): SmallTexts {
  const client = createWorkerClient({
    file: new URL("./small-text-worker.ts", import.meta.url),
    workerData: null,
    heapMb: HEAP_MB,
    idleMs: IDLE_MS,
  });
  let atOnce = 0;
  return {
    async unlessBusy(work) {
      if (atOnce >= AT_ONCE_MAX) return undefined;
      atOnce += 1;
      return work().finally(() => {
        atOnce -= 1;
      });
    },
    read: async (text, signal) => asTextRead(await client.call("read", text, signal)),
    cut: async (parsed, title, signal) => asPassages(await client.call("cut", { parsed, title }, signal)),
    build: async (input, signal) => asBytes(await client.call("build", input, signal)),
    close: client.close,
  };
}

/** What `small-text-worker.ts` answers to `read`. */
function asTextRead(value: unknown): TextRead {
  return value as TextRead;
}

/** What `small-text-worker.ts` answers to `cut`. */
function asPassages(value: unknown): Passages {
  return value as Passages;
}

/** What `small-text-worker.ts` answers to `build`. */
function asBytes(value: unknown): Uint8Array {
  return value as Uint8Array;
}
