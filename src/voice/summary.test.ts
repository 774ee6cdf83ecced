import { afterAll, afterEach, expect, test } from "vitest";
import { newChatWorld, startChatServer } from "../../test/chat-support.ts";
import type { World } from "../../test/support.ts";
import { appendCallEvents } from "./append-call-events.ts";
import type { NewCallEvent } from "./call-events.ts";
import { endCall } from "./end-call.ts";
import { openCall } from "./open-call.ts";
import { callOwner } from "./test-support.ts";

const server = await startChatServer();
const { app, model } = server;
afterEach(() => model.chat.reset());
afterAll(() => server.close());

const at = app.now();
const TALK: NewCallEvent[] = [
  { kind: "answered", at },
  { kind: "caller_said", turnId: "t1", text: "When do you deliver?", at },
  { kind: "agent_said", turnId: "t1", text: "Within two days.", at },
];

/** A call of these events, over; as the log has it when it is finalized. */
async function callOf(world: World, events: readonly NewCallEvent[]) {
  const owner = callOwner(world);
  const { id } = await openCall(app, owner, {
    direction: "inbound",
    provider: "test",
    providerCallId: null,
    from: null,
    to: null,
    numberId: null,
    configuration: null,
    startedAt: at,
  });
  await appendCallEvents(app, owner, id, events);
  await endCall(app, owner, id, { reason: "caller_hung_up", at });
  const read = async () => (await world.api.get(`/v1/voice-integration/call-logs/${id}`)).body.call_log;
  await expect.poll(async () => (await read()).status, { timeout: 10_000 }).toBe("finalized");
  return read();
}

test("a call is summed up by the workspace's model, whose tokens are counted", async () => {
  const world = await newChatWorld(server);
  model.chat.say({ texts: [" Asked for delivery times. "], usage: { inputTokens: 70, outputTokens: 9 } });
  const { summary } = await callOf(world, TALK);
  expect(summary).toBe("Asked for delivery times.");
  expect(JSON.stringify(model.chat.seen)).toContain("Caller: When do you deliver?");
  const { totals } = (await world.api.get("/v1/usage")).body;
  expect(totals).toMatchObject({ input_tokens: 70, output_tokens: 9 });
});

test("a model that fails, or says nothing, leaves the call's own words", async () => {
  const world = await newChatWorld(server);
  const own = "“When do you deliver?” – “Within two days.”";
  model.chat.always({ failure: { kind: "quota-exhausted" } });
  expect((await callOf(world, TALK)).summary).toBe(own);
  model.chat.always({ texts: [" "] });
  expect((await callOf(world, TALK)).summary).toBe(own);
});

test("a summary that came with the call is taken as it is, and no model is asked", async () => {
  const world = await newChatWorld(server);
  const { summary } = await callOf(world, [...TALK, { kind: "summary", text: "From the platform.", at }]);
  expect(summary).toBe("From the platform.");
  expect(model.chat.seen).toEqual([]);
});

test("a call in which nobody spoke is not worth a model's time", async () => {
  const world = await newChatWorld(server);
  const { summary } = await callOf(world, [{ kind: "agent_said", turnId: "t0", text: "Hello!", at }]);
  expect(summary).toBeNull();
  expect(model.chat.seen).toEqual([]);
});
