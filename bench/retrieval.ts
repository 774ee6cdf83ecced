import { execFileSync } from "node:child_process";
import { cpus, loadavg } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { encodeSegment } from "../src/retrieval/encode-segment.ts";
import { createSearchEngine, type SearchEngine } from "../src/retrieval/engine.ts";
import type { SearchRequest, WorkspaceDocument, WorkspaceDocuments } from "../src/retrieval/search-types.ts";
import { createSegmentBuilder } from "../src/retrieval/segment-builder.ts";
import {
  createRandom,
  DIMENSIONS,
  DIRECTORY,
  MODEL,
  makeDocument,
  makeQuestion,
  makeWorkspace,
  randomVector,
} from "./retrieval-data.ts";
import { printTable } from "./retrieval-table.ts";

// Figures of the search engine alone: no HTTP, no database. `node bench/retrieval.ts [--without-1m]`

type Bench = { engine: SearchEngine; workspaces: Map<string, WorkspaceDocuments> };
const random = createRandom(42);

const rows: Record<string, string>[] = [];
// In a process of its own, so that the memory measured here is the engine's.
execFileSync(process.execPath, [new URL("./retrieval-data.ts", import.meta.url).pathname]);
console.log(
  `${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}, load ${loadavg()[0]?.toFixed(1)} before the run`,
);
await benchWorkspace("6k", 60, 100, { searches: 20_000, atOnce: 8 });
await benchWorkspace("6k in 860 documents", 860, 7, { searches: 5_000, atOnce: 8 });
await benchWorkspace("6k lexical", 60, 100, { searches: 5_000, atOnce: 8, lexical: true });
await benchWorkspace("20k", 200, 100, { searches: 2_000, atOnce: 1 });
await benchWorkspace("20k lexical", 200, 100, { searches: 2_000, atOnce: 1, lexical: true });
await benchWorkspace("100k", 1_000, 100, { searches: 1_000, atOnce: 1 });
if (!process.argv.includes("--without-1m")) {
  await benchWorkspace("1M", 10_000, 100, { searches: 100, atOnce: 1 });
}
printTable(rows);
await benchBuild();

/** Segment building: alone, and in its worker while the main thread's event loop is watched. */
async function benchBuild(): Promise<void> {
  const input = makeDocument(9_999, 2_000, true);
  const megabytes = input.chunks.reduce((sum, { text }) => sum + text.length, 0) / 1e6;
  encodeSegment(makeDocument(9_998, 50, true));
  const [, seconds] = await timed(async () => encodeSegment(input));
  const builder = createSegmentBuilder();
  await builder.build(makeDocument(9_998, 50, true));
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const parts = Array.from({ length: 20 }, (_, i) => makeDocument(10_000 + i, 400, true));
  delay.enable();
  await Promise.all(parts.map((part) => builder.build(part)));
  delay.disable();
  await builder.close();
  console.log(
    `build: ${(megabytes / seconds).toFixed(1)} MB/s, ${Math.round(2_000 / seconds)} chunks/s; main event loop while ` +
      `${(megabytes * 4).toFixed(1)} MB are built in the worker: p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms, ` +
      `max ${(delay.max / 1e6).toFixed(1)} ms`,
  );
}

type Load = { searches: number; atOnce: number; lexical?: boolean };

