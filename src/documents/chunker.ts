import { createWorkerClient } from "../retrieval/worker-client.ts";
import type { Passages } from "./passages.ts";

/** Cuts parsed documents in a thread of its own: five megabytes of text take half a second. */
export interface Chunker {
  /** @param parsed the gzipped JSON of a `ParsedDocument`, as it lies in the file store */
  chunk(parsed: Uint8Array, title: string, signal: AbortSignal): Promise<Passages>;
  close(): Promise<void>;
}

const IDLE_MS = 30_000;
/** The text of the largest document that is read, several times over. */
const HEAP_MB = 1_024;

export function createChunker(): Chunker {
  const client = createWorkerClient({
    file: new URL("./chunk-worker.ts", import.meta.url),
    workerData: null,
    heapMb: HEAP_MB,
    idleMs: IDLE_MS,
  });
  return {
    chunk: async (parsed, title, signal) => asPassages(await client.call("chunk", { parsed, title }, signal)),
    close: client.close,
  };
}

/** What `chunk-worker.ts` answers. */
function asPassages(value: unknown): Passages {
  return value as Passages;
}
