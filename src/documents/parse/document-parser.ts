import { resolve } from "node:path";
import { type ParserProcess, startParserProcess } from "./child-process.ts";
import { DEFAULT_PARSE_LIMITS, type ParseLimits } from "./limits.ts";
import { ParseFailure } from "./parse-failure.ts";
import type { ParsedDocument } from "./parsed-document.ts";
import type { OcrOptions, Progress } from "./reader.ts";

export interface DocumentParserOptions {
  /**
   * Reading processes at once; further files wait their turn. Default 1. A lane of which nothing is being read may use
   * one of as many more, so that the long files of one never hold up the first of another.
   */
  processes?: number;
  limits?: Partial<ParseLimits>;
  /** Default: English, with the data that is installed. */
  ocr?: Partial<OcrOptions>;
  /** A process is replaced after this many files. Default 500. */
  filesPerProcess?: number;
  /** A process that has grown beyond this is replaced. Default 224 MB. */
  recycleBytes?: number;
  /** A process without work ends after this time. Default 60,000. */
  idleMs?: number;
}

export interface ParseRequest {
  /** Where the bytes lie; the name there does not matter. */
  path: string;
  /** As the sender named it: its ending says what the file claims to be. */
  fileName: string;
  mime?: string | null;
  /** Whose file it is: lanes take turns. */
  lane?: string | number;
  /** Ends the work, also while it waits; the answer is then ParseFailure `cancelled`. */
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  /** For this file alone. */
  ocr?: Partial<OcrOptions>;
}

export interface DocumentParser {
  /**
   * Reads a file in another process, within the limits.
   *
   * @throws ParseFailure, and nothing else
   */
  parseDocument(request: ParseRequest): Promise<ParsedDocument>;
  /** Ends all processes; files being read fail with `cancelled`. */
  close(): Promise<void>;
}

interface Slot {
  process: ParserProcess | null;
  /** Whose file it reads; undefined when it is free. */
  lane: string | number | undefined;
  files: number;
  idleTimer: NodeJS.Timeout | undefined;
}

/** A small pool of reading processes. They start with the first file, stay for the next ones and end when idle. */
export function createDocumentParser(options: DocumentParserOptions = {}): DocumentParser {
  const limits = { ...DEFAULT_PARSE_LIMITS, ...options.limits };
  const ocr = { languages: ["eng"], langPath: null, ...options.ocr };
  const closing = new AbortController();
  const slots = createSlots(options.processes ?? 1);
  let nextId = 1;

  async function parse(request: ParseRequest, slot: Slot, signal: AbortSignal): Promise<ParsedDocument> {
    if (!slot.process?.alive()) {
      slot.process = startParserProcess(limits.memoryBytes);
      slot.files = 0;
    }
    slot.files += 1;
    const job = {
      id: nextId++,
      // The reading process has another working directory.
      path: resolve(request.path),
      fileName: request.fileName,
      mime: request.mime ?? null,
      limits,
      ocr: { ...ocr, ...request.ocr },
    };
    return await slot.process.run(job, { signal, onProgress: request.onProgress });
  }

  async function release(slot: Slot): Promise<void> {
    const memory = slot.process?.memoryBytes() ?? 0;
    const isWorn =
      slot.files >= (options.filesPerProcess ?? 500) || memory > (options.recycleBytes ?? 224 * 1024 * 1024);
    if (isWorn || closing.signal.aborted) await stop(slot);
    else {
      slot.idleTimer = setTimeout(() => void stop(slot), options.idleMs ?? 60_000);
      slot.idleTimer.unref();
    }
    slots.release(slot);
  }

  return {
    async parseDocument(request) {
      const signal = AbortSignal.any([closing.signal, ...(request.signal ? [request.signal] : [])]);
      const slot = await slots.take(request.lane ?? "", signal);
      clearTimeout(slot.idleTimer);
      try {
        return await parse(request, slot, signal);
      } finally {
        await release(slot);
      }
    },
    async close() {
      closing.abort();
      await slots.drain();
      await Promise.all(slots.all.map(stop));
    },
  };
}

async function stop(slot: Slot): Promise<void> {
  clearTimeout(slot.idleTimer);
  const { process } = slot;
  slot.process = null;
  await process?.kill();
}

interface Slots {
  all: Slot[];
  take(lane: string | number, signal: AbortSignal): Promise<Slot>;
  release(slot: Slot): void;
  /** Resolves when nothing is being read any more. */
  drain(): Promise<void>;
}

interface Waiting {
  lane: string | number;
  give: (slot: Slot) => void;
}

/** The lane of which the least is being read goes first, and in a lane the file that came first. */
function createSlots(count: number): Slots {
  const all = Array.from(
    { length: 2 * count },
    (): Slot => ({ process: null, lane: undefined, files: 0, idleTimer: undefined }),
  );
  const free = [...all];
  const waiting: Waiting[] = [];
  let drained: (() => void) | null = null;

  const readingOf = (lane: string | number) => all.filter((slot) => slot.lane === lane).length;
  /** Beyond the usual number only a lane that has nothing yet. */
  const mayRead = (lane: string | number) =>
    free.length > count || (free.length > 0 && readingOf(lane) === 0);

  function next(): void {
    const first = waiting
      .filter(({ lane }) => mayRead(lane))
      .toSorted((a, b) => readingOf(a.lane) - readingOf(b.lane))[0];
    // The one used last is warm.
    const slot = first === undefined ? undefined : free.pop();
    if (first === undefined || slot === undefined) return;
    waiting.splice(waiting.indexOf(first), 1);
    slot.lane = first.lane;
    first.give(slot);
    next();
  }

  return {
    all,
    take(lane, signal) {
      return new Promise((fulfil, reject) => {
        const onAbort = () => {
          const at = waiting.indexOf(entry);
          if (at >= 0) waiting.splice(at, 1);
          reject(new ParseFailure("cancelled", "Reading the file was cancelled."));
        };
        const give = (slot: Slot) => {
          signal.removeEventListener("abort", onAbort);
          fulfil(slot);
        };
        const entry = { lane, give };
        if (signal.aborted) {
          onAbort();
          return;
        }
        signal.addEventListener("abort", onAbort, { once: true });
        waiting.push(entry);
        next();
      });
    },
    release(slot) {
      slot.lane = undefined;
      free.push(slot);
      next();
      if (free.length === all.length) drained?.();
    },
    drain() {
      return new Promise((fulfil) => {
        if (free.length === all.length) fulfil();
        else drained = fulfil;
      });
    },
  };
}
