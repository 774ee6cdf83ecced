import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** A server in a process of its own, started as `npm start` does. */
export interface ServerProcess {
  /** What it calls itself: PUBLIC_URL where that is set. */
  url: string;
  pid: number;
  output: Output;
  /** Resolves when it has ended. */
  ended: Promise<End>;
  /** Sends the signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<End>;
}

export interface Output {
  stdout: string;
  stderr: string;
}

export interface End extends Output {
  /** `null`: ended by a signal. */
  code: number | null;
}

type Settings = Record<string, string>;

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const CLI = fileURLToPath(new URL("../../bin/lumenone.js", import.meta.url));
const READY_MS = 60_000;
const READY = /ready at (https?:\/\/\S+)/;

const living = new Set<ChildProcess>();
process.on("exit", endLeftovers);

/** Ends what a failed test has left running. To be called after a file's tests: a test runner may skip `exit`. */
export function endLeftovers(): void {
  for (const child of living) child.kill("SIGKILL");
}

/** Starts it and waits until it says that it is ready. */
export async function startProcess(settings: Settings): Promise<ServerProcess> {
  const { child, output, ended } = launch([MAIN], { PORT: "0", ...settings });
  const url = await Promise.race([readyUrl(output), ended.then(() => undefined)]);
  if (url === undefined) {
    child.kill("SIGKILL");
    throw new Error(`the server did not start: ${output.stderr || output.stdout}`);
  }
  return {
    url,
    pid: pidOf(child),
    output,
    ended,
    stop(signal = "SIGTERM") {
      child.kill(signal);
      return ended;
    },
  };
}

/** A start that is not expected to succeed, or is to be killed on the way. */
export function launchServer(settings: Settings): { pid: number; kill(): void; ended: Promise<End> } {
  const { child, ended } = launch([MAIN], { PORT: "0", ...settings });
  return { pid: pidOf(child), kill: () => child.kill("SIGKILL"), ended };
}

/** `npx lumenone …` */
export async function lumenone(words: string[], settings: Settings): Promise<End> {
  return launch([CLI, ...words], settings).ended;
}

export async function waitUntil(what: string, timeoutMs: number, holds: () => boolean | Promise<boolean>) {
  const deadline = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await sleep(10);
  }
}

/** Nothing of this process's own settings reaches the child. */
function launch(words: string[], settings: Settings) {
  const { PATH = "", HOME = "", TMPDIR = "/tmp" } = process.env;
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...words], {
    cwd: REPOSITORY,
    env: { PATH, HOME, TMPDIR, ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  living.add(child);
  const output: Output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => {
    output.stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  const ended = once(child, "close").then(([code]): End => {
    living.delete(child);
    return { code, ...output };
  });
  return { child, output, ended };
}

async function readyUrl(output: Output): Promise<string | undefined> {
  const deadline = performance.now() + READY_MS;
  while (performance.now() < deadline) {
    const url = READY.exec(output.stdout)?.[1];
    if (url !== undefined) return url;
    await sleep(10);
  }
  return undefined;
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error("the process could not be started");
  return child.pid;
}
