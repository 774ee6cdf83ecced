import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import autocannon from "autocannon";
import { testDatabase } from "../test/support.ts";

/** What a freshly started server tells of itself in `bootstrap.json`. */
export interface Bootstrap {
  partner_id: string;
  api_key: string;
  account_id: string;
  org_slug: string;
  workspace_slug: string;
  base_url: string;
}

export interface BenchServer {
  bootstrap: Bootstrap;
  pid: number;
  /** From the spawn to the line that says it is ready. */
  startMs: number;
  environment: Record<string, string>;
  stop(): Promise<void>;
}

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * `npm start` in a process of its own, on an empty database unless `environment` names an old one.
 * BENCH_PROFILE=folder leaves a CPU profile of each of its threads there.
 */
export async function startServer(environment?: Record<string, string>): Promise<BenchServer> {
  const settings = environment ?? { ...(await testDatabase()), PORT: "0", LOG_LEVEL: "warn" };
  const begun = performance.now();
  const folder = process.env.BENCH_PROFILE;
  const profiling = folder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${folder}`];
  const start = await startCommand();
  const child = spawn(process.execPath, [...profiling, ...start.arguments], {
    cwd: ROOT,
    env: { ...process.env, ...start.environment, ...settings },
    stdio: ["ignore", "pipe", "inherit"],
  });
  // A benchmark that fails leaves no server behind.
  const end = () => child.kill("SIGKILL");
  process.once("exit", end);
  child.once("exit", () => process.off("exit", end));
  const url = await readyUrl(child);
  const startMs = performance.now() - begun;
  const file = join(settings.DATA_DIR ?? "", "bootstrap.json");
  const bootstrap: Bootstrap = { ...JSON.parse(await readFile(file, "utf8")), base_url: url };
  return { bootstrap, pid: pidOf(child), startMs, environment: settings, stop: () => stop(child) };
}

/** What `npm start` runs: what is measured is what is run. */
async function startCommand(): Promise<{ environment: Record<string, string>; arguments: string[] }> {
  const { scripts } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  const [before = "", after = ""] = String(scripts.start).split("exec node ");
  const settings = before.split(" ").filter((part) => part.includes("="));
  return {
    environment: Object.fromEntries(settings.map((part) => part.split("=", 2))),
    arguments: after.split(" "),
  };
}

/** Any other program that prints a JSON line once it listens. */
export async function startProgram<Line>(
  file: string,
): Promise<{ line: Line; pid: number; stop(): Promise<void> }> {
  const child = spawn(process.execPath, [file], { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] });
  const [text] = await once(createInterface(child.stdout), "line");
  return { line: JSON.parse(String(text)), pid: pidOf(child), stop: () => stop(child) };
}

export interface Load {
  url: string;
  headers?: Record<string, string>;
  method?: "GET" | "POST";
  body?: string;
  connections: number;
  seconds: number;
}

export interface LoadResult {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  failed: number;
  /** Processor time that the server's process took for one request. */
  cpuMicros: number;
}

export async function load(pid: number, { url, connections, seconds, ...rest }: Load): Promise<LoadResult> {
  const before = cpuMicros(pid);
  const result = await autocannon({ url, connections, duration: seconds, ...rest });
  const spent = cpuMicros(pid) - before;
  return {
    perSecond: Math.round(result.requests.total / result.duration),
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    failed: result.non2xx + result.errors,
    cpuMicros: Math.round(spent / result.requests.total),
  };
}

/** Memory of a process as the system sees it, in MB. */
export function residentMb(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Math.round(Number(kilobytes) / 1024);
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Prints rows under a heading; numbers to the right. */
export function printTable(title: string, rows: Record<string, string | number>[]): void {
  const names = Object.keys(rows[0] ?? {});
  const widths = names.map((name) => Math.max(name.length, ...rows.map((row) => String(row[name]).length)));
  const line = (cells: string[], pad: (cell: string, width: number, index: number) => string) =>
    cells.map((cell, index) => pad(cell, widths[index] ?? 0, index)).join("  ");
  console.log(`\n${title}`);
  console.log(line(names, (cell, width, index) => (index === 0 ? cell.padEnd(width) : cell.padStart(width))));
  for (const row of rows) {
    const cells = names.map((name) => String(row[name]));
    console.log(
      line(cells, (cell, width, index) => (index === 0 ? cell.padEnd(width) : cell.padStart(width))),
    );
  }
}

async function readyUrl(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("the server has no output");
  for await (const line of createInterface(child.stdout)) {
    const url = /ready at (\S+)/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error("the server ended before it was ready");
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill("SIGTERM");
  await once(child, "exit");
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error("the process did not start");
  return child.pid;
}

/** User and system time of all threads of a process. The kernel counts in hundredths of a second. */
function cpuMicros(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}
