import { Agent, request } from "node:http";
import { encodeSlug } from "../src/http/schemas.ts";
import { testDatabase } from "../test/support.ts";
import { drive, form, type Measured, type Sent, send, summary, treeCpuMicros } from "./documents-load.ts";
import { makeQuestion, takeText } from "./documents-texts.ts";
import { printTable, residentMb, startProgram, startServer } from "./support.ts";

/**
 * Questions to a workspace of 6,000 chunks, through HTTP on a server of its own, with a stub model in another process.
 * BENCH_ONLY=chat,overhead,streams runs some parts; BENCH_ROUNDS and BENCH_SECONDS say how long, BENCH_STREAMS how many.
 */
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 5);
const ONLY = process.env.BENCH_ONLY?.split(",");
const STREAMS = (process.env.BENCH_STREAMS ?? "200,500").split(",").map(Number);
const CHUNKS = 6_000;
const STREAM_TOKENS = 200;

const model = await startProgram<{ url: string }>("bench/stub-model.ts");
const filling = await startServer({
  ...(await testDatabase()),
  PORT: "0",
  LOG_LEVEL: "warn",
  LLM_PROVIDER: "openai-compatible",
  LLM_BASE_URL: `${model.line.url}/v1`,
  LLM_MODEL: "stub",
});
let { bootstrap, pid } = filling;
const database = filling.environment.DATABASE_URL === undefined ? "PGlite" : "PostgreSQL";
const account = { authorization: `Bearer ${bootstrap.api_key}`, "x-account-id": bootstrap.account_id };
const json = { ...account, "content-type": "application/json" };
const workspace = `/api/v1/workspace/${encodeSlug(bootstrap.workspace_slug)}`;
const agent = new Agent({ keepAlive: true });
const now = () => performance.timeOrigin + performance.now();
let seed = 1;

const chunks = await fill();
// What reading 6,000 chunks takes is another benchmark's: the memory here is of a server that answers.
await filling.stop();
const server = await startServer(filling.environment);
({ bootstrap, pid } = server);
await drive({
  pid,
  url: bootstrap.base_url,
  connections: 2,
  seconds: 2,
  next: () => ask("chat", () => "warm"),
});
console.log(`${database}, a workspace of ${chunks} chunks, a stub model of 64 tokens`);
if (isWanted("chat")) await benchRates();
if (isWanted("overhead")) await benchOverhead();
if (isWanted("streams")) for (const count of STREAMS) await benchStreams(count);
await server.stop();
await model.stop();

function isWanted(part: string): boolean {
  return ONLY === undefined || ONLY.includes(part);
}

async function fill(): Promise<number> {
  let stored = 0;
  while (stored < CHUNKS) {
    const { type, body } = form(
      { addToWorkspaces: bootstrap.workspace_slug },
      `book-${seed}.txt`,
      takeText(seed++, 200_000),
    );
    const path = `/api/v1/org/${encodeSlug(bootstrap.org_slug)}/document/upload?wait=120`;
    const headers = { ...account, "content-type": type };
    const done = await send(agent, bootstrap.base_url, { method: "POST", path, headers, body });
    stored += Number(JSON.parse(done.body).results?.[0]?.chunks ?? 0);
  }
  return stored;
}

/** Each question in a session of its own, and all in one. */
function ask(kind: "chat" | "stream-chat", session: () => string | undefined): Sent {
  const sessionId = session();
  const message = `${makeQuestion(seed++ % 500)} sent=${now().toFixed(3)}`;
  const body = Buffer.from(JSON.stringify({ message, ...(sessionId === undefined ? {} : { sessionId }) }));
  return { method: "POST", path: `${workspace}/${kind}`, headers: json, body };
}

async function benchRates(): Promise<void> {
  const rows = [];
  // No session is asked twice: what a long history costs is the other row's.
  const oneOfMany = () => `s${seed}`;
  const measure = (next: () => Sent, seconds: number) =>
    drive({
      pid,
      url: bootstrap.base_url,
      connections: 8,
      seconds,
      next,
      isGood: ({ status, body }) => status === 200 && body.includes("word63"),
    });
  const auth = () => ({ method: "GET" as const, path: "/api/v1/auth", headers: account });
  for (const [kind, target] of [
    ["chat", 300],
    ["stream-chat", 250],
  ] as const) {
    await measure(() => ask(kind, oneOfMany), 2);
    for (const [name, session] of [
      [`${kind}, many sessions`, oneOfMany],
      [`${kind}, one conversation`, () => undefined],
    ] as const) {
      const ours: Measured[] = [];
      const plain: Measured[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        ours.push(await measure(() => ask(kind, session), SECONDS));
        plain.push(
          await drive({ pid, url: bootstrap.base_url, connections: 8, seconds: SECONDS / 4, next: auth }),
        );
      }
      const { perSecond, p50Ms, p99Ms, cpuMs, failed } = summary(ours);
      rows.push({
        "8 connections": name,
        "per s": perSecond.toFixed(0),
        target: `≥ ${target}`,
        "of GET /v1/auth": (perSecond / summary(plain).perSecond).toFixed(4),
        "p50 ms": p50Ms.toFixed(1),
        "p99 ms": p99Ms.toFixed(1),
        "CPU ms": cpuMs.toFixed(2),
        failed,
      });
    }
  }
  printTable(`Questions, ${database}`, rows);
  console.log(`resident MB: ${residentMb(pid)}`);
}

