import { spawn } from "node:child_process";
import { once } from "node:events";
import { Agent } from "node:http";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { encodeSlug } from "../src/http/schemas.ts";
import { testDatabase } from "../test/support.ts";
import { childrenOf, drive, form, type Measured, send, summary } from "./documents-load.ts";
import { makeQuestion, makeReports, takeText } from "./documents-texts.ts";
import { printTable, residentMb, startProgram, startServer } from "./support.ts";

/**
 * Documents in, passages out, through HTTP on a server of its own, with a deterministic embedder on loopback.
 * BENCH_ONLY=small,embed,pdf,bulk,auth,search runs some parts; BENCH_SECONDS, BENCH_ROUNDS and BENCH_SEARCHES say how long. Uploads are
 * measured in turns with a bare route that takes the same bytes; `of bare` is its rate divided into ours.
 */
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 4);
const ONLY = process.env.BENCH_ONLY?.split(",");
const SEARCH_CHUNKS = 6_000;
const IDLE_SECONDS = 60;

const embedder = await startEmbedder();
const server = await startServer({
  ...(await testDatabase()),
  PORT: "0",
  LOG_LEVEL: "warn",
  EMBEDDING_PROVIDER: "openai-compatible",
  EMBEDDING_BASE_URL: embedder.url,
  EMBEDDING_API_KEY: embedder.key,
  EMBEDDING_MODEL: "text-embedding-3-small",
  EMBEDDING_DIMENSIONS: "384",
});
const bare = await startProgram<{ url: string }>("bench/bare-upload.ts");
const { bootstrap, pid } = server;
const database = server.environment.DATABASE_URL === undefined ? "PGlite" : "PostgreSQL";
const account = { authorization: `Bearer ${bootstrap.api_key}`, "x-account-id": bootstrap.account_id };
const json = { ...account, "content-type": "application/json" };
const org = `/api/v1/org/${encodeSlug(bootstrap.org_slug)}`;
const agent = new Agent({ keepAlive: true });
let seed = Date.now() % 1_000_000_000;

const uploads: Record<string, string | number>[] = [];
const memory: Record<string, string | number>[] = [];
noteMemory("after the start");
if (isWanted("small")) await benchUpload("text, 1 KB", 8, textUpload(1_000, {}), 250);
if (isWanted("embed")) {
  await benchUpload(
    "text, 10 KB, embedded",
    8,
    textUpload(10_000, { addToWorkspaces: bootstrap.workspace_slug }),
    100,
  );
}
if (isWanted("pdf")) {
  const reports = makeReports(Math.ceil((ROUNDS + 1) * SECONDS * 60));
  let next = 0;
  await benchUpload(
    "PDF, 50 pages",
    4,
    () => upload(reports[next++ % reports.length] ?? "", "report.pdf", {}),
    15,
  );
}
if (uploads.length > 0) {
  printTable(`Uploads, ${database}, ${ROUNDS} rounds of ${SECONDS} s in turns with the bare route`, uploads);
  noteMemory("after the uploads");
}
if (isWanted("bulk")) await benchBulk();
if (isWanted("auth")) await benchAuth();
if (isWanted("search")) await benchSearch();
// Threads and processes without work end, and what was garbage is given back.
await sleep(IDLE_SECONDS * 1000);
noteMemory(`${IDLE_SECONDS} s later`);
printTable(`Memory in MB, ${database}`, memory);
await server.stop();
await bare.stop();
embedder.stop();

function isWanted(part: string): boolean {
  return ONLY === undefined || ONLY.includes(part);
}

function upload(content: string | Buffer, fileName: string, fields: Record<string, string>) {
  const { type, body } = form(fields, fileName, content);
  return {
    method: "POST" as const,
    path: `${org}/document/upload`,
    headers: { ...account, "content-type": type },
    body,
  };
}

function textUpload(bytes: number, fields: Record<string, string>) {
  return () => upload(takeText(seed++, bytes), "notes.txt", fields);
}

