import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import { Mistral } from "@mistralai/mistralai";
import { Ollama } from "ollama";
import OpenAI, { AzureOpenAI } from "openai";
import { afterAll, describe, expect, test } from "vitest";
import { startAnthropicSimulator } from "./anthropic/anthropic-simulator.ts";
import { startAzureSimulator } from "./azure/azure-simulator.ts";
import type { ChatScript } from "./chat-script.ts";
import { startGoogleSimulator } from "./google/google-simulator.ts";
import { startMistralSimulator } from "./mistral/mistral-simulator.ts";
import { startOllamaSimulator } from "./ollama/ollama-simulator.ts";
import { startOpenaiSimulator } from "./openai/openai-simulator.ts";
import type { Simulator } from "./simulator.ts";

// The simulators are only worth something if the vendors' own clients take them for the real thing.
const open: Simulator[] = [];
afterAll(async () => {
  for (const simulator of open) await simulator.close();
});

const apiKey = "key-for-the-official-clients";
const parameters = { type: "object" as const, properties: { city: { type: "string" } } };
const tool = {
  type: "function" as const,
  function: { name: "get_weather", description: "Weather.", parameters },
};
const call = { name: "get_weather", arguments: { city: "Rome" } };
const said = { texts: ["Good", " morning"], usage: { inputTokens: 7, outputTokens: 2 } };

async function started<S extends Simulator & { chat: ChatScript }>(starting: Promise<S>): Promise<S> {
  const simulator = await starting;
  open.push(simulator);
  return simulator;
}

describe("the chat simulators, asked by their vendors' clients", () => {
  test("openai", async () => {
    const { url, chat } = await started(startOpenaiSimulator({ apiKey }));
    await askOpenai(new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 }), "gpt-4.1", chat);
  });

  test("azure", async () => {
    const { url, chat } = await started(startAzureSimulator(apiKey));
    const apiVersion = "2024-10-21";
    const client = new AzureOpenAI({ endpoint: url, apiKey, apiVersion, maxRetries: 0 });
    await askOpenai(client, "support-gpt", chat);
  });

  test("anthropic", async () => {
    const { url, chat } = await started(startAnthropicSimulator(apiKey));
    const client = new Anthropic({ baseURL: url, apiKey, maxRetries: 0 });
    const ask = {
      model: "claude-haiku-4-5",
      max_tokens: 100,
      messages: [{ role: "user" as const, content: "Hi" }],
    };
    chat.say(said, { ...said, toolCalls: [call] }, { failure: { kind: "rate-limited" } });
    const whole = await client.messages.create(ask);
    expect(whole).toMatchObject({ content: [{ text: "Good morning" }], usage: { output_tokens: 2 } });
    const tools = [{ name: "get_weather", description: "Weather.", input_schema: parameters }];
    const final = await client.messages.stream({ ...ask, tools }).finalMessage();
    expect(final).toMatchObject({
      content: [{ text: "Good morning" }, { name: "get_weather", input: { city: "Rome" } }],
      stop_reason: "tool_use",
      usage: { input_tokens: 7, output_tokens: 2 },
    });
    await expect(client.messages.create(ask)).rejects.toBeInstanceOf(Anthropic.RateLimitError);
    const sampled = client.messages.create({ ...ask, ...{ temperature: 0.5 } });
    await expect(sampled).rejects.toBeInstanceOf(Anthropic.BadRequestError);
    const wrong = new Anthropic({ baseURL: url, apiKey: "wrong", maxRetries: 0 });
    await expect(wrong.messages.create(ask)).rejects.toBeInstanceOf(Anthropic.AuthenticationError);
    expect((await client.models.list()).data).toHaveLength(1);
  });

  test("google", async () => {
    const { url, chat } = await started(startGoogleSimulator(apiKey));
    const client = new GoogleGenAI({ apiKey, httpOptions: { baseUrl: url } });
    const model = "gemini-2.5-flash";
    chat.say(said, said, { toolCalls: [call] }, { failure: { kind: "overloaded" } });
    const ask = { model, contents: "Hi", config: { systemInstruction: "Be brief.", temperature: 0.5 } };
    expect((await client.models.generateContent(ask)).text).toBe("Good morning");
    const texts: (string | undefined)[] = [];
    for await (const chunk of await client.models.generateContentStream(ask)) texts.push(chunk.text);
    expect(texts.join("")).toBe("Good morning");
    const functionDeclarations = [{ name: "get_weather", parametersJsonSchema: parameters }];
    const called = await client.models.generateContent({
      ...ask,
      config: { tools: [{ functionDeclarations }] },
    });
    expect(called.functionCalls).toMatchObject([{ name: "get_weather", args: { city: "Rome" } }]);
    await expect(client.models.generateContent(ask)).rejects.toMatchObject({ status: 503 });
    const listed = await client.models.list();
    expect(listed.page.map(({ name }) => name)).toEqual([`models/${model}`]);
  });

  test("mistral", async () => {
    const { url, chat } = await started(startMistralSimulator(apiKey));
    const client = new Mistral({ serverURL: url, apiKey, retryConfig: { strategy: "none" } });
    const model = "mistral-large-latest";
    const ask = { model, messages: [{ role: "user" as const, content: "Hi" }] };
    chat.say(said, { ...said, toolCalls: [call] }, { failure: { kind: "rate-limited" } });
    const whole = await client.chat.complete(ask);
    expect(whole).toMatchObject({
      choices: [{ message: { content: "Good morning" } }],
      usage: { completionTokens: 2 },
    });
    const chunks = [];
    for await (const event of await client.chat.stream({ ...ask, tools: [tool] })) chunks.push(event.data);
    expect(chunks.map(({ choices }) => choices[0]?.delta.content).join("")).toBe("Good morning");
    expect(chunks.at(-1)?.choices[0]?.delta.toolCalls).toMatchObject([{ function: { name: "get_weather" } }]);
    await expect(client.chat.complete(ask)).rejects.toMatchObject({ statusCode: 429 });
    expect((await client.models.list()).data).toMatchObject([{ id: model }]);
  });

  test("ollama", async () => {
    const { url, chat } = await started(startOllamaSimulator());
    const client = new Ollama({ host: url });
    const ask = { model: "llama3.2", messages: [{ role: "user", content: "Hi" }] };
    chat.say(said, { ...said, toolCalls: [call] });
    expect((await client.chat(ask)).message.content).toBe("Good morning");
    const texts = [];
    const calls = [];
    for await (const { message } of await client.chat({ ...ask, tools: [tool], stream: true })) {
      texts.push(message.content);
      calls.push(...(message.tool_calls ?? []));
    }
    expect(texts.join("")).toBe("Good morning");
    expect(calls).toMatchObject([{ function: call }]);
    await expect(client.chat({ ...ask, model: "nope" })).rejects.toThrow(/not found/);
    expect((await client.list()).models.map(({ name }) => name)).toContain("llama3.2:latest");
  });
});