async function benchOverhead(): Promise<void> {
  const rows = [];
  for (const connections of [1, 8]) {
    await setPace({ stamped: false, delayMs: 0 });
    await readWaits();
    const next = () => ask("chat", () => `s${seed}`);
    await drive({ pid, url: bootstrap.base_url, connections, seconds: SECONDS, next });
    const waits = await readWaits();
    await setPace({ stamped: true, tokens: 5, delayMs: 40 });
    const firsts: number[] = [];
    const until = performance.now() + SECONDS * 1000;
    await Promise.all(
      Array.from({ length: connections }, async () => {
        while (performance.now() < until) {
          const delays: number[] = [];
          await follow(next(), delays);
          if (delays[0] !== undefined) firsts.push(delays[0]);
        }
      }),
    );
    rows.push({
      connections,
      "before the model p50 ms": percentile(waits, 0.5),
      "p95 ms": percentile(waits, 0.95),
      "target ms": "≤ 15",
      "first token forwarded p50 ms": percentile(firsts, 0.5),
      "p95 ms ": percentile(firsts, 0.95),
      "target ms ": "≤ 3",
    });
  }
  printTable(`What the server adds, ${database}`, rows);
}

async function benchStreams(count: number): Promise<void> {
  await setPace({ stamped: true, tokens: STREAM_TOKENS, delayMs: 50 });
  const delays: number[] = [];
  let mostMb = 0;
  const watch = setInterval(() => {
    mostMb = Math.max(mostMb, residentMb(pid));
  }, 250);
  const idleMb = residentMb(pid);
  const cpuBefore = treeCpuMicros(pid);
  const begun = performance.now();
  // Not all in one moment, as people do not come either.
  const streams = Array.from({ length: count }, async (_, index) => {
    await new Promise((resolve) => setTimeout(resolve, (index * 1_000) / count));
    await follow({ ...ask("stream-chat", () => `stream-${index}`) }, delays);
  });
  await Promise.all(streams);
  clearInterval(watch);
  const seconds = (performance.now() - begun) / 1000;
  printTable(`${count} streams at once, 20 tokens a second each, ${database}`, [
    {
      streams: count,
      tokens: delays.length,
      lost: count * STREAM_TOKENS - delays.length,
      "tokens per s": (delays.length / seconds).toFixed(0),
      "delay p50 ms": percentile(delays, 0.5),
      "p99 ms": percentile(delays, 0.99),
      "target ms": "≤ 50",
      "worst ms": percentile(delays, 1),
      "CPU µs a token": Math.round((treeCpuMicros(pid) - cpuBefore) / Math.max(1, delays.length)),
      "MB before": idleMb,
      "memory MB": mostMb,
      "target MB": "≤ 600",
    },
  ]);
}

/** Reads a stream to its end; how long each token took from the model to here. */
function follow(sent: Sent, delays: number[]): Promise<void> {
  const { hostname, port } = new URL(bootstrap.base_url);
  const path = sent.path.replace(/\/chat$/, "/stream-chat");
  return new Promise((resolve, reject) => {
    const outgoing = request({ agent, host: hostname, port, ...sent, path }, (response) => {
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        const arrived = now();
        for (const [, stamp] of text.matchAll(/@([\d.]+)/g)) delays.push(arrived - Number(stamp));
      });
      response.on("end", resolve);
      response.on("error", reject);
    });
    outgoing.on("error", reject);
    outgoing.end(sent.body);
  });
}

async function setPace(pace: object): Promise<void> {
  await fetch(`${model.line.url}/pace`, { method: "POST", body: JSON.stringify(pace) });
}

async function readWaits(): Promise<number[]> {
  return JSON.parse(await (await fetch(`${model.line.url}/waits`)).text());
}

function percentile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(1);
}
