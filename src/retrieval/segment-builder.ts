import { LANGUAGE_SAMPLE_CHARS } from "./language.ts";
import type { SegmentInput } from "./segment.ts";
import { createWorkerClient } from "./worker-client.ts";

/** Segments and language detection in a thread of their own: stemming a large document takes seconds. */
export type SegmentBuilder = {
  /** `encodeSegment`. @throws RangeError as it does, RetrievalError `worker_lost`, the signal's reason */
  build: (input: SegmentInput, signal?: AbortSignal) => Promise<Uint8Array>;
  /** The language of a text as ISO 639-1, null when it cannot be told. Reads the text's first part only. */
  detectLanguage: (text: string, signal?: AbortSignal) => Promise<string | null>;
  close: () => Promise<void>;
};

/** Between uploads the thread, its word cache and the language tables are not worth their memory. */
const IDLE_MS = 30_000;

/** A document is inverted as a whole, however large it is. */
const HEAP_MB = 2_048;

export function createSegmentBuilder({ idleMs = IDLE_MS }: { idleMs?: number } = {}): SegmentBuilder {
  const client = createWorkerClient({
    file: new URL("./build-worker.ts", import.meta.url),
    workerData: null,
    heapMb: HEAP_MB,
    idleMs,
  });
  return {
    build: async (input, signal) => asBytes(await client.call("build", input, signal)),
    detectLanguage: async (text, signal) =>
      asLanguage(await client.call("detectLanguage", text.slice(0, LANGUAGE_SAMPLE_CHARS), signal)),
    close: client.close,
  };
}

/** What `build-worker.ts` answers to `build`. */
function asBytes(value: unknown): Uint8Array {
  return value as Uint8Array;
}

/** What `build-worker.ts` answers to `detectLanguage`. */
function asLanguage(value: unknown): string | null {
  return value as string | null;
}