async function askOpenai(client: OpenAI, model: string, chat: ChatScript): Promise<void> {
  const ask = { model, messages: [{ role: "user" as const, content: "Hi" }] };
  chat.say(
    said,
    { ...said, toolCalls: [call] },
    { failure: { kind: "rate-limited" } },
    { failure: { kind: "context-length" } },
  );
  const whole = await client.chat.completions.create(ask);
  expect(whole).toMatchObject({
    choices: [{ message: { content: "Good morning" } }],
    usage: { completion_tokens: 2 },
  });
  const streamed = client.chat.completions.stream({
    ...ask,
    tools: [tool],
    stream_options: { include_usage: true },
  });
  const { choices, usage } = await streamed.finalChatCompletion();
  expect(choices[0]).toMatchObject({
    finish_reason: "tool_calls",
    message: {
      content: "Good morning",
      tool_calls: [{ function: { name: "get_weather", arguments: '{"city":"Rome"}' } }],
    },
  });
  expect(usage).toMatchObject({ prompt_tokens: 7, completion_tokens: 2 });
  await expect(client.chat.completions.create(ask)).rejects.toBeInstanceOf(OpenAI.RateLimitError);
  await expect(client.chat.completions.create(ask)).rejects.toMatchObject({
    code: "context_length_exceeded",
  });
  const wrong = client.withOptions({ apiKey: "wrong" });
  await expect(wrong.chat.completions.create(ask)).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
  await expect(client.chat.completions.create({ ...ask, temperature: 3 })).rejects.toBeInstanceOf(
    OpenAI.BadRequestError,
  );
}