async function benchUpload(
  name: string,
  connections: number,
  make: () => ReturnType<typeof upload>,
  target: number,
): Promise<void> {
  const ours: Measured[] = [];
  const theirs: Measured[] = [];
  const measure = (seconds: number) =>
    drive({ pid, url: bootstrap.base_url, connections, seconds, next: make });
  await measure(2);
  for (let round = 0; round < ROUNDS; round += 1) {
    process.stderr.write(`round ${round + 1}/${ROUNDS}: ${name}\n`);
    ours.push(await measure(SECONDS));
    const next = () => ({ ...make(), path: "/upload" });
    theirs.push(await drive({ pid: bare.pid, url: bare.line.url, connections, seconds: SECONDS / 2, next }));
  }
  const mine = summary(ours);
  const reference = summary(theirs);
  uploads.push({
    upload: name,
    connections,
    "per s": mine.perSecond.toFixed(1),
    target: `≥ ${target}`,
    "of bare": (mine.perSecond / reference.perSecond).toFixed(3),
    "p50 ms": mine.p50Ms.toFixed(1),
    "p99 ms": mine.p99Ms.toFixed(1),
    "CPU ms": mine.cpuMs.toFixed(2),
    "CPU ms bare": reference.cpuMs.toFixed(2),
    failed: mine.failed,
  });
}

/** Texts that are read already, all put into a workspace by one request. */
async function benchBulk(): Promise<void> {
  const rows = [];
  for (const [files, kilobytes] of [
    [40, 128],
    [400, 10],
  ] as const) {
    const slug = await newWorkspace(`bulk ${files}`);
    const adds = await Promise.all(
      Array.from({ length: files }, async () => docpathOf(await post(textUpload(kilobytes * 1024, {})()))),
    );
    const megabytes = (files * kilobytes) / 1024;
    const begun = performance.now();
    const measured = await drive({
      pid,
      url: bootstrap.base_url,
      connections: 1,
      seconds: 0.001,
      next: () => embedAll(slug, adds),
      isGood: ({ status }) => status === 200,
    });
    const seconds = (performance.now() - begun) / 1000;
    rows.push({
      ingest: `${files} texts of ${kilobytes} KB`,
      "MB/s": (megabytes / seconds).toFixed(2),
      target: "≥ 3",
      "CPU ms per MB": Math.round(measured.cpuMicros / 1000 / megabytes),
      failed: measured.failed,
    });
  }
  printTable(`Texts into a workspace by one update-embeddings, ${database}`, rows);
  noteMemory("after the bulk");
}

/** How long the simplest request takes while a large text is read and embedded, and when nothing is going on. */
async function benchAuth(): Promise<void> {
  const rows = [];
  const auth = (signal: AbortSignal, seconds: number) =>
    drive({
      pid,
      url: bootstrap.base_url,
      connections: 2,
      seconds,
      signal,
      next: () => ({ method: "GET", path: "/api/v1/auth", headers: account }),
    });
  const row = (name: string, measured: Measured) => {
    const { p50Ms, p99Ms, perSecond, failed } = summary([measured]);
    const worst = Math.max(...measured.timesMs);
    return {
      "GET /v1/auth": name,
      "per s": Math.round(perSecond),
      "p50 ms": p50Ms.toFixed(1),
      "p99 ms": p99Ms.toFixed(1),
      target: "≤ 30",
      "worst ms": worst.toFixed(0),
      failed,
    };
  };
  rows.push(row("while idle", await auth(new AbortController().signal, SECONDS)));
  const done = new AbortController();
  const work = post(
    upload(takeText(seed++, 5_000_000), "large.txt", { addToWorkspaces: bootstrap.workspace_slug }),
  ).finally(() => done.abort());
  rows.push(row("while 5 MB of text is embedded", await auth(done.signal, 120)));
  await work;
  printTable(`The server stays awake, ${database}`, rows);
}

