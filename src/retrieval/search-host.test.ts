import { expect, test } from "vitest";
import { encodeSegment } from "./encode-segment.ts";
import { RetrievalError } from "./retrieval-error.ts";
import { createSearchHost } from "./search-host.ts";
import type { WorkspaceDocument, WorkspaceDocuments } from "./search-types.ts";
import { documentOf } from "./test-support.ts";

const signal = new AbortController().signal;

/** A host over segments in memory, with a count of how often each was read from its start. */
function setUp(cacheBytes = 2 ** 26) {
  const segments = new Map<string, Uint8Array>();
  const workspaces = new Map<string, WorkspaceDocuments>();
  const loads: string[] = [];
  const host = createSearchHost({
    cacheBytes,
    loadDocuments: async (key) => workspaces.get(key) ?? { indexVersion: 0, documents: [] },
    read: async (key, start, length) => {
      const bytes = segments.get(key);
      if (!bytes) throw new RetrievalError("segment_missing", "It is gone.");
      if (start === 0) loads.push(key);
      return bytes.slice(start, start + length);
    },
  });
  const search = (workspaceKey: string, indexVersion: number, question: string) =>
    host.search(
      { workspaceKey, indexVersion, question, queryVector: null, topN: 5, threshold: 0.25 },
      signal,
    );
  const store = (segmentKey: string, ...texts: string[]): WorkspaceDocument => {
    segments.set(segmentKey, encodeSegment(documentOf(texts)));
    return {
      documentId: segmentKey,
      segmentKey,
      folder: "f",
      docpath: `o/f/${segmentKey}`,
      language: "en",
      metadata: {},
    };
  };
  return { host, segments, workspaces, loads, search, store };
}

test("a hit carries the passage and its place", async () => {
  const { workspaces, search, store } = setUp();
  workspaces.set("w", {
    indexVersion: 1,
    documents: [store("a", "Nothing.", "The warranty lasts three years.")],
  });
  const { hits } = await search("w", 1, "How long does the warranty last?");
  expect(hits).toEqual([
    expect.objectContaining({
      documentId: "a",
      docpath: "o/f/a",
      chunk: 1,
      text: "The warranty lasts three years.",
      start: 0,
      end: 31,
    }),
  ]);
});

test("a new version loads only what changed, removes what is gone and follows what moved", async () => {
  const { workspaces, loads, search, store } = setUp();
  const [a, b] = [store("a", "pump"), store("b", "pump and filter")];
  workspaces.set("w", { indexVersion: 1, documents: [a, b] });
  expect((await search("w", 1, "pump")).hits).toHaveLength(2);
  const upserts = [{ ...a, docpath: "o/moved/a" }, store("c", "pump as well")];
  workspaces.set("w", { indexVersion: 2, upserts, removedIds: ["b"] });
  expect((await search("w", 1, "pump")).hits).toHaveLength(2);
  const { hits } = await search("w", 2, "pump");
  expect(hits.map(({ docpath }) => docpath).toSorted()).toEqual(["o/f/c", "o/moved/a"]);
  expect(loads).toEqual(["a", "b", "c"]);
});

test("a search asked with an older version is answered by the newer one", async () => {
  const { workspaces, search, store } = setUp();
  workspaces.set("w", { indexVersion: 5, documents: [store("a", "pump")] });
  expect((await search("w", 5, "pump")).hits).toHaveLength(1);
  expect((await search("w", 4, "pump")).hits).toHaveLength(1);
});

test("searches that come together load a workspace once", async () => {
  const { workspaces, loads, search, store } = setUp();
  workspaces.set("w", { indexVersion: 1, documents: [store("a", "pump"), store("b", "filter")] });
  await Promise.all(Array.from({ length: 20 }, () => search("w", 1, "pump")));
  expect(loads.toSorted()).toEqual(["a", "b"]);
});

test("a segment in several workspaces is in memory once, until the last one lets it go", async () => {
  const { host, workspaces, loads, search, store } = setUp();
  const a = store("a", "pump");
  workspaces.set("v", { indexVersion: 1, documents: [a] });
  workspaces.set("w", { indexVersion: 1, documents: [a] });
  await search("v", 1, "pump");
  await search("w", 1, "pump");
  expect(loads).toEqual(["a"]);
  host.forget("v");
  expect((await search("w", 1, "pump")).hits).toHaveLength(1);
  host.forget("w");
  await Promise.resolve();
  expect(host.stats()).toMatchObject({ workspaces: 0, segments: 0 });
});

test("memory stays in its bounds over many workspaces", async () => {
  const { host, workspaces, search, store } = setUp(400_000);
  const texts = Array.from(
    { length: 100 },
    (_, i) => `pump number${i} with some more words about filter${i % 7}`,
  );
  for (let i = 0; i < 60; i++) {
    workspaces.set(`w${i}`, { indexVersion: 1, documents: [store(`s${i}`, ...texts)] });
    expect((await search(`w${i}`, 1, "pump")).hits).toHaveLength(5);
  }
  expect(host.stats().usedBytes).toBeLessThan(600_000);
  expect((await search("w0", 1, "pump")).hits).toHaveLength(5);
});

test("a damaged or missing segment costs its own document and is reported", async () => {
  const { segments, workspaces, search, store } = setUp();
  const documents = [store("good", "pump"), store("bad", "pump"), store("gone", "pump")];
  const damaged = segments.get("bad");
  damaged?.fill(255, 200, 400);
  segments.delete("gone");
  workspaces.set("w", { indexVersion: 1, documents });
  const { hits, unavailable } = await search("w", 1, "pump");
  expect(hits.map(({ documentId }) => documentId)).toEqual(["good"]);
  expect(unavailable.map(({ segmentKey }) => segmentKey).toSorted()).toEqual(["bad", "gone"]);
});

test("documents older than the version asked for are refused instead of asked for again for ever", async () => {
  const { workspaces, search, store } = setUp();
  workspaces.set("w", { indexVersion: 1, documents: [store("a", "pump")] });
  await expect(search("w", 2, "pump")).rejects.toThrow("Version 2 was asked for");
});
