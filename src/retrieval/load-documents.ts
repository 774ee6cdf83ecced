import { setImmediate } from "node:timers/promises";
import { RetrievalError } from "./retrieval-error.ts";
import type { SearchResult, WorkspaceDocument } from "./search-types.ts";
import type { SegmentPool } from "./segment-pool.ts";
import type { ShardDocument } from "./shard.ts";

/** A document and, once loaded, its segment in memory. */
export type OpenDocument = { document: WorkspaceDocument; loaded: ShardDocument | null };

/** Remote stores answer slowly, one by one; local files do not care. */
const READS_AT_ONCE = 16;

/**
 * Loads the segments of all documents that have none yet. A segment that is missing or damaged costs its own document,
 * not the workspace: it is reported and retried with the next version. Any other failure gives everything back.
 * @param afterEach called after every segment, to keep memory in bounds
 */
export async function loadDocumentSegments(
  documents: Map<string, OpenDocument>,
  pool: SegmentPool,
  afterEach: () => void,
): Promise<SearchResult["unavailable"]> {
  const waiting = [...documents.values()].filter(({ loaded }) => loaded === null);
  const done: OpenDocument[] = [];
  const unavailable: SearchResult["unavailable"] = [];
  const queue = waiting.values();
  const loadNext = async (): Promise<void> => {
    for (const open of queue) {
      const reason = await loadOne(open, pool);
      if (reason === null) done.push(open);
      else unavailable.push({ segmentKey: open.document.segmentKey, reason });
      afterEach();
      // Other workspaces' searches go in between.
      if (done.length % 8 === 0) await setImmediate();
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: READS_AT_ONCE }, loadNext));
  const failed = lanes.find((lane) => lane.status === "rejected");
  if (failed) {
    for (const open of done) {
      pool.release(open.document.segmentKey);
      open.loaded = null;
    }
    throw failed.reason;
  }
  return unavailable;
}

async function loadOne(open: OpenDocument, pool: SegmentPool): Promise<string | null> {
  try {
    const segment = await pool.acquire(open.document.segmentKey);
    open.loaded = { attributes: open.document, segment };
    return null;
  } catch (error) {
    if (error instanceof RetrievalError && error.code !== "too_large") return error.message;
    throw error;
  }
}
