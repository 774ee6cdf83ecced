import Fastify from "fastify";
import { afterAll, describe, expect, test, vi } from "vitest";
import { sendEvents, WrittenStream } from "./event-stream.ts";

const fastify = Fastify();
const gone = new AbortController();
let events: (signal: AbortSignal) => AsyncIterable<string>;
fastify.get("/", async (_request, reply) => {
  await sendEvents(reply, new WrittenStream((signal) => events(signal), JSON.stringify), gone.signal);
  return reply;
});
const url = await fastify.listen({ host: "127.0.0.1", port: 0 });
afterAll(async () => {
  gone.abort();
  await fastify.close();
});

async function opened() {
  const reader = (await fetch(url)).body?.pipeThrough(new TextDecoderStream()).getReader();
  return async () => (await reader?.read())?.value;
}

describe("a stream of events", () => {
  test("that is silent says from time to time that it is still there", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    try {
      const over = Promise.withResolvers<void>();
      events = async function* () {
        yield "begun";
        await over.promise;
        yield "over";
      };
      const read = await opened();
      expect(await read()).toBe('data: "begun"\n\n');
      vi.advanceTimersByTime(15_000);
      expect(await read()).toBe(": still here\n\n");
      over.resolve();
      expect(await read()).toBe('data: "over"\n\n');
      expect(await read()).toBeUndefined();
    } finally {
      vi.useRealTimers();
    }
  });

  test("sends what comes in one moment as one piece, and the last of it before the end", async () => {
    events = async function* () {
      yield* ["a", "b", "c"];
      await new Promise((resolve) => setTimeout(resolve, 50));
      yield* ["d", "e"];
    };
    const read = await opened();
    expect(await read()).toBe('data: "a"\n\ndata: "b"\n\ndata: "c"\n\n');
    expect(await read()).toBe('data: "d"\n\ndata: "e"\n\n');
  });

  test("waits for a client that does not keep up", async () => {
    let made = 0;
    const text = "x".repeat(64 * 1024);
    events = async function* () {
      for (; made < 2_000; made += 1) {
        yield text;
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const read = await opened();
    await read();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const ahead = made;
    expect(ahead).toBeLessThan(1_000);
    let piece = await read();
    while (piece !== undefined) piece = await read();
    expect(made).toBe(2_000);
  });
});
