import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { encodeSegment } from "./encode-segment.ts";
import { createSearchEngine, type SearchEngine } from "./engine.ts";
import type { SearchRequest, WorkspaceDocument } from "./search-types.ts";
import { createSegmentBuilder } from "./segment-builder.ts";
import { documentOf } from "./test-support.ts";

const opened: { close: () => Promise<void> }[] = [];
afterAll(async () => {
  await Promise.all(opened.map((each) => each.close()));
});

const bytes = encodeSegment(documentOf(["The warranty lasts three years.", "Filters cost 49 euros."]));
const documents: WorkspaceDocument[] = [
  { documentId: "1", segmentKey: "one.segment", folder: "f", docpath: "o/f/1", language: "en", metadata: {} },
];
const request: SearchRequest = {
  workspaceKey: "w",
  indexVersion: 1,
  question: "How long is the warranty?",
  queryVector: null,
  topN: 4,
  threshold: 0.25,
};

function open(options: Partial<Parameters<typeof createSearchEngine>[0]>): SearchEngine {
  const engine = createSearchEngine({
    reader: { read: async (_key, start, length) => bytes.slice(start, start + length) },
    loadDocuments: async () => ({ indexVersion: 1, documents }),
    ...options,
  });
  opened.push(engine);
  return engine;
}

test("the worker reads segments from a directory by itself", async () => {
  const directory = await mkdtemp(join(tmpdir(), "segments-"));
  await writeFile(join(directory, "one.segment"), bytes);
  const { hits } = await open({ reader: { directory } }).search(request);
  expect(hits.map(({ text }) => text)).toEqual(["The warranty lasts three years."]);
});

test("the worker asks the main thread where there are no files", async () => {
  const { hits, unavailable } = await open({}).search(request);
  expect(hits).toHaveLength(1);
  expect(unavailable).toEqual([]);
});

test("a failing store fails the search with its own message, and the next search tries again", async () => {
  let broken = true;
  const engine = open({
    reader: {
      read: async (_key, start, length) => {
        if (broken) throw new Error("The bucket does not answer.");
        return bytes.slice(start, start + length);
      },
    },
  });
  await expect(engine.search(request)).rejects.toThrow("The bucket does not answer.");
  broken = false;
  expect((await engine.search(request)).hits).toHaveLength(1);
});

test("an aborted search ends at once with the signal's reason", async () => {
  const engine = open({ loadDocuments: () => new Promise(() => {}) });
  const controller = new AbortController();
  const search = engine.search(request, controller.signal);
  const outcome = expect(search).rejects.toThrow("The caller went away.");
  await setTimeout(50);
  controller.abort(new Error("The caller went away."));
  await outcome;
  await expect(engine.search(request, controller.signal)).rejects.toThrow("The caller went away.");
});

test("when the worker dies, searches in flight fail as retryable and the next one is answered", async () => {
  let stuck = true;
  const engine = open({
    loadDocuments: async () => {
      if (stuck) await new Promise(() => {});
      return { indexVersion: 1, documents };
    },
  });
  const lost = expect(engine.search(request)).rejects.toMatchObject({ code: "worker_lost", retryable: true });
  await setTimeout(200);
  await engine.close();
  await lost;
  stuck = false;
  expect((await engine.search(request)).hits).toHaveLength(1);
});

test("memory stays flat over 2,000 searches", async () => {
  const engine = open({});
  await engine.search(request);
  const before = await engine.stats();
  for (let i = 0; i < 2_000; i++) await engine.search({ ...request, question: `warranty ${i}` });
  expect(await engine.stats()).toEqual(before);
});

test("segments are built in a worker, byte for byte as here, and languages are told there", async () => {
  const builder = createSegmentBuilder({ idleMs: 50 });
  opened.push(builder);
  const input = documentOf(["The warranty lasts three years.", "Filters cost 49 euros."]);
  expect(await builder.build(input)).toEqual(new Uint8Array(bytes));
  expect(await builder.detectLanguage("Die Garantie gilt drei Jahre ab dem Tag des Kaufs.")).toBe("de");
  await setTimeout(150);
  expect(await builder.build(input)).toEqual(new Uint8Array(bytes));
});
