import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import pino from "pino";
import { openApp } from "../src/app.ts";
import { readConfig } from "../src/config.ts";
import { encodeSlug } from "../src/http/schemas.ts";
import { type Caller, placeCall } from "../test/simulators/carrier/relay-caller.ts";
import { freePort, testDatabase } from "../test/support.ts";
import { form, send, treeCpuMicros } from "./documents-load.ts";
import { makeQuestion, takeText } from "./documents-texts.ts";
import { printTable, residentMb, startProgram, startServer } from "./support.ts";

/**
 * Phone calls over ConversationRelay, all at once: callers ask, listen, and interrupt every third answer. The carrier,
 * the callers and the stub model are other processes on the same machine. BENCH_CALLS says how many, BENCH_SECONDS how
 * long.
 */
const CALLS = Number(process.env.BENCH_CALLS ?? 50);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 30);
/** All hang up in one moment; how long their ends may take to be written. */
const ENDED_MS = 20_000;
const CHUNKS = 2_000;
const PUBLIC_URL = "https://voice.example.com";
const NUMBER = "+390612345678";

const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const model = await startProgram<{ url: string }>("bench/stub-model.ts");
const settings = {
  ...(await testDatabase()),
  // Known beforehand: the server calls itself by its public name.
  PORT: String(await freePort()),
  LOG_LEVEL: "warn",
  LLM_PROVIDER: "openai-compatible",
  LLM_BASE_URL: `${model.line.url}/v1`,
  LLM_MODEL: "stub",
  PUBLIC_URL,
  // Its numbers are bought by hand: nobody outside is asked.
  CARRIER: "telnyx",
  TELNYX_API_KEY: "bench",
  TELNYX_PUBLIC_KEY: publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("base64"),
};
const server = await startServer(settings);
const { bootstrap, pid } = server;
const url = `http://127.0.0.1:${settings.PORT}`;
const database = server.environment.DATABASE_URL === undefined ? "PGlite" : "PostgreSQL";
const account = { authorization: `Bearer ${bootstrap.api_key}`, "x-account-id": bootstrap.account_id };
const side = {
  keys: { carrier: "telnyx" as const, privateKey },
  publicUrl: PUBLIC_URL,
  url: url,
};
const now = () => performance.timeOrigin + performance.now();
const firsts: number[] = [];
const silences: number[] = [];
const searches: number[] = [];
const interrupts: { sent: string; at: number }[] = [];
let turns = 0;

await fill();
await linkNumber();
await pace({ stamped: true, clauses: true, tokens: 40, delayMs: 30 });
const idleMb = residentMb(pid);
const callers = await openCalls();
await talkAll(3);
await readJson(`${model.line.url}/waits`);
await readJson(`${model.line.url}/hang-ups`);
firsts.length = 0;
silences.length = 0;
interrupts.length = 0;
turns = 0;
const begun = new Date();
const cpuBefore = treeCpuMicros(pid);
await Promise.all([talkAll(SECONDS), searchAll()]);
const cpuMs = (treeCpuMicros(pid) - cpuBefore) / 1000;
const waits: number[] = await readJson(`${model.line.url}/waits`);
const cancels = await cancelsOf();
const memoryMb = residentMb(pid);
await Promise.all(callers.map((caller) => caller.hangUp().catch(() => undefined)));
const lost = await lostRows();
await server.stop();
await model.stop();
const retrievals = await retrievalsSince(begun);

printTable(`${CALLS} calls at once, ${database}, ${turns} turns in ${SECONDS} s`, [
  row("prompt in → model request out", waits, 25),
  row("of it, question in → passages chosen", retrievals, 10),
  row("first token in → first text frame out", firsts, 25),
  row("interrupt → model cancelled", cancels, 20),
  row("interrupt → last text frame", silences, 20),
  row("search over HTTP meanwhile", searches),
]);
printTable("Memory", [
  { what: "resident MB before", MB: idleMb },
  { what: "with the calls", MB: memoryMb },
]);
console.log(`server's CPU ms a turn: ${(cpuMs / turns).toFixed(1)}`);
console.log(`lost call rows: ${lost}`);

async function fill(): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  for (let stored = 0, seed = 1; stored < CHUNKS; seed += 1) {
    const { type, body } = form(
      { addToWorkspaces: bootstrap.workspace_slug },
      `book-${seed}.txt`,
      takeText(seed, 200_000),
    );
    const path = `/api/v1/org/${encodeSlug(bootstrap.org_slug)}/document/upload?wait=120`;
    const headers = { ...account, "content-type": type };
    const done = await send(agent, url, { method: "POST", path, headers, body });
    stored += Number(JSON.parse(done.body).results?.[0]?.chunks ?? 0);
  }
  agent.destroy();
}

/** As an operator does it: asked for, approved, attached, and linked. */
async function linkNumber(): Promise<void> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["src/cli.ts", "admin-key", "create", "--json"],
    {
      env: { ...process.env, ...server.environment },
    },
  );
  const admin = { authorization: `Bearer ${JSON.parse(stdout).key}` };
  const requests = `/org/${encodeSlug(bootstrap.org_slug)}/number-requests`;
  const { number_request: request } = await post(account, requests, { country: "IT", number_type: "local" });
  await post(admin, `/admin/number-requests/${request.id}/approve`, {});
  await post(admin, `/admin/number-requests/${request.id}/attach`, { number: NUMBER });
  const { numbers } = await readJson(`${url}/api/v1/org/${encodeSlug(bootstrap.org_slug)}/numbers`);
  await post(account, `/workspace/${encodeSlug(bootstrap.workspace_slug)}/voice-integration`, {
    number_id: numbers[0].id,
  });
}

