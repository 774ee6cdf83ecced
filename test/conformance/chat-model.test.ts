import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ChatEvent, ChatModel, ChatRequest } from "../../src/ports/chat-model.ts";
import type { ChatModelOptions } from "../../src/providers/chat-options.ts";
import { type ChatFailure, type ChatScript, stubPieces } from "../simulators/chat-script.ts";
import type { Simulator } from "../simulators/simulator.ts";
import { apiKey, type ChatModelCase, chatModelCases } from "./chat-models.ts";

const hello: ChatRequest = {
  messages: [
    { role: "system", text: "You are brief." },
    { role: "user", text: "Hello" },
  ],
};
const weather = {
  name: "get_weather",
  description: "Tells the weather of a city.",
  parameters: {
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
    additionalProperties: false,
  },
};
const pixel =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const never = new AbortController().signal;

const titled = chatModelCases.map((one) => [`${one.name}${one.through}`, one] as const);

describe.each(titled)("%s", (_, chatCase) => {
  let simulator: Simulator & { chat: ChatScript };
  beforeAll(async () => {
    simulator = await chatCase.start();
  });
  afterAll(() => simulator.close());
  beforeEach(() => {
    simulator.recover();
    simulator.chat.reset();
    simulator.requests.length = 0;
  });
  const model = (more: Partial<ChatModelOptions> = {}): ChatModel =>
    chatCase.create({ baseUrl: simulator.url, apiKey, model: chatCase.model, ...more });
  const bodies = () => simulator.requests.map(({ body }) => JSON.parse(body.toString()));
  const lacks = (what: ChatModelCase["lacks"][number]) => chatCase.lacks.includes(what);

  test("says what it is and what it holds", () => {
    const { provider, contextTokens, maxOutputTokens } = model({
      contextTokens: 8_000,
      maxOutputTokens: 1_000,
    });
    expect({ provider, contextTokens, maxOutputTokens }).toEqual({
      provider: chatCase.name,
      contextTokens: 8_000,
      maxOutputTokens: 1_000,
    });
    expect(model({ contextTokens: 4_000 }).maxOutputTokens).toBe(2_000);
  });

  test("streams a text, with the reason of its end and the tokens", async () => {
    const usage = { inputTokens: 11, outputTokens: 3 };
    simulator.chat.say({ texts: ["Good", " morning", ", 世界 🌍"], usage });
    const events = await all(model().stream(hello, never));
    expect(textOf(events)).toBe("Good morning, 世界 🌍");
    expect(events.at(-1)).toEqual({ type: "end", reason: "stop", usage });
    expect(events.slice(0, -1).every(({ type }) => type === "text")).toBe(true);
    expect(simulator.chat.seen).toEqual([
      {
        model: chatCase.model,
        messages: [
          { role: "system", text: "You are brief." },
          { role: "user", text: "Hello" },
        ],
        tools: [],
        stream: true,
      },
    ]);
  });

  test("streams 64 tokens that come at once", async () => {
    const events = await all(model().stream(hello, never));
    expect(textOf(events)).toBe(stubPieces().join(""));
  });

  test("hands a token on as soon as it comes", async () => {
    simulator.chat.say({ texts: ["a", "b", "c"], tokenDelayMs: 300 });
    const sentBefore: unknown[] = [];
    for await (const { type } of model().stream(hello, never))
      if (type === "text") sentBefore.push(simulator.chat.streams.at(-1)?.over);
    expect(sentBefore).toEqual([false, false, expect.any(Boolean)]);
  });

  test("completes in one piece", async () => {
    const usage = { inputTokens: 11, outputTokens: 3 };
    simulator.chat.say({ texts: ["Good", " morning"], usage });
    expect(await model().complete(hello, never)).toEqual({
      text: "Good morning",
      toolCalls: [],
      reason: "stop",
      usage,
    });
    expect(simulator.chat.seen[0]?.stream).toBe(false);
  });

  test.each(["stream", "complete"] as const)(
    "tells the tools, and their calls come whole (%s)",
    async (how) => {
      simulator.chat.say({
        texts: ["Let me look."],
        toolCalls: [
          { name: "get_weather", arguments: { city: "Köln" } },
          { name: "get_weather", arguments: { city: "Rome" } },
        ],
      });
      const { text, toolCalls, reason } = await gather(model(), { ...hello, tools: [weather] }, how);
      expect(text).toBe("Let me look.");
      expect(reason).toBe("tool-calls");
      expect(toolCalls).toEqual([
        { id: expect.stringMatching(/./), name: "get_weather", arguments: { city: "Köln" } },
        { id: expect.stringMatching(/./), name: "get_weather", arguments: { city: "Rome" } },
      ]);
      expect(toolCalls[0]?.id).not.toBe(toolCalls[1]?.id);
      expect(simulator.chat.seen[0]?.tools).toEqual(["get_weather"]);
    },
  );

  test("takes the calls and the tools' answers back, also failed ones and broken calls", async () => {
    simulator.chat.say({ toolCalls: [{ name: "get_weather", arguments: { city: "Rome" } }] });
    const asked = await gather(model(), { ...hello, tools: [weather] }, "stream");
    const [first] = asked.toolCalls;
    if (first === undefined) throw new Error("no call came");
    const second = { ...first, id: `${first.id.slice(0, -1)}z`, arguments: "{not json" };
    simulator.chat.say({ texts: ["Sunny."] });
    const conversation: ChatRequest = {
      tools: [weather],
      messages: [
        ...hello.messages,
        { role: "assistant", text: "", toolCalls: [first, second] },
        { role: "tool", callId: first.id, toolName: "get_weather", text: "sunny, 30 °C", failed: false },
        {
          role: "tool",
          callId: second.id,
          toolName: "get_weather",
          text: "arguments: no JSON",
          failed: true,
        },
      ],
    };
    expect((await gather(model(), conversation, "stream")).text).toBe("Sunny.");
    const sent = simulator.requests[1]?.body.toString() ?? "";
    expect(sent).toContain("sunny, 30 °C");
    expect(sent).toContain("arguments: no JSON");
    expect(sent).not.toContain("{not json");
  });

  test("passes on what shall govern the answer", async () => {
    const all = {
      tools: [weather],
      temperature: 0.5,
      topP: 0.9,
      maxOutputTokens: 100,
      stop: ["END"],
    };
    for (const toolChoice of ["auto", "none", "required", { name: "get_weather" }] as const) {
      simulator.chat.say({ texts: ["ok"] });
      await model().complete({ ...hello, ...all, toolChoice }, never);
    }
    const text = JSON.stringify(bodies());
    expect(text).toContain('"END"');
    expect(text).toMatch(/:100[,}]/);
    expect(text).toMatch(/:0\.5[,}]/);
  });

  test("sends pictures", async () => {
    const messages = [
      { role: "user", text: "What is it?", images: [{ mime: "image/png", dataBase64: pixel }] },
    ] as const;
    await model().complete({ messages }, never);
    expect(simulator.requests[0]?.body.toString()).toContain(pixel);
  });

  test("half a surrogate pair does not spoil a request", async () => {
    await model().complete({ messages: [{ role: "user", text: "a\ud83d b" }] }, never);
    expect(simulator.chat.seen[0]?.messages[0]?.text).toBe("a\ufffd b");
  });

  test.each(["stream", "complete"] as const)("says why it ended (%s)", async (how) => {
    simulator.chat.say({ texts: ["too long"], end: "length" });
    expect((await gather(model(), hello, how)).reason).toBe("length");
    if (lacks("filtered")) return;
    simulator.chat.say({ texts: ["hm"], end: "filtered" });
    expect((await gather(model(), hello, how)).reason).toBe("filtered");
  });

  test("arguments that are no JSON arrive as the text they are", async () => {
    if (lacks("broken-arguments")) return;
    simulator.chat.say({ toolCalls: [{ name: "get_weather", arguments: '{"city": ' }] });
    const { toolCalls } = await gather(model(), { ...hello, tools: [weather] }, "stream");
    expect(toolCalls[0]?.arguments).toBe('{"city": ');
  });

  describe.each(["stream", "complete"] as const)("%s fails clearly", (how) => {
    const ask = (more: Partial<ChatModelOptions> = {}) => gather(model(more), hello, how);

    test.each([
      ["context-length", { code: "input_too_large", retryable: false }],
      ["rate-limited", { code: "rate_limited", retryable: true }],
      ["quota-exhausted", { code: "quota_exhausted", retryable: false }],
      ["overloaded", { code: "unavailable", retryable: true }],
    ] as const)("when the vendor says: %s", async (kind: ChatFailure["kind"], expected) => {
      simulator.chat.say({ failure: { kind } });
      await expect(ask()).rejects.toMatchObject({
        name: "ProviderError",
        provider: chatCase.name,
        ...expected,
      });
    });

    test("with the time to wait", async () => {
      simulator.chat.say({ failure: { kind: "rate-limited" } });
      const retryAfterMs = chatCase.name === "google" ? 2_000 : 1_000;
      await expect(ask()).rejects.toMatchObject({ retryAfterMs });
    });

    test("with a wrong key, which it does not repeat", async () => {
      if (lacks("keys")) return;
      const failing = ask({ apiKey: "wrong-key-8841" });
      await expect(failing).rejects.toMatchObject({ code: "unauthorized", retryable: false });
      await expect(failing).rejects.not.toThrow(/wrong-key-8841/);
    });

    test("with an unknown model", async () => {
      const code = chatCase.name === "mistral" ? "rejected" : "not_found";
      await expect(ask({ model: "nope" })).rejects.toMatchObject({ code, retryable: false });
    });

    test.each([500, 502, 503])("when the vendor answers %i", async (status) => {
      simulator.fail({ fault: { kind: "status", status }, times: 1 });
      await expect(ask()).rejects.toMatchObject({ code: "unavailable", retryable: true, status });
    });

    test("when a redirect leads elsewhere", async () => {
      const headers = { location: "http://127.0.0.1:1/" };
      simulator.fail({ fault: { kind: "status", status: 307, headers }, times: 1 });
      await expect(ask()).rejects.toMatchObject({ code: "rejected" });
    });

    test("when a proxy answers with a page", async () => {
      simulator.fail({ fault: { kind: "html" }, times: 1 });
      const error = await ask().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ name: "ProviderError", retryable: true });
      expect(["bad_answer", "unavailable"]).toContain(Reflect.get(Object(error), "code"));
    });

    test("when the connection breaks before the answer", async () => {
      simulator.fail({ fault: { kind: "reset" }, times: 1 });
      await expect(ask()).rejects.toMatchObject({ code: "unavailable", retryable: true });
    });

    test("when nobody listens at the address", async () => {
      const baseUrl = await freeAddress();
      await expect(ask({ baseUrl })).rejects.toMatchObject({ code: "unavailable", retryable: true });
    });

    test("when the vendor takes longer than it may in all", async () => {
      simulator.fail({ fault: { kind: "slow", ms: 5_000 }, times: 1 });
      await expect(ask({ timeouts: { wholeMs: 300 } })).rejects.toMatchObject({
        code: "timeout",
        retryable: true,
      });
    });

    test("when it is told to stop, with the reason it was given", async () => {
      simulator.fail({ fault: { kind: "slow", ms: 5_000 }, times: 1 });
      const stop = new AbortController();
      const asking = gather(model(), hello, how, stop.signal);
      const arrived = expect.poll(() => simulator.requests.length).toBe(1);
      void arrived.then(() => stop.abort(new Error("gone")));
      await expect(asking).rejects.toThrow("gone");
      await expect(gather(model(), hello, how, AbortSignal.abort(new Error("before")))).rejects.toThrow(
        "before",
      );
    });
  });

  describe("a stream that fails after its first words", () => {
    const broken = async (kind: ChatFailure["kind"], more: Partial<ChatModelOptions> = {}) => {
      simulator.chat.say({ texts: ["one", " two", " three"], failure: { kind, afterPieces: 2 } });
      const heard: ChatEvent[] = [];
      const error = await collect(model(more).stream(hello, never), heard).catch((thrown: unknown) => thrown);
      return { text: textOf(heard), ended: heard.some(({ type }) => type === "end"), error };
    };

    test.each([
      ["error-in-stream", "unavailable"],
      ["cut", "unavailable"],
      ["malformed", "bad_answer"],
    ] as const)("%s", async (kind, code) => {
      const { text, ended, error } = await broken(kind);
      expect(error).toMatchObject({ name: "ProviderError", provider: chatCase.name, code, retryable: true });
      expect({ text, ended }).toEqual({ text: "one two", ended: false });
    });

    test("stall", async () => {
      const { text, error } = await broken("stall", { timeouts: { stallMs: 100 } });
      expect(error).toMatchObject({ code: "timeout", retryable: true, message: /silent for 100 ms/ });
      expect(text).toBe("one two");
      await hungUp(simulator.chat);
    });
  });

  test("a first word that does not come in time is a failure", async () => {
    simulator.chat.say({ texts: ["late"], firstDelayMs: 1_000 });
    const failing = all(model({ timeouts: { firstMs: 100 } }).stream(hello, never));
    await expect(failing).rejects.toMatchObject({
      code: "timeout",
      message: /begin to answer within 100 ms/,
    });
    await hungUp(simulator.chat);
  });

  test("who aborts a stream ends the vendor's work", async () => {
    simulator.chat.say({ texts: stubPieces(1_000), tokenDelayMs: 10 });
    const stop = new AbortController();
    const reading = (async () => {
      for await (const event of model().stream(hello, stop.signal)) {
        if (event.type === "text") stop.abort(new Error("the client went away"));
      }
    })();
    await expect(reading).rejects.toThrow("the client went away");
    const record = await hungUp(simulator.chat);
    expect(record?.piecesSent).toBeLessThan(100);
  });

  test("who stops reading ends it, too", async () => {
    simulator.chat.say({ texts: stubPieces(1_000), tokenDelayMs: 10 });
    for await (const event of model().stream(hello, never)) if (event.type === "text") break;
    const record = await hungUp(simulator.chat);
    expect(record?.piecesSent).toBeLessThan(100);
  });
});

