import { loadDocumentSegments, type OpenDocument } from "./load-documents.ts";
import { RetrievalError } from "./retrieval-error.ts";
import type { SearchMemory } from "./search-memory.ts";
import type { SearchResult, WorkspaceDocuments } from "./search-types.ts";
import type { SegmentPool } from "./segment-pool.ts";
import { createShard, releaseShard, type Shard, setDocuments } from "./shard.ts";

/** Asks for a workspace's documents; `knownVersion` is what the caller already has, null for nothing. */
export type LoadDocuments = (
  workspaceKey: string,
  knownVersion: number | null,
) => Promise<WorkspaceDocuments>;

/** A workspace in memory, at one version. */
export type OpenWorkspace = { shard: Shard; unavailable: SearchResult["unavailable"] };

export type WorkspaceCache = {
  /**
   * Calls `use` with the workspace at `indexVersion` or later, of which only what changed is loaded. `use` must not
   * wait: afterwards the workspace may be dropped to make room for another.
   */
  withWorkspace: <T>(
    workspaceKey: string,
    indexVersion: number,
    use: (open: OpenWorkspace) => T,
  ) => Promise<T>;
  forget: (workspaceKey: string) => void;
  size: () => number;
};

type Workspace = OpenWorkspace & {
  key: string;
  version: number | null;
  documents: Map<string, OpenDocument>;
  refreshing: Promise<void> | null;
};

type Options = { memory: SearchMemory; pool: SegmentPool; cacheBytes: number; loadDocuments: LoadDocuments };

export function createWorkspaceCache({ memory, pool, cacheBytes, loadDocuments }: Options): WorkspaceCache {
  // In the order of last use: a Map keeps the order of insertion.
  const workspaces = new Map<string, Workspace>();

  const withWorkspace: WorkspaceCache["withWorkspace"] = async (key, indexVersion, use) => {
    for (;;) {
      const workspace = touch(key);
      if (workspace.version !== null && workspace.version >= indexVersion) return use(workspace);
      // A refresh that was under way when the documents changed brings an older version: then once more.
      const joined = workspace.refreshing !== null;
      workspace.refreshing ??= refresh(workspace).finally(() => {
        workspace.refreshing = null;
      });
      await workspace.refreshing;
      if (!joined && workspace.version !== null && workspace.version < indexVersion) {
        throw new RangeError(
          `Version ${indexVersion} was asked for, the documents are of ${workspace.version}.`,
        );
      }
    }
  };

  const touch = (key: string): Workspace => {
    const workspace = workspaces.get(key) ?? emptyWorkspace(key, memory);
    workspaces.delete(key);
    workspaces.set(key, workspace);
    return workspace;
  };

  const refresh = async (workspace: Workspace): Promise<void> => {
    const answer = await loadDocuments(workspace.key, workspace.version);
    const before = workspace.documents;
    const next = nextDocuments(before, answer);
    workspace.unavailable = await loadInto(workspace, next);
    workspace.documents = next;
    workspace.version = answer.indexVersion;
    setDocuments(
      workspace.shard,
      [...next.values()].flatMap(({ loaded }) => loaded ?? []),
    );
    for (const [id, { document, loaded }] of before) {
      const kept = next.get(id)?.document.segmentKey === document.segmentKey;
      if (loaded && !kept) pool.release(document.segmentKey);
    }
    makeRoom(workspace, cacheBytes);
  };

  const loadInto = async (workspace: Workspace, next: Map<string, OpenDocument>) => {
    try {
      return await loadDocumentSegments(next, pool, () => makeRoom(workspace, cacheBytes));
    } catch (error) {
      if (!(error instanceof RetrievalError) || error.code !== "too_large") throw error;
      // The memory may be full of others' segments, or of gaps between them.
      makeRoom(workspace, 0);
      return loadDocumentSegments(next, pool, () => {});
    }
  };

  const makeRoom = (current: Workspace, bytes: number): void => {
    for (const workspace of workspaces.values()) {
      if (memory.arena.usedBytes() <= bytes) return;
      if (workspace !== current && workspace.refreshing === null) drop(workspace);
    }
  };

  const drop = (workspace: Workspace): void => {
    workspaces.delete(workspace.key);
    workspace.version = null;
    releaseShard(workspace.shard);
    for (const { document, loaded } of workspace.documents.values()) {
      if (loaded) pool.release(document.segmentKey);
    }
  };

  const forget = (key: string): void => {
    const workspace = workspaces.get(key);
    if (workspace && workspace.refreshing === null) drop(workspace);
  };

  return { withWorkspace, forget, size: () => workspaces.size };
}

function emptyWorkspace(key: string, memory: SearchMemory): Workspace {
  const shard = createShard(memory);
  return { key, version: null, shard, documents: new Map(), unavailable: [], refreshing: null };
}

/** The new list; a document whose segment stays the same keeps it, under its new attributes. */
function nextDocuments(
  before: Map<string, OpenDocument>,
  answer: WorkspaceDocuments,
): Map<string, OpenDocument> {
  const whole = "documents" in answer;
  const next = new Map(whole ? [] : before);
  if (!whole) for (const id of answer.removedIds) next.delete(id);
  for (const document of whole ? answer.documents : answer.upserts) {
    const known = before.get(document.documentId);
    const same = known?.loaded && known.document.segmentKey === document.segmentKey;
    next.set(document.documentId, {
      document,
      loaded: same && known.loaded ? { attributes: document, segment: known.loaded.segment } : null,
    });
  }
  return next;
}