async function openCalls(): Promise<Caller[]> {
  const opened: Caller[] = [];
  for (let index = 0; index < CALLS; index += 1) {
    const from = `+3933300${String(index).padStart(5, "0")}`;
    opened.push(await placeCall(side, { to: NUMBER, from }));
  }
  return opened;
}

async function talkAll(seconds: number): Promise<void> {
  const until = performance.now() + seconds * 1000;
  await Promise.all(
    callers.map(async (caller, index) => {
      // Not all in one moment, as people do not speak either.
      await sleep((index * 1_000) / CALLS);
      for (let turn = index; performance.now() < until; turn += 1) {
        await talk(caller, turn % 3 === 0, turn);
        await sleep(300 + ((index * 37) % 400));
      }
    }),
  );
}

/** A question; its answer to the end, or until the caller has had enough. */
async function talk(caller: Caller, isCut: boolean, seed: number): Promise<void> {
  const from = caller.commands.length;
  const sent = now().toFixed(3);
  caller.say(`${makeQuestion(seed % 500)} sent=${sent}`);
  await waitFor(() => caller.commands.length > from);
  const first = caller.commands[from];
  const arrived = performance.timeOrigin + (caller.arrivals[from] ?? 0);
  const stamp = first?.type === "text" ? /@([\d.]+\d)/.exec(first.token)?.[1] : undefined;
  if (stamp !== undefined) firsts.push(arrived - Number(stamp));
  turns += 1;
  if (!isCut) {
    await waitFor(() => caller.commands.slice(from).some((one) => one.type === "text" && one.last));
    return;
  }
  const at = now();
  caller.interrupt("The");
  await sleep(250);
  const last = performance.timeOrigin + (caller.arrivals.at(-1) ?? 0);
  silences.push(Math.max(0, last - at));
  interrupts.push({ sent, at });
}

async function searchAll(): Promise<void> {
  const until = performance.now() + SECONDS * 1000;
  for (let seed = 1; performance.now() < until; seed += 1) {
    const begun = performance.now();
    const path = `/workspace/${encodeSlug(bootstrap.workspace_slug)}/vector-search`;
    await post(account, path, { query: makeQuestion(seed % 500), topN: 4 });
    searches.push(performance.now() - begun);
    await sleep(200);
  }
}

/** How long after each interruption the model's stream was closed. */
async function cancelsOf(): Promise<number[]> {
  const hangUps: { sent: string; at: number }[] = await readJson(`${model.line.url}/hang-ups`);
  const closed = new Map(hangUps.map(({ sent, at }) => [sent, at]));
  return interrupts.flatMap(({ sent, at }) => {
    const cancelled = closed.get(sent);
    return cancelled === undefined ? [] : [Math.max(0, cancelled - at)];
  });
}

/** Calls that were placed and are not in the log, or are there without an end. */
async function lostRows(): Promise<number> {
  const until = performance.now() + ENDED_MS;
  for (;;) {
    const { call_logs: logs } = await readJson(`${url}/api/v1/voice-integration/call-logs?limit=100`);
    const ended = logs.filter(({ ended_reason }: { ended_reason: string | null }) => ended_reason !== null);
    if (ended.length === CALLS || performance.now() > until) return CALLS - ended.length;
    await sleep(200);
  }
}

/** What the server itself has written of each turn. */
async function retrievalsSince(begun: Date): Promise<number[]> {
  const { app, close } = await openApp(readConfig(server.environment), {
    log: pino({ level: "silent" }),
    onFatal: (error) => {
      throw error;
    },
  });
  const rows = await app.db.asSystem("superadmin", (tx) =>
    tx
      .selectFrom("call_events")
      .select("data")
      .where("kind", "=", "turn_timed")
      .where("at", ">=", begun)
      .execute(),
  );
  await close();
  return rows.map(({ data }) => Number(Object(data).retrievalMs)).filter(Number.isFinite);
}

async function pace(wanted: object): Promise<void> {
  await fetch(`${model.line.url}/pace`, { method: "POST", body: JSON.stringify(wanted) });
}

async function post(headers: Record<string, string>, path: string, body: object) {
  const response = await fetch(`${url}/api/v1${path}`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = JSON.parse(await response.text());
  if (response.status !== 200) throw new Error(`${path}: ${JSON.stringify(answer)}`);
  return answer;
}

async function readJson(address: string) {
  const response = await fetch(address, { headers: account });
  return JSON.parse(await response.text());
}

async function waitFor(isSo: () => boolean): Promise<void> {
  for (let waited = 0; !isSo(); waited += 5) {
    if (waited > 20_000) throw new Error("a caller heard nothing for 20 s");
    await sleep(5);
  }
}

function row(what: string, values: readonly number[], target?: number): Record<string, string | number> {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return {
    what,
    "p50 ms": at(0.5).toFixed(1),
    "p95 ms": at(0.95).toFixed(1),
    "p99 ms": at(0.99).toFixed(1),
    "target p95": target === undefined ? "" : `≤ ${target}`,
    times: values.length,
  };
}
