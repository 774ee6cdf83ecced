import { type ChildProcess, fork } from "node:child_process";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { ParseFailure } from "./parse-failure.ts";
import type { ParsedDocument } from "./parsed-document.ts";
import { asParseMessage, type ParseJob, type ParseMessage } from "./protocol.ts";
import type { Progress } from "./reader.ts";

/** One reading process. It takes one job at a time and is thrown away after any trouble. */
export interface ParserProcess {
  /** @throws ParseFailure; after one of the kinds that end the process, `alive` is false. */
  run(
    job: ParseJob,
    watch: { signal?: AbortSignal; onProgress?: (progress: Progress) => void },
  ): Promise<ParsedDocument>;
  alive(): boolean;
  /** Resident bytes after the last file. */
  memoryBytes(): number;
  /** Resolves when the process is gone. */
  kill(): Promise<void>;
}

/** V8's own heap ends well before the limit, so that a growing heap dies inside with a clear sign. */
const HEAP_SHARE = 0.7;
const WATCH_INTERVAL_MS = 50;
const CHILD = fileURLToPath(new URL("./child.ts", import.meta.url));

/** Starts a process; it loads while the first job is already on its way. */
export function startParserProcess(memoryBytes: number): ParserProcess {
  const heapMegabytes = Math.floor((memoryBytes * HEAP_SHARE) / 1024 / 1024);
  const child = fork(CHILD, [String(memoryBytes)], {
    execArgv: [
      `--max-old-space-size=${heapMegabytes}`,
      "--max-semi-space-size=8",
      // Reading is all it may do: no writing, no processes, no add-ons. One thread is the watchdog's.
      "--permission",
      "--allow-fs-read=*",
      "--allow-worker",
      "--no-warnings",
    ],
    // Nothing of the server's settings or secrets.
    env: {},
    cwd: tmpdir(),
    serialization: "advanced",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  // An idle reading process does not keep the server from ending.
  child.unref();
  child.channel?.unref();
  const stderr = keepTail(child);
  let exited = false;
  let memory = 0;
  const gone = new Promise<void>((resolve) => {
    child.once("exit", () => {
      exited = true;
      resolve();
    });
    child.once("error", () => {
      exited = true;
      resolve();
    });
  });

  async function kill(): Promise<void> {
    child.ref();
    if (!exited) child.kill("SIGKILL");
    await gone;
  }

  return {
    alive: () => !exited && child.connected,
    memoryBytes: () => memory,
    kill,
    run: (job, watch) =>
      runJob({ child, gone, kill, stderr, noteMemory: (bytes) => (memory = bytes) }, job, watch),
  };
}

interface Running {
  child: ChildProcess;
  gone: Promise<void>;
  kill(): Promise<void>;
  stderr(): string;
  noteMemory(bytes: number): void;
}

function runJob(
  running: Running,
  job: ParseJob,
  watch: { signal?: AbortSignal; onProgress?: (progress: Progress) => void },
): Promise<ParsedDocument> {
  const { child } = running;
  return new Promise((resolve, reject) => {
    const pieces: string[] = [];
    let settled = false;
    let timer: NodeJS.Timeout;
    let watching: NodeJS.Timeout;

    function settle(finish: () => void): void {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      clearInterval(watching);
      child.off("message", onMessage);
      watch.signal?.removeEventListener("abort", onAbort);
      child.unref();
      child.channel?.unref();
      finish();
    }

    function end(failure: ParseFailure): void {
      settle(() => void running.kill().then(() => reject(failure)));
    }

    /** Each recognised page is a piece of work of its own and gets its own time. */
    function startTimer(): void {
      clearTimeout(timer);
      timer = setTimeout(() => end(tooSlow(job)), job.limits.timeoutMs);
    }

    function onAbort(): void {
      end(new ParseFailure("cancelled", "Reading the file was cancelled."));
    }

    function onMessage(raw: unknown): void {
      const message: ParseMessage = asParseMessage(raw);
      if (message.kind === "ready" || message.id !== job.id) return;
      if (message.kind === "done" || message.kind === "failed") running.noteMemory(message.memoryBytes);
      if (message.kind === "text") pieces.push(message.piece);
      else if (message.kind === "done") settle(() => resolve(joinText(pieces, message.document)));
      else if (message.kind === "failed")
        settle(() => reject(new ParseFailure(message.code, message.message, message.detail)));
      else {
        if (message.progress.stage === "recognising") startTimer();
        watch.onProgress?.(message.progress);
      }
    }

    async function checkMemory(): Promise<void> {
      const bytes = await readMemory(child.pid);
      if (bytes > job.limits.memoryBytes) end(tooMuchMemory(job));
    }

    if (watch.signal?.aborted) {
      reject(new ParseFailure("cancelled", "Reading the file was cancelled."));
      return;
    }
    child.ref();
    child.channel?.ref();
    child.on("message", onMessage);
    watch.signal?.addEventListener("abort", onAbort, { once: true });
    watching = setInterval(() => void checkMemory(), WATCH_INTERVAL_MS);
    startTimer();
    void running.gone.then(() => settle(() => reject(explainExit(job, child, running.stderr()))));
    child.send(job, (error) => {
      if (error)
        end(
          new ParseFailure(
            "unavailable",
            "The reading process could not be reached. Try again.",
            String(error),
          ),
        );
    });
  });
}

function joinText(pieces: readonly string[], document: ParsedDocument): ParsedDocument {
  return pieces.length === 0 ? document : { ...document, text: pieces.join("") + document.text };
}

function tooSlow(job: ParseJob): ParseFailure {
  const seconds = Math.round(job.limits.timeoutMs / 1000);
  return new ParseFailure(
    "too_slow",
    `Reading the file took longer than ${seconds} seconds. Split it into smaller files.`,
  );
}

function tooMuchMemory(job: ParseJob, detail: string | null = null): ParseFailure {
  const megabytes = Math.round(job.limits.memoryBytes / 1024 / 1024);
  return new ParseFailure(
    "too_much_memory",
    `Reading the file took more than ${megabytes} MB of memory. Split it into smaller files.`,
    detail,
  );
}

function explainExit(job: ParseJob, child: ChildProcess, stderr: string): ParseFailure {
  const how = `exit ${child.exitCode ?? child.signalCode}: ${stderr}`;
  if (/heap out of memory|allocation failed|out of memory/i.test(stderr)) return tooMuchMemory(job, how);
  // The kernel ends the largest process when the machine runs out.
  if (child.signalCode === "SIGKILL") return tooMuchMemory(job, how);
  if (child.exitCode === null && child.signalCode === null)
    return new ParseFailure("unavailable", "The reading process could not be started. Try again.", how);
  return new ParseFailure(
    "damaged",
    "The file is damaged: it broke the program that reads it. Export it again.",
    how,
  );
}

/** The last words of a dying process, for the log. */
function keepTail(child: ChildProcess): () => string {
  let tail = "";
  child.stderr?.setEncoding("latin1");
  child.stderr?.on("data", (piece: string) => {
    tail = (tail + piece).slice(-4_000);
  });
  return () => tail;
}

/** From /proc, which is free; elsewhere the process's own watchdog looks. */
async function readMemory(pid: number | undefined): Promise<number> {
  if (pid === undefined) return 0;
  try {
    const status = await readFile(`/proc/${pid}/status`, "latin1");
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
