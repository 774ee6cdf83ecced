import OpenAI from "openai";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { type ChatWorld, newChatWorld, startChatServer, until } from "../../test/chat-support.ts";
import { simulatorKey, startOpenaiSimulator } from "../../test/simulators/openai/openai-simulator.ts";
import { newKey, send } from "../../test/support.ts";

const embedder = await startOpenaiSimulator();
const server = await startChatServer({
  EMBEDDING_PROVIDER: "openai-compatible",
  EMBEDDING_BASE_URL: `${embedder.url}/v1`,
  EMBEDDING_API_KEY: simulatorKey,
  EMBEDDING_MODEL: "text-embedding-3-small",
});
const { model } = server;
afterEach(() => model.chat.reset());
afterAll(async () => {
  await server.close();
  await embedder.close();
});

const DELIVERY = { Delivery: "We deliver within two days." };
const weather = {
  type: "function" as const,
  function: {
    name: "get_weather",
    description: "The weather of a city.",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};

/** As a customer makes it: base URL and key, and the account in a header where the key is not the account's own. */
function clientOf(world: ChatWorld, apiKey = world.partner.key, headers?: Record<string, string>): OpenAI {
  return new OpenAI({
    baseURL: `${server.url}/api/v1/openai`,
    apiKey,
    maxRetries: 0,
    defaultHeaders: headers ?? { "x-account-id": world.accountId },
  });
}

describe("the official client", () => {
  test("lists workspaces as models", async () => {
    const world = await newChatWorld(server);
    const { data } = await clientOf(world).models.list();
    expect(data).toMatchObject([{ id: world.workspaceSlug, object: "model", owned_by: world.orgSlug }]);
  });

  test("gets an answer that rests on the workspace's documents", async () => {
    const world = await newChatWorld(server, DELIVERY);
    model.chat.say({ texts: ["Within two days ", "[1]."], usage: { inputTokens: 100, outputTokens: 5 } });
    const answer = await clientOf(world).chat.completions.create({
      model: world.workspaceSlug,
      temperature: 0.1,
      max_tokens: 50,
      messages: [
        { role: "system", content: "You speak like a pirate." },
        { role: "user", content: "Hello" },
        { role: "assistant", content: "Ahoy!" },
        { role: "user", content: [{ type: "text", text: "When do you deliver?" }] },
      ],
    });
    expect(answer.choices).toMatchObject([
      { index: 0, finish_reason: "stop", message: { role: "assistant", content: "Within two days [1]." } },
    ]);
    expect(answer.usage).toEqual({ prompt_tokens: 100, completion_tokens: 5, total_tokens: 105 });
    const seen = model.chat.seen.at(-1)?.messages ?? [];
    expect(seen.map(({ role }) => role)).toEqual(["system", "user", "assistant", "user"]);
    expect(seen[0]?.text).toContain("You speak like a pirate.");
    expect(seen[3]?.text).toContain("We deliver within two days.");
    const body = JSON.parse(model.requests.at(-1)?.body.toString() ?? "");
    expect(body).toMatchObject({ temperature: 0.1, max_tokens: 50 });
  });

  test("streams, with usage when it asks for it", async () => {
    const world = await newChatWorld(server, DELIVERY);
    model.chat.always({ texts: ["Within ", "two ", "days."], tokenDelayMs: 20 });
    const stream = await clientOf(world).chat.completions.create({
      model: world.workspaceSlug,
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: "user", content: "When do you deliver?" }],
    });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("")).toBe("Within two days.");
    expect(chunks[0]?.choices[0]?.delta.role).toBe("assistant");
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe("stop");
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: expect.any(Number) } });
    const runner = clientOf(world).chat.completions.stream({
      model: world.workspaceSlug,
      messages: [{ role: "user", content: "When do you deliver?" }],
    });
    expect(await runner.finalContent()).toBe("Within two days.");
  });

  test("gets the calls of its own tools to run, and sends back what they brought", async () => {
    const world = await newChatWorld(server, DELIVERY);
    const ask = { model: world.workspaceSlug, tools: [weather] };
    const question = { role: "user" as const, content: "How is the weather in Rome?" };
    for (const stream of [false, true]) {
      model.chat.say({ toolCalls: [{ name: "get_weather", arguments: { city: "Rome" } }] });
      const completions = clientOf(world).chat.completions;
      const message = stream
        ? await completions.stream({ ...ask, messages: [question] }).finalMessage()
        : (await completions.create({ ...ask, messages: [question] })).choices[0]?.message;
      const [call] = message?.tool_calls ?? [];
      if (message === undefined || call?.type !== "function") expect.fail("there is no call");
      expect(call.function).toMatchObject({ name: "get_weather" });
      expect(JSON.parse(call.function.arguments)).toEqual({ city: "Rome" });
      model.chat.say({ texts: ["It is sunny."] });
      const answer = await completions.create({
        ...ask,
        messages: [question, message, { role: "tool", tool_call_id: call.id, content: "sunny" }],
      });
      expect(answer.choices[0]?.message.content).toBe("It is sunny.");
      expect(model.chat.seen.at(-1)?.messages.map(({ role }) => role)).toEqual([
        "system",
        "user",
        "assistant",
        "tool",
      ]);
    }
    const { conversations } = (await world.api.get(`${world.path}/conversations?channel=openai`)).body;
    expect(conversations).toMatchObject([{ channel: "openai", message_count: 4 }]);
  });

  test("embeds, in numbers and in base64", async () => {
    const world = await newChatWorld(server);
    const texts = ["We deliver within two days.", "Returns are free."];
    const base64 = await clientOf(world).embeddings.create({ model: "any", input: texts });
    const floats = await clientOf(world).embeddings.create({
      model: "any",
      input: texts,
      encoding_format: "float",
    });
    expect(base64.data).toHaveLength(2);
    expect(base64.data[0]?.embedding).toHaveLength(384);
    for (const [index, { embedding }] of floats.data.entries())
      expect(base64.data[index]?.embedding).toEqual(embedding.map(Math.fround));
    const wrong = clientOf(world).embeddings.create({ model: "any", input: texts, dimensions: 10 });
    await expect(wrong).rejects.toMatchObject({ status: 400, param: "dimensions" });
  });

  test("reads errors as it knows them", async () => {
    const world = await newChatWorld(server);
    const ask = (openai: OpenAI, model = world.workspaceSlug) =>
      openai.chat.completions.create({ model, messages: [{ role: "user", content: "Hello" }] });
    await expect(ask(clientOf(world), "nowhere")).rejects.toMatchObject({
      status: 404,
      code: "not_found",
      param: "model",
      type: "invalid_request_error",
      message: expect.stringContaining("no such model"),
    });
    await expect(ask(clientOf(world, "nonsense"))).rejects.toBeInstanceOf(OpenAI.PermissionDeniedError);
    await expect(ask(clientOf(world, undefined, {}))).rejects.toMatchObject({
      status: 400,
      code: "account_required",
    });
    model.chat.say({ failure: { kind: "quota-exhausted" } });
    await expect(ask(clientOf(world))).rejects.toMatchObject({ status: 502, code: "provider_failed" });
    const orphan = clientOf(world).chat.completions.create({
      model: world.workspaceSlug,
      messages: [
        { role: "user", content: "Hello" },
        { role: "tool", tool_call_id: "call_1", content: "x" },
      ],
    });
    await expect(orphan).rejects.toMatchObject({ status: 400, param: "messages.1.tool_call_id" });
  });

  test("reads an error in the middle of a stream", async () => {
    const world = await newChatWorld(server);
    model.chat.say({ texts: ["One", " two", " three"], failure: { kind: "cut", afterPieces: 2 } });
    const stream = await clientOf(world).chat.completions.create({
      model: world.workspaceSlug,
      stream: true,
      messages: [{ role: "user", content: "Count" }],
    });
    let text = "";
    const reading = (async () => {
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
    })();
    await expect(reading).rejects.toMatchObject({ code: "provider_failed" });
    expect(text).toBe("One two");
  });

  test("that breaks off ends the model's work", async () => {
    const world = await newChatWorld(server);
    model.chat.say({ texts: Array.from({ length: 100 }, (_, i) => `${i} `), tokenDelayMs: 30 });
    const stream = await clientOf(world).chat.completions.create({
      model: world.workspaceSlug,
      stream: true,
      messages: [{ role: "user", content: "Count" }],
    });
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta.content) break;
    }
    await until(() => model.chat.streams.at(-1)?.closedByClient === true);
  });
});

