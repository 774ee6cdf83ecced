import { createRecentCache } from "./recent-cache.ts";
import { createSearchMemory, type LoadedSegment, viewOf } from "./search-memory.ts";
import { type ShardHit, searchShard } from "./search-shard.ts";
import type { SearchHit, SearchRequest, SearchResult, SearchStats } from "./search-types.ts";
import { type Chunk, decodeRecord, recordRange } from "./segment.ts";
import { createSegmentPool } from "./segment-pool.ts";
import { TUNING } from "./tuning.ts";
import { createWorkspaceCache, type LoadDocuments } from "./workspace-cache.ts";

export type SearchHost = {
  search: (request: SearchRequest, signal: AbortSignal) => Promise<SearchResult>;
  /** Drops a workspace's table and the segments nobody else uses. */
  forget: (workspaceKey: string) => void;
  stats: () => SearchStats;
};

export type SearchHostOptions = {
  cacheBytes: number;
  loadDocuments: LoadDocuments;
  read: (segmentKey: string, start: number, length: number) => Uint8Array | Promise<Uint8Array>;
};

/** About 10 MB of passages that were returned lately; a search reads the others from their segments. */
const CACHED_PASSAGES = 4_000;

/** Everything the search worker does, without the thread. */
export function createSearchHost({ cacheBytes, loadDocuments, read }: SearchHostOptions): SearchHost {
  const memory = createSearchMemory();
  const pool = createSegmentPool(memory, read);
  const workspaces = createWorkspaceCache({ memory, pool, cacheBytes, loadDocuments });
  const passages = createRecentCache<Chunk>(CACHED_PASSAGES);

  const search = async (request: SearchRequest, signal: AbortSignal): Promise<SearchResult> => {
    const tuning = { ...TUNING, ...request.tuning };
    const { unavailable, located } = await workspaces.withWorkspace(
      request.workspaceKey,
      request.indexVersion,
      (workspace) => {
        signal.throwIfAborted();
        const found = searchShard(workspace.shard, request, tuning);
        return {
          unavailable: workspace.unavailable,
          located: found.map((hit) => ({ hit, range: rangeOf(hit.document.segment, hit.chunk) })),
        };
      },
    );
    const hits = await Promise.all(
      located.map(async ({ hit, range }) =>
        describe(hit, await passage(hit.document.segment.hash, hit.chunk, range)),
      ),
    );
    return { hits, unavailable };
  };

  const rangeOf = ({ address, header }: LoadedSegment, chunk: number) =>
    recordRange(viewOf(memory, address, header.indexBytes), header, chunk);

  const passage = async (
    hash: string,
    chunk: number,
    range: { start: number; end: number },
  ): Promise<Chunk> => {
    const key = `${hash} ${chunk}`;
    const known = passages.get(key);
    if (known) return known;
    const record = decodeRecord(await read(hash, range.start, range.end - range.start));
    passages.set(key, record);
    return record;
  };

  const stats = (): SearchStats => ({
    usedBytes: memory.arena.usedBytes(),
    memoryBytes: memory.kernel.memory.buffer.byteLength,
    workspaces: workspaces.size(),
    segments: pool.size(),
  });

  return { search, forget: workspaces.forget, stats };
}

function describe({ document, chunk, score, lexical, cosine }: ShardHit, passage: Chunk): SearchHit {
  const { documentId, docpath, metadata } = document.attributes;
  return {
    ...passage,
    documentId,
    docpath,
    metadata,
    segmentKey: document.segment.hash,
    chunk,
    score,
    lexical,
    cosine,
  };
}
