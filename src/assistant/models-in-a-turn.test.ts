import { afterAll, afterEach, expect, test } from "vitest";
import { newChatWorld, startChatServer } from "../../test/chat-support.ts";
import { attachTool } from "../../test/tool-chat-support.ts";

const server = await startChatServer({ LLM_FALLBACK_MODELS: "gpt-4.1" });
const { model } = server;
afterEach(() => model.chat.reset());
afterAll(() => server.close());

test("a model that fails before its first word is replaced by the next, and the turn says who answered", async () => {
  const world = await newChatWorld(server);
  model.chat.say({ failure: { kind: "overloaded" } }, { texts: ["I am the second."] });
  expect(await world.ask("Hello")).toMatchObject({
    textResponse: "I am the second.",
    metrics: { model: "gpt-4.1" },
  });
  model.chat.say({ failure: { kind: "overloaded" } }, { texts: ["Also", " streamed."] });
  const { text, events } = await world.stream("Hello");
  expect(text).toBe("Also streamed.");
  expect(events.at(-1).metrics.model).toBe("gpt-4.1");
});

test("a model that fails after its first word is not: nobody hears two beginnings", async () => {
  const world = await newChatWorld(server);
  model.chat.say({ texts: ["One", " two"], failure: { kind: "cut", afterPieces: 1 } }, { texts: ["Again"] });
  const { text, events } = await world.stream("Count");
  expect(text).toBe("One");
  expect(events.at(-1).type).toBe("abort");
});

test("who has begun a turn with tools ends it", async () => {
  const world = await newChatWorld(server);
  model.chat.say(
    { failure: { kind: "overloaded" } },
    { toolCalls: [{ name: "request_handoff", arguments: {} }] },
    { texts: ["Done."] },
  );
  await world.ask("A human, please");
  expect(model.chat.seen.map((seen) => seen.model)).toEqual(["gpt-4o-mini", "gpt-4.1", "gpt-4.1"]);
});

test("a turn with tools is the agent model's, all others the chat model's", async () => {
  const world = await newChatWorld(server, {}, { agentModel: "gpt-4.1" });
  model.chat.always({ texts: ["Yes."] });
  await world.ask("Hello");
  await attachTool(world, "peek", { url: "https://api.example.com/peek" });
  await world.ask("Hello again");
  await world.ask("And in chat", { mode: "chat" });
  expect(model.chat.seen.map((seen) => seen.model)).toEqual(["gpt-4o-mini", "gpt-4.1", "gpt-4o-mini"]);
});