describe("a voice platform's key", () => {
  test("of one workspace needs no header, sees that workspace alone, and may send any field", async () => {
    const world = await newChatWorld(server, DELIVERY);
    const other = (
      await world.api.post(`/v1/org/${Buffer.from(world.orgSlug).toString("hex")}/workspaces`, {
        name: "Other",
      })
    ).body.workspace;
    const key = await newKey(server.app, world.partner.id, {
      accountId: world.accountId,
      workspace: { id: world.workspaceId, organization: { id: world.organizationId } },
      scopes: ["chat"],
    });
    const openai = clientOf(world, key, {});
    expect((await openai.models.list()).data.map(({ id }) => id)).toEqual([world.workspaceSlug]);
    model.chat.always({ texts: ["Two days."] });
    const reply = await send(
      server.url,
      "POST",
      "/v1/openai/chat/completions",
      { authorization: `Bearer ${key}`, "content-type": "application/json" },
      JSON.stringify({
        model: world.workspaceSlug,
        messages: [{ role: "user", content: "When?", timestamp: 1 }],
        call: { id: "x" },
        metadata: { a: 1 },
        user: "caller-1",
      }),
    );
    expect(reply.status).toBe(200);
    expect(reply.body.choices[0].message.content).toBe("Two days.");
    await expect(
      openai.chat.completions.create({
        model: other.originalSlug,
        messages: [{ role: "user", content: "Hi" }],
      }),
    ).rejects.toMatchObject({ status: 404 });
    await expect(openai.embeddings.create({ model: "x", input: "x" })).rejects.toMatchObject({ status: 403 });
  });
});
