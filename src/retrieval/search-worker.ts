import { join } from "node:path";
import { workerData } from "node:worker_threads";
import { createSearchHost } from "./search-host.ts";
import type { SearchRequest, WorkspaceDocuments } from "./search-types.ts";
import { readFileRange } from "./segment-reader.ts";
import { serveWorker } from "./worker-server.ts";

/** What `createSearchEngine` starts this thread with; `directory` is null when the main thread reads. */
export type SearchWorkerData = { cacheBytes: number; directory: string | null };

const { cacheBytes, directory } = asWorkerData(workerData);

serveWorker((ask) => {
  const read = (key: string, start: number, length: number): Uint8Array | Promise<Uint8Array> =>
    directory === null
      ? ask("read", { key, start, length }).then(asBytes)
      : readFileRange(join(directory, key), start, length);
  const host = createSearchHost({
    cacheBytes,
    read,
    loadDocuments: async (workspaceKey, knownVersion) =>
      asDocuments(await ask("documents", { workspaceKey, knownVersion })),
  });
  return {
    search: (payload, signal) => host.search(asRequest(payload), signal),
    forget: (payload) => host.forget(String(payload)),
    stats: () => host.stats(),
  };
});

/** `createSearchEngine` is the only one that starts this thread. */
function asWorkerData(data: unknown): SearchWorkerData {
  return data as SearchWorkerData;
}

/** `createSearchEngine` sends nothing else. */
function asRequest(payload: unknown): SearchRequest {
  return payload as SearchRequest;
}

/** `createSearchEngine` answers `documents` with what its caller's typed function returned. */
function asDocuments(answer: unknown): WorkspaceDocuments {
  return answer as WorkspaceDocuments;
}

/** `createSearchEngine` answers `read` with what its caller's typed function returned. */
function asBytes(answer: unknown): Uint8Array {
  return answer as Uint8Array;
}
