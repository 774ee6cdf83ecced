import { Problem } from "../http/problem.ts";
import type { Source } from "./sources.ts";
import type { TurnEnd, TurnEvent, TurnMetrics } from "./turn.ts";

/** It failed after it had begun to answer. */
export interface TurnFailure {
  type: "failed";
  error: unknown;
}

/** Longer than this, nobody waits for the first word before the stream begins: proxies want to see something. */
const FIRST_WAIT_MS = 10_000;

/** A turn of which the first event is known, or late. */
export type BegunTurn = (translate: (error: unknown) => unknown) => AsyncGenerator<TurnEvent | TurnFailure>;

/**
 * Waits for the first event, so that what fails before it is an error like any other. What fails later becomes the last
 * event.
 */
export async function beginEvents(events: AsyncGenerator<TurnEvent, void, void>): Promise<BegunTurn> {
  const first = events.next();
  const late = new AbortController();
  const timer = new Promise((resolve) => {
    const handle = setTimeout(resolve, FIRST_WAIT_MS);
    late.signal.addEventListener("abort", () => clearTimeout(handle), { once: true });
  });
  try {
    await Promise.race([first, timer]);
  } finally {
    late.abort();
  }
  return (translate) => follow(first, events, translate);
}

async function* follow(
  first: Promise<IteratorResult<TurnEvent, void>>,
  events: AsyncGenerator<TurnEvent, void, void>,
  translate: (error: unknown) => unknown,
): AsyncGenerator<TurnEvent | TurnFailure> {
  try {
    for (let next = await first; !next.done; next = await events.next()) yield next.value;
  } catch (error) {
    yield { type: "failed", error: translate(error) };
  } finally {
    // Whoever stops listening ends the turn.
    await events.return();
  }
}

/** What the caller may read of a failure in the middle of a stream. */
export function sentenceOf(error: unknown): string {
  return error instanceof Problem ? error.message : "An internal error occurred.";
}

/** The `data:` of each event of a streamed answer, field by field: as `ChatEvent` in the schemas describes it. */
export function chatEventWriter(uuid: string): (event: TurnEvent | TurnFailure) => string {
  const head = `{"uuid":"${uuid}","type":`;
  return (event) => {
    switch (event.type) {
      case "text":
        return `${head}"textResponseChunk","textResponse":${JSON.stringify(event.text)},"sources":[],"close":false,"error":false}`;
      case "tool-started":
      case "tool-ended":
        return writeToolCall(uuid, event);
      case "end":
        return writeEnd(uuid, event);
      case "failed":
        return `${head}"abort","textResponse":null,"sources":[],"close":true,"error":${JSON.stringify(sentenceOf(event.error))}}`;
      case "client-calls":
        throw new Error("only clients of the OpenAI-compatible surface have tools of their own");
    }
  };
}

function writeToolCall(
  uuid: string,
  event: Extract<TurnEvent, { type: "tool-started" | "tool-ended" }>,
): string {
  const ended = event.type === "tool-ended";
  return JSON.stringify({
    uuid,
    type: "toolCall",
    callId: event.callId,
    tool: event.tool,
    status: ended ? event.status : "started",
    ms: ended ? Math.round(event.ms) : null,
    close: false,
    error: false,
  });
}

function writeEnd(uuid: string, { sources, chatId, metrics, paused }: TurnEnd): string {
  return JSON.stringify({
    uuid,
    type: "finalizeResponseStream",
    sources: sources.map(writeSource),
    close: true,
    error: false,
    chatId,
    metrics: writeMetrics(metrics),
    paused,
  });
}

function writeSource(source: Source): Source {
  const { id, docpath, title, text, score, page, heading, start, end, url, chunkSource, published } = source;
  return { id, docpath, title, text, score, page, heading, start, end, url, chunkSource, published };
}

function writeMetrics(metrics: TurnMetrics): TurnMetrics {
  const { prompt_tokens, completion_tokens, total_tokens, duration, outputTps, model, provider, timestamp } =
    metrics;
  return { prompt_tokens, completion_tokens, total_tokens, duration, outputTps, model, provider, timestamp };
}