async function benchWorkspace(name: string, count: number, chunksEach: number, load: Load): Promise<void> {
  const documents = makeWorkspace(count, chunksEach, load.lexical);
  const bench = await openEngine();
  bench.workspaces.set(name, { indexVersion: 1, documents });
  const [, coldSeconds] = await timed(() => bench.engine.search(request(name, 1, load.lexical)));
  await run(bench, name, { ...load, searches: Math.ceil(load.searches / 10) });
  const before = process.cpuUsage();
  const { times, seconds, rss } = await run(bench, name, load);
  const { user, system } = process.cpuUsage(before);
  const flat = flatScanMs(count * chunksEach);
  const updateMs = await benchUpdate(bench, name, documents, load);
  const stats = await bench.engine.stats();
  rows.push({
    workspace: name,
    chunks: String(count * chunksEach),
    "at once": String(load.atOnce),
    "searches/s": (load.searches / seconds).toFixed(0),
    // Both threads together; says more than the clock when others use the machine.
    "CPU ms each": ((user + system) / 1e3 / load.searches).toFixed(2),
    "p50 ms": percentile(times, 0.5).toFixed(2),
    "p99 ms": percentile(times, 0.99).toFixed(2),
    "cold ms": (coldSeconds * 1e3).toFixed(0),
    "one document changed ms": updateMs.toFixed(1),
    "segments MB": (stats.usedBytes / 1e6).toFixed(0),
    "rss MB after ¼ ½ ¾ all": rss.join(" "),
    "JS f32 scan / p50": (flat / percentile(times, 0.5)).toFixed(1),
  });
  await bench.engine.close();
}

/** An engine whose worker is up: starting a thread is paid once a process, not once a workspace. */
async function openEngine(): Promise<Bench> {
  const workspaces = new Map<string, WorkspaceDocuments>();
  const engine = createSearchEngine({
    reader: { directory: DIRECTORY },
    cacheBytes: 2 ** 30,
    loadDocuments: async (key) => workspaces.get(key) ?? { indexVersion: 1, documents: [] },
  });
  workspaces.set("warm-up", { indexVersion: 1, documents: makeWorkspace(1, 100) });
  for (let i = 0; i < 20; i++) await engine.search(request("warm-up", 1));
  return { engine, workspaces };
}

async function run({ engine }: Bench, name: string, { searches, atOnce, lexical }: Load) {
  const times: number[] = [];
  const rss: string[] = [];
  let left = searches;
  const lane = async () => {
    while (left-- > 0) {
      if (left % (searches / 4) === 0) rss.push((process.memoryUsage.rss() / 1e6).toFixed(0));
      const [, seconds] = await timed(() => engine.search(request(name, 1, lexical)));
      times.push(seconds * 1e3);
    }
  };
  const [, seconds] = await timed(() => Promise.all(Array.from({ length: atOnce }, lane)));
  return { times, seconds, rss };
}

/** One document gets a new version: until the first search that sees it has answered. */
async function benchUpdate(
  { engine, workspaces }: Bench,
  name: string,
  documents: WorkspaceDocument[],
  load: Load,
) {
  const times: number[] = [];
  for (let version = 2; version < 12; version++) {
    const changed = documents[version];
    if (!changed) break;
    const segmentKey = documents[version + 20]?.segmentKey ?? changed.segmentKey;
    workspaces.set(name, { indexVersion: version, upserts: [{ ...changed, segmentKey }], removedIds: [] });
    const [, seconds] = await timed(() => engine.search(request(name, version, load.lexical)));
    times.push(seconds * 1e3);
  }
  return percentile(times, 0.5);
}

function request(workspaceKey: string, indexVersion: number, lexical = false): SearchRequest {
  const { question, vector } = makeQuestion(random);
  const queryVector = lexical ? null : { model: MODEL, values: vector };
  return { workspaceKey, indexVersion, question, queryVector, topN: 4, threshold: 0 };
}

/** What a simple implementation does: every dot product in JavaScript. The median of five, from at most 20,000 vectors. */
function flatScanMs(chunks: number): number {
  const count = Math.min(chunks, 20_000);
  const vectors = Float32Array.from({ length: count * DIMENSIONS }, random);
  const query = randomVector(random);
  const times = Array.from({ length: 5 }, () => {
    const started = performance.now();
    let best = 0;
    for (let at = 0; at < vectors.length; at += DIMENSIONS) {
      let dot = 0;
      for (let i = 0; i < DIMENSIONS; i++) dot += (vectors[at + i] ?? 0) * (query[i] ?? 0);
      best = Math.max(best, dot);
    }
    return best < 0 ? 0 : performance.now() - started;
  });
  return (percentile(times, 0.5) * chunks) / count;
}

async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const started = performance.now();
  const value = await work();
  return [value, (performance.now() - started) / 1e3];
}

function percentile(values: number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
}
