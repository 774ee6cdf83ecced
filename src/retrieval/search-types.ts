import type { DocumentAttributes, SearchFilter } from "./filter.ts";
import type { Chunk } from "./segment.ts";
import type { Tuning } from "./tuning.ts";

/** A document of a workspace: what is known about it, and the segment of its current version. */
export type WorkspaceDocument = DocumentAttributes & { segmentKey: string };

/**
 * The documents of a workspace as of `indexVersion`: all of them, or what changed since the version that was asked from
 * (`upserts` replace the document of the same id).
 */
export type WorkspaceDocuments =
  | { indexVersion: number; documents: WorkspaceDocument[] }
  | { indexVersion: number; upserts: WorkspaceDocument[]; removedIds: string[] };

export type SearchRequest = {
  workspaceKey: string;
  /** Grows with every change of the workspace's documents. The answer is of this version or a later one. */
  indexVersion: number;
  question: string;
  /** The question embedded by the workspace's model; null searches words alone. */
  queryVector: { model: string; values: Float32Array } | null;
  topN: number;
  /** 0..1: nothing below it is returned. Applied before `topN`. */
  threshold: number;
  filter?: SearchFilter;
  tuning?: Partial<Tuning>;
};

export type SearchHit = Chunk & {
  documentId: string;
  docpath: string;
  metadata: DocumentAttributes["metadata"];
  segmentKey: string;
  /** Number of the passage in its document, from 0. */
  chunk: number;
  /** 0..1, falls with rank: the weighted mean of `lexical` and `cosine`. */
  score: number;
  lexical: number;
  cosine: number;
};

export type SearchResult = {
  hits: SearchHit[];
  /** Segments that are missing, damaged or of another version: not searched, to be rebuilt. */
  unavailable: { segmentKey: string; reason: string }[];
};

export type SearchStats = {
  /** Bytes of segments and tables in memory; bounded by the engine's budget unless one workspace alone is larger. */
  usedBytes: number;
  /** Bytes the memory has grown to. */
  memoryBytes: number;
  workspaces: number;
  segments: number;
};
