import { type Vapi, VapiClient } from "@vapi-ai/server-sdk";
import { afterAll, expect, expectTypeOf, test } from "vitest";
import type { TransferAnswer } from "../../src/voice/vapi/choose-destination.ts";
import { startVapiSimulator } from "../simulators/vapi/vapi-simulator.ts";

// The simulator is only worth something if Vapi's own client takes it for the real thing.
const simulator = await startVapiSimulator();
afterAll(() => simulator.close());
const client = clientWith(simulator.state.apiKey);

test("the official client makes, lists, reads, changes and deletes assistants", async () => {
  const made = await client.assistants.create({
    name: "Front desk",
    firstMessage: "Hello!",
    voice: {
      provider: "11labs",
      voiceId: "burt",
      fallbackPlan: { voices: [{ provider: "vapi", voiceId: "Kai" }] },
    },
    transcriber: { provider: "deepgram", model: "nova-3", language: "en" },
    model: {
      provider: "custom-llm",
      url: "https://ai.example.com/v1",
      model: "support",
      tools: [{ type: "transferCall", destinations: [] }, { type: "endCall" }],
    },
    serverMessages: ["transfer-destination-request", "end-of-call-report"],
    credentials: [{ provider: "custom-llm", apiKey: "a-key" }],
  });
  expect(made).toMatchObject({ name: "Front desk", firstMessage: "Hello!" });
  expect(JSON.stringify(made)).not.toContain("a-key");
  expect((await client.assistants.list({ limit: 10 })).map(({ id }) => id)).toEqual([made.id]);
  expect(await client.assistants.list({ createdAtLt: made.createdAt })).toEqual([]);
  const changed = await client.assistants.update({ id: made.id, firstMessage: "Good morning!" });
  expect(changed).toMatchObject({ firstMessage: "Good morning!", name: "Front desk" });
  expect(await client.assistants.get({ id: made.id })).toMatchObject({ firstMessage: "Good morning!" });
  await client.assistants.delete({ id: made.id });
  await expect(client.assistants.get({ id: made.id })).rejects.toMatchObject({ statusCode: 404 });
});

test("the official client imports, assigns and deletes phone numbers", async () => {
  const { id: assistantId } = await client.assistants.create({ name: "Front desk" });
  simulator.state.twilioAccounts.set("AC1", "token");
  const made = await client.phoneNumbers.create({
    provider: "twilio",
    number: "+14155550123",
    twilioAccountSid: "AC1",
    twilioAuthToken: "token",
  });
  const body = { provider: "twilio", assistantId } as const;
  expect(await client.phoneNumbers.update({ id: made.id, body })).toMatchObject({ assistantId });
  expect((await client.phoneNumbers.list()).map(({ id }) => id)).toEqual([made.id]);
  await client.phoneNumbers.delete({ id: made.id });
  await expect(client.phoneNumbers.get({ id: made.id })).rejects.toMatchObject({ statusCode: 404 });
});

test("whom a caller is transferred to is told as the official client's types say", () => {
  expectTypeOf<TransferAnswer>().toExtend<Vapi.ServerMessageResponseTransferDestinationRequest>();
});

test("the official client reads its failures", async () => {
  const long = client.assistants.create({ name: "x".repeat(41) });
  await expect(long).rejects.toMatchObject({ statusCode: 400, body: { error: "Bad Request" } });
  await expect(clientWith("wrong").assistants.list()).rejects.toMatchObject({ statusCode: 401 });
  simulator.fail({ fault: { kind: "status", status: 429 }, times: 1 });
  await expect(client.assistants.list()).rejects.toMatchObject({ statusCode: 429 });
  simulator.fail({ fault: { kind: "status", status: 503 }, times: 1 });
  await expect(client.assistants.list()).rejects.toMatchObject({ statusCode: 503 });
  const unknown = "00000000-0000-4000-8000-000000000000";
  await expect(client.calls.get({ id: unknown })).rejects.toMatchObject({ statusCode: 404 });
});

function clientWith(token: string) {
  return new VapiClient({ token, baseUrl: simulator.url, maxRetries: 0 });
}
