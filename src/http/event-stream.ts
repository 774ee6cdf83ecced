import type { ServerResponse } from "node:http";
import type { FastifyReply } from "fastify";

const HEARTBEAT_MS = 15_000;

/** An answer that goes out as server-sent events: one `data:` line an event. */
export class EventStream<Event> {
  readonly open: (signal: AbortSignal) => AsyncIterable<Event>;

  /** @param open its signal is aborted when the client goes away or the server stops */
  constructor(open: (signal: AbortSignal) => AsyncIterable<Event>) {
    this.open = open;
  }
}

/**
 * The same for events that are too many to be passed through the operation's schema one by one: `write` makes the text
 * behind `data: ` and must name every field that goes into it, so that nothing unnamed leaves.
 */
export class WrittenStream<Event> {
  readonly open: (signal: AbortSignal) => AsyncIterable<Event>;
  readonly write: (event: Event) => string;

  constructor(open: (signal: AbortSignal) => AsyncIterable<Event>, write: (event: Event) => string) {
    this.open = open;
    this.write = write;
  }
}

/**
 * Writes the events until they end or the client goes away. Events of the same moment go out as one piece; comments in
 * between keep proxies from closing the connection.
 *
 * @param over aborted when the client goes away or the server stops
 */
export async function sendEvents<Event>(
  reply: FastifyReply,
  { open, write }: WrittenStream<Event>,
  over: AbortSignal,
): Promise<void> {
  const response = reply.hijack().raw;
  response.writeHead(200, {
    ...headersOf(reply),
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
  });
  response.flushHeaders();
  const out = createOutlet(response);
  const heartbeat = setInterval(() => response.write(": still here\n\n"), HEARTBEAT_MS);
  try {
    for await (const event of open(over)) {
      if (over.aborted) break;
      const full = out.push(`data: ${write(event)}\n\n`);
      if (full !== null) await full;
    }
  } finally {
    clearInterval(heartbeat);
    out.flush();
    response.end();
  }
}

/** Gathers what is written in one turn of the event loop. */
function createOutlet(response: ServerResponse) {
  let waiting = "";
  let room: Promise<void> | null = null;

  function flush(): void {
    if (waiting === "") return;
    const text = waiting;
    waiting = "";
    if (!response.write(text) && !response.closed) room = drained(response);
  }

  return {
    flush,
    /** A promise when the client does not keep up: it resolves when it has. */
    push(text: string): Promise<void> | null {
      if (waiting === "") setImmediate(flush);
      waiting += text;
      const wait = room;
      room = null;
      return wait;
    },
  };
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.on("drain", done).on("close", done);
  });
}

function headersOf(reply: FastifyReply): Record<string, string | number | string[]> {
  return Object.fromEntries(
    Object.entries(reply.getHeaders()).filter((entry) => entry[1] !== undefined),
  ) as Record<string, string | number | string[]>;
}
