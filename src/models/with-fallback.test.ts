import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ScriptedAnswer } from "../../test/simulators/chat-script.ts";
import { type OpenaiSimulator, startOpenaiSimulator } from "../../test/simulators/openai/openai-simulator.ts";
import type { ChatEvent, ChatModel } from "../ports/chat-model.ts";
import type { ProviderError } from "../ports/provider-error.ts";
import { openaiCompatibleChat } from "../providers/openai-compatible/openai-chat.ts";
import { completeWithFallback, withFallback } from "./with-fallback.ts";

const apiKey = "key-5f2b9c77d1e04a";
const hello = { messages: [{ role: "user" as const, text: "Hello" }] };
const never = new AbortController().signal;

describe("a list of models", () => {
  let one: OpenaiSimulator;
  let two: OpenaiSimulator;
  beforeAll(async () => {
    [one, two] = [await startOpenaiSimulator({ apiKey }), await startOpenaiSimulator({ apiKey })];
  });
  afterAll(async () => {
    await one.close();
    await two.close();
  });
  beforeEach(() => {
    for (const simulator of [one, two]) {
      simulator.chat.reset();
      simulator.requests.length = 0;
    }
    two.chat.always({ texts: ["from", " two"] });
  });
  const modelAt = ({ url }: OpenaiSimulator, more: object = {}): ChatModel =>
    openaiCompatibleChat({ baseUrl: url, apiKey, model: "gpt-4.1", ...more });
  const ask = async (models: ChatModel[], signal = never) => {
    const asked: string[] = [];
    const failed: ProviderError[] = [];
    const heard: ChatEvent[] = [];
    const names = new Map(models.map((model, index) => [model, ["one", "two"][index] ?? ""]));
    const hooks = {
      onModel: (model: ChatModel) => void asked.push(names.get(model) ?? "?"),
      onFailure: (_model: ChatModel, error: ProviderError) => void failed.push(error),
    };
    const error: unknown = await (async () => {
      for await (const event of withFallback(models, hello, signal, hooks)) heard.push(event);
    })().catch((thrown: unknown) => thrown);
    const text = heard.map((event) => (event.type === "text" ? event.text : "")).join("");
    return { asked, failed: failed.map(({ code }) => code), text, error };
  };

  test("the first answers, and the others are not asked", async () => {
    one.chat.say({ texts: ["from", " one"] });
    expect(await ask([modelAt(one), modelAt(two)])).toEqual({
      asked: ["one"],
      failed: [],
      text: "from one",
      error: undefined,
    });
    expect(two.requests).toHaveLength(0);
  });

  test.each([
    ["overloaded", { failure: { kind: "overloaded" } }, {}, "unavailable"],
    ["rate-limited", { failure: { kind: "rate-limited" } }, {}, "rate_limited"],
    ["out of credit", { failure: { kind: "quota-exhausted" } }, {}, "quota_exhausted"],
    ["broken at once", { texts: ["x"], failure: { kind: "cut", afterPieces: 0 } }, {}, "unavailable"],
    ["silent", { texts: ["x"], firstDelayMs: 5_000 }, { timeouts: { firstMs: 60 } }, "timeout"],
    ["not to be entered", {}, { apiKey: "wrong" }, "unauthorized"],
    ["without this model", {}, { model: "nope" }, "not_found"],
  ] satisfies [string, ScriptedAnswer, object, string][])(
    "the next answers when the first is %s",
    async (_how, script, more, code) => {
      one.chat.say(script);
      expect(await ask([modelAt(one, more), modelAt(two)])).toEqual({
        asked: ["one", "two"],
        failed: [code],
        text: "from two",
        error: undefined,
      });
    },
  );

  test("once it has said a word, its failure is the answer's", async () => {
    one.chat.say({ texts: ["from", " one"], failure: { kind: "cut", afterPieces: 1 } });
    const { asked, text, error } = await ask([modelAt(one), modelAt(two)]);
    expect({ asked, text }).toEqual({ asked: ["one"], text: "from" });
    expect(error).toMatchObject({ code: "unavailable" });
    expect(two.requests).toHaveLength(0);
  });

  test("a request that is wrong goes nowhere else", async () => {
    const bad = {
      messages: [{ role: "tool" as const, callId: "x", toolName: "t", text: "", failed: false }],
    };
    const models = [modelAt(one), modelAt(two)];
    await expect(completeWithFallback(models, bad, never)).rejects.toMatchObject({ code: "rejected" });
    expect(two.requests).toHaveLength(0);
  });

  test("what is too large goes only to one that holds more", async () => {
    one.chat.say({ failure: { kind: "context-length" } }, { failure: { kind: "context-length" } });
    const [small, alike] = [modelAt(one, { contextTokens: 8_000 }), modelAt(two, { contextTokens: 8_000 })];
    expect(await ask([small, alike])).toMatchObject({ asked: ["one"], error: { code: "input_too_large" } });
    expect(await ask([small, modelAt(two)])).toMatchObject({ asked: ["one", "two"], text: "from two" });
  });

  test("the last one gets the short pause it asks for, once", async () => {
    one.chat.say({ failure: { kind: "rate-limited" } }, { texts: ["after a pause"] });
    const begun = performance.now();
    expect(await ask([modelAt(one)])).toMatchObject({ asked: ["one", "one"], text: "after a pause" });
    expect(performance.now() - begun).toBeGreaterThan(990);
    one.chat.always({ failure: { kind: "rate-limited" } });
    expect(await ask([modelAt(one)])).toMatchObject({
      asked: ["one", "one"],
      error: { code: "rate_limited" },
    });
  });

  test("nobody waits a minute, nor for one that names no time", async () => {
    const headers = { "retry-after": "60" };
    one.fail({ fault: { kind: "status", status: 429, headers }, times: 1 });
    expect(await ask([modelAt(one)])).toMatchObject({ asked: ["one"], error: { code: "rate_limited" } });
    one.chat.say({ failure: { kind: "overloaded" } });
    expect(await ask([modelAt(one)])).toMatchObject({ asked: ["one"], error: { code: "unavailable" } });
  });

  test("an abort ends the asking, with its own reason", async () => {
    one.chat.say({ failure: { kind: "rate-limited" } });
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error("gone")), 100);
    const begun = performance.now();
    expect((await ask([modelAt(one)], stop.signal)).error).toEqual(new Error("gone"));
    expect(performance.now() - begun).toBeLessThan(900);
    expect((await ask([modelAt(one), modelAt(two)], stop.signal)).error).toEqual(new Error("gone"));
    expect(two.requests).toHaveLength(0);
  });

  test("who stops listening ends the vendor's work", async () => {
    one.chat.say({ texts: Array.from({ length: 1_000 }, () => "x"), tokenDelayMs: 10 });
    for await (const event of withFallback([modelAt(one)], hello, never)) if (event.type === "text") break;
    for (let waited = 0; one.chat.streams[0]?.closedByClient !== true && waited < 2_000; waited += 10)
      await sleep(10);
    expect(one.chat.streams[0]).toMatchObject({ closedByClient: true });
  });

  test("answers in one piece, too", async () => {
    one.chat.say({ failure: { kind: "overloaded" } });
    const { text } = await completeWithFallback([modelAt(one), modelAt(two)], hello, never);
    expect(text).toBe("from two");
  });

  test("none at all is a mistake of the caller's", async () => {
    await expect(completeWithFallback([], hello, never)).rejects.toThrow("there is no model to ask");
  });
});