async function benchSearch(): Promise<void> {
  const slug = await newWorkspace("search");
  let chunks = 0;
  while (chunks < SEARCH_CHUNKS) {
    const added = await post(upload(takeText(seed++, 200_000), "book.txt", { addToWorkspaces: slug }));
    chunks += added.results?.[0]?.chunks ?? 0;
  }
  const path = `/api/v1/workspace/${encodeSlug(slug)}/vector-search`;
  const rows = [];
  const heap: number[] = [];
  const search = (name: string, seconds: number, question: (n: number) => string) =>
    drive({
      pid,
      url: bootstrap.base_url,
      connections: 8,
      seconds,
      next: (n) => ({
        method: "POST",
        path,
        headers: json,
        body: Buffer.from(JSON.stringify({ query: question(n), topN: 4, scoreThreshold: 0 })),
      }),
    }).then((measured) => ({ name, measured }));
  const repeated = (n: number) => makeQuestion(n % 200);
  const fresh = () => makeQuestion(seed++);
  const auth = {
    pid,
    url: bootstrap.base_url,
    connections: 8,
    next: () => ({ method: "GET" as const, path: "/api/v1/auth", headers: account }),
  };
  await search("warm", 2, repeated);
  for (const [name, question] of [
    ["200 questions, again and again", repeated],
    ["always another question", fresh],
  ] as const) {
    const rounds = [];
    const plain = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      rounds.push((await search(name, SECONDS, question)).measured);
      plain.push(await drive({ ...auth, seconds: SECONDS / 2 }));
    }
    const { perSecond, p50Ms, p99Ms, cpuMs, failed } = summary(rounds);
    rows.push({
      search: name,
      "per s": Math.round(perSecond),
      target: "≥ 1500",
      "of GET /v1/auth": (perSecond / summary(plain).perSecond).toFixed(3),
      "p50 ms": p50Ms.toFixed(1),
      "p99 ms": p99Ms.toFixed(1),
      "p99 target": "≤ 15",
      "CPU ms": cpuMs.toFixed(2),
      "CPU ms auth": summary(plain).cpuMs.toFixed(2),
      failed,
    });
  }
  let asked = 0;
  while (asked < Number(process.env.BENCH_SEARCHES ?? 20_000)) {
    heap.push(residentMb(pid));
    asked += (await search("memory", 3, fresh)).measured.count;
  }
  heap.push(residentMb(pid));
  printTable(
    `Search over ${chunks} chunks at 8 connections, ${database}; the embedder is asked for questions not asked lately`,
    rows,
  );
  console.log(`\nresident MB every 3 s of ${asked} more searches: ${heap.join(" ")}`);
  noteMemory("after the searches");
}

async function newWorkspace(name: string): Promise<string> {
  const body = Buffer.from(JSON.stringify({ name: `${name} ${seed++}` }));
  const made = await post({ method: "POST", path: `${org}/workspaces`, headers: json, body });
  return made.workspace?.originalSlug ?? "";
}

function embedAll(slug: string, adds: string[]) {
  const body = Buffer.from(JSON.stringify({ adds, deletes: [] }));
  return {
    method: "POST" as const,
    path: `/api/v1/workspace/${encodeSlug(slug)}/update-embeddings?wait=120`,
    headers: json,
    body,
  };
}

interface Made {
  documents?: { docpath: string }[];
  results?: { chunks?: number }[];
  workspace?: { originalSlug: string };
}

async function post(sent: Parameters<typeof send>[2]): Promise<Made> {
  const { status, body } = await send(agent, bootstrap.base_url, sent);
  if (status !== 200) throw new Error(`${sent.path} answered ${status}: ${body.slice(0, 500)}`);
  return JSON.parse(body);
}

function docpathOf({ documents }: Made): string {
  return documents?.[0]?.docpath ?? "";
}

function noteMemory(when: string): void {
  memory.push({
    memory: when,
    server: residentMb(pid),
    "reading processes": childrenOf(pid).reduce((sum, child) => sum + residentMb(child), 0),
    target: database === "PGlite" ? "≤ 750" : "≤ 400",
  });
}

async function startEmbedder() {
  const key = "bench-key";
  const program = fileURLToPath(new URL("../test/simulators/openai/main.ts", import.meta.url));
  const child = spawn(process.execPath, [program, "--port", "0", "--api-key", key], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(createInterface(child.stdout), "line");
  return { url: String(line), key, stop: () => child.kill() };
}