async function all(events: AsyncIterable<ChatEvent>): Promise<ChatEvent[]> {
  const heard: ChatEvent[] = [];
  await collect(events, heard);
  return heard;
}

async function collect(events: AsyncIterable<ChatEvent>, into: ChatEvent[]): Promise<void> {
  for await (const event of events) into.push(event);
}

/** The same answer by either way. */
async function gather(model: ChatModel, request: ChatRequest, how: "stream" | "complete", signal = never) {
  if (how === "complete") return model.complete(request, signal);
  const events = await all(model.stream(request, signal));
  const end = events.at(-1);
  if (end?.type !== "end") throw new Error("the stream has no end");
  const toolCalls = events.flatMap((event) => (event.type === "tool-call" ? [event.call] : []));
  return { text: textOf(events), toolCalls, reason: end.reason, usage: end.usage };
}

function textOf(events: readonly ChatEvent[]): string {
  return events.map((event) => (event.type === "text" ? event.text : "")).join("");
}

/** Waits until the vendor's end has noticed. */
async function hungUp({ streams }: ChatScript) {
  for (let waited = 0; streams.at(-1)?.closedByClient !== true && waited < 2_000; waited += 10)
    await sleep(10);
  expect(streams.at(-1)).toMatchObject({ closedByClient: true, over: false });
  return streams.at(-1);
}

async function freeAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}
