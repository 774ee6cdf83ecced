import { setTimeout as sleep } from "node:timers/promises";
import { countTokens } from "./embed-text.ts";
import type { SimulatorAnswer, SimulatorRequest } from "./simulator.ts";

/** What a simulated model answers to one request. */
export type ScriptedAnswer = {
  /** Streamed in these pieces. */
  texts?: readonly string[];
  /** `arguments` is a text when it shall be no JSON. */
  toolCalls?: readonly { name: string; arguments: object | string }[];
  /** Before the first piece. */
  firstDelayMs?: number;
  /** Before each further piece. */
  tokenDelayMs?: number;
  end?: "stop" | "length" | "filtered";
  usage?: { inputTokens: number; outputTokens: number };
  /** Instead of answering, or after so many pieces of the answer. */
  failure?: ChatFailure;
};

export type ChatFailure = {
  kind:
    | "context-length"
    | "rate-limited"
    | "quota-exhausted"
    | "overloaded"
    /** These need a stream that has begun. */
    | "error-in-stream"
    | "cut"
    | "malformed"
    | "stall";
  afterPieces?: number;
};

/** A request as every vendor's simulator understands it. */
export type SeenRequest = {
  model: string;
  messages: readonly { role: string; text: string }[];
  tools: readonly string[];
  stream: boolean;
};

export type Script = ScriptedAnswer | ((seen: SeenRequest) => ScriptedAnswer);

/** How a streamed answer went. */
export type StreamRecord = {
  piecesSent: number;
  /** The client hung up before the answer was over. */
  closedByClient: boolean;
  over: boolean;
};

export type ChatScript = {
  /** Answers the next request; several are used in their order. */
  say(...scripts: Script[]): void;
  /** Answers every request for which nothing else waits. */
  always(script: Script): void;
  reset(): void;
  /** What was asked, oldest first. */
  seen: SeenRequest[];
  streams: StreamRecord[];
};

export type ChatScriptBook = ChatScript & {
  next(seen: SeenRequest): ScriptedAnswer | null;
};

export type ChatScriptOptions = {
  /** For a process that serves a benchmark: keeps no record of what was asked. */
  record?: boolean;
  /** What answers when nothing was scripted. */
  fallback?: ScriptedAnswer;
};

export function chatScriptBook({ record = true, fallback }: ChatScriptOptions = {}): ChatScriptBook {
  const waiting: Script[] = [];
  let standing: Script | undefined = fallback;
  const book: ChatScriptBook = {
    seen: [],
    streams: [],
    say: (...scripts) => void waiting.push(...scripts),
    always(script) {
      standing = script;
    },
    reset() {
      waiting.length = 0;
      standing = fallback;
      book.seen.length = 0;
      book.streams.length = 0;
    },
    next(seen) {
      if (record) book.seen.push(seen);
      const script = waiting.shift() ?? standing;
      return typeof script === "function" ? script(seen) : (script ?? null);
    },
  };
  return book;
}

/** Thrown inside a streamed body: the connection is cut without a word. */
export class CutConnection extends Error {}

/** Never comes, unless the client hangs up. */
const FOREVER_MS = 3_600_000;

/** How one vendor writes the parts of a stream. */
export type StreamWriter = {
  begin(): string;
  text(piece: string): string;
  end(): string;
  error(): string;
  malformed(): string;
};

/**
 * The frames of a scripted answer in a vendor's format, at the script's pace, failing where it says so. `closed` ends
 * the wait of whoever nobody listens to any more.
 */
export async function* streamScript(
  answer: ScriptedAnswer,
  writer: StreamWriter,
  record: StreamRecord,
  closed: AbortSignal,
): AsyncGenerator<string, void, void> {
  const { texts = [], failure } = answer;
  try {
    if (answer.firstDelayMs !== undefined) await sleep(answer.firstDelayMs, undefined, { signal: closed });
    yield writer.begin();
    for (const [index, piece] of texts.entries()) {
      if (failure?.afterPieces === index) yield* fail(failure, writer, closed);
      if (index > 0 && answer.tokenDelayMs !== undefined)
        await sleep(answer.tokenDelayMs, undefined, { signal: closed });
      yield writer.text(piece);
      record.piecesSent += 1;
    }
    if (failure?.afterPieces !== undefined && failure.afterPieces >= texts.length)
      yield* fail(failure, writer, closed);
    yield writer.end();
    record.over = true;
  } catch (error) {
    if (!closed.aborted) throw error;
  } finally {
    record.closedByClient = closed.aborted && !record.over;
  }
}

async function* fail(failure: ChatFailure, writer: StreamWriter, closed: AbortSignal) {
  if (failure.kind === "stall") await sleep(FOREVER_MS, undefined, { signal: closed });
  // What was written before must have left, or the client sees nothing of it.
  await sleep(20, undefined, { signal: closed });
  if (failure.kind === "cut") throw new CutConnection();
  if (failure.kind === "malformed") yield writer.malformed();
  if (failure.kind === "error-in-stream") yield writer.error();
}

/** A scripted answer with nothing left open. */
export type WholeAnswer = ScriptedAnswer & { usage: { inputTokens: number; outputTokens: number } };

/** How one vendor says things. */
export type ChatFormat = {
  contentType: string;
  refuse(kind: "context-length" | "rate-limited" | "quota-exhausted" | "overloaded"): SimulatorAnswer;
  /** The body of an answer in one piece. */
  whole(answer: WholeAnswer): object;
  writer(answer: WholeAnswer): StreamWriter;
  /** The stub's stream is prepared once for each: a benchmark shares its cores with the simulator. */
  cacheKey?: string;
};

const stub: ScriptedAnswer = { texts: stubPieces(), usage: { inputTokens: 10, outputTokens: 64 } };

/** What the script says, or the stub's 64 pieces, in a vendor's format. */
export function playScript(
  request: SimulatorRequest,
  book: ChatScriptBook,
  seen: SeenRequest,
  format: ChatFormat,
): SimulatorAnswer {
  const answer = book.next(seen) ?? stub;
  switch (answer.failure?.kind) {
    case "context-length":
    case "rate-limited":
    case "quota-exhausted":
    case "overloaded":
      return format.refuse(answer.failure.kind);
  }
  const outputTokens = Math.max(1, answer.texts?.length ?? 1);
  const usage = answer.usage ?? { inputTokens: countTokens(request.body.toString()), outputTokens };
  const whole = { ...answer, usage };
  if (!seen.stream) return { status: 200, body: format.whole(whole) };
  const headers = { "content-type": format.contentType };
  const writer = format.writer(whole);
  if (answer === stub) return { status: 200, headers, body: stubFrames(writer, format.cacheKey) };
  const record = { piecesSent: 0, closedByClient: false, over: false };
  book.streams.push(record);
  return { status: 200, headers, body: streamScript(whole, writer, record, request.closed) };
}

const prepared = new Map<string, string[]>();

function stubFrames(writer: StreamWriter, cacheKey: string | undefined): string[] {
  const known = cacheKey === undefined ? undefined : prepared.get(cacheKey);
  if (known !== undefined) return known;
  const frames = [writer.begin(), ...stubPieces().map((piece) => writer.text(piece)), writer.end()];
  if (cacheKey !== undefined) prepared.set(cacheKey, frames);
  return frames;
}

/** 64 pieces, the same on every machine, for tests that do not care and for benchmarks. */
export function stubPieces(count = 64): string[] {
  const words = ["The", " stub", " model", " answers", " with", " words", " of", " no", " meaning", ","];
  return Array.from({ length: count }, (_, index) => words[index % words.length] ?? "");
}
