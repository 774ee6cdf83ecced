import type { SearchRequest, SearchResult, SearchStats, WorkspaceDocuments } from "./search-types.ts";
import type { SearchWorkerData } from "./search-worker.ts";
import type { SegmentReader } from "./segment-reader.ts";
import { createWorkerClient } from "./worker-client.ts";

export type SearchEngine = {
  /**
   * The best passages of a workspace, best first.
   * @throws RetrievalError `worker_lost` (retryable: the worker died, the next call starts another), `too_large` (the
   * workspace does not fit into 4 GiB); the signal's reason when aborted; what `loadDocuments` or `read` rejected with
   */
  search: (request: SearchRequest, signal?: AbortSignal) => Promise<SearchResult>;
  /** Gives a deleted workspace's memory back at once; without it, that happens when room is needed. */
  forget: (workspaceKey: string) => Promise<void>;
  stats: () => Promise<SearchStats>;
  /** Ends the worker thread; searches in flight fail. */
  close: () => Promise<void>;
};

export type SearchEngineOptions = {
  /**
   * Called when the worker has not got the version a search asks for: answers with all documents of the workspace or,
   * cheaper, with the changes since `knownVersion` (null: it has nothing). The answer must be at least as new as the
   * version asked for.
   */
  loadDocuments: (workspaceKey: string, knownVersion: number | null) => Promise<WorkspaceDocuments>;
  reader: SegmentReader;
  /** Memory for segments, in bytes. The workspace in use always fits, even alone above this. */
  cacheBytes?: number;
};

/** For document lists, words and passages in use: 100,000 documents take about 100 MB. */
const HEAP_MB = 512;
const DEFAULT_CACHE_BYTES = 256 * 1024 * 1024;

/** Search in a worker thread of its own, so that the event loop of the server never waits for it. */
export function createSearchEngine({ loadDocuments, reader, cacheBytes }: SearchEngineOptions): SearchEngine {
  const directory = "directory" in reader ? reader.directory : null;
  const workerData: SearchWorkerData = { cacheBytes: cacheBytes ?? DEFAULT_CACHE_BYTES, directory };
  const answer = async (method: string, payload: unknown): Promise<unknown> => {
    if (method === "documents") {
      const { workspaceKey, knownVersion } = asDocumentsAsked(payload);
      return loadDocuments(workspaceKey, knownVersion);
    }
    const { key, start, length } = asReadAsked(payload);
    if ("read" in reader) return reader.read(key, start, length);
    throw new Error(`The search worker asked for ${method}, which nobody here knows.`);
  };
  const file = new URL("./search-worker.ts", import.meta.url);
  const client = createWorkerClient({ file, workerData, answer, heapMb: HEAP_MB });
  return {
    search: async (request, signal) => asResult(await client.call("search", request, signal)),
    forget: async (workspaceKey) => void (await client.call("forget", workspaceKey)),
    stats: async () => asStats(await client.call("stats", null)),
    close: client.close,
  };
}

/** What `search-worker.ts` sends with `documents`. */
function asDocumentsAsked(payload: unknown): { workspaceKey: string; knownVersion: number | null } {
  return payload as { workspaceKey: string; knownVersion: number | null };
}

/** What `search-worker.ts` sends with `read`. */
function asReadAsked(payload: unknown): { key: string; start: number; length: number } {
  return payload as { key: string; start: number; length: number };
}

/** What `search-worker.ts` answers to `search`. */
function asResult(value: unknown): SearchResult {
  return value as SearchResult;
}

/** What `search-worker.ts` answers to `stats`. */
function asStats(value: unknown): SearchStats {
  return value as SearchStats;
}
