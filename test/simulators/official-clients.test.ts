import { GoogleGenAI } from "@google/genai";
import { CohereClientV2 } from "cohere-ai";
import { Ollama } from "ollama";
import OpenAI, { toFile } from "openai";
import { afterAll, describe, expect, test } from "vitest";
import { VoyageAIClient } from "voyageai";
import { startCohereSimulator } from "./cohere/cohere-simulator.ts";
import { embedText } from "./embed-text.ts";
import { startGoogleSimulator } from "./google/google-simulator.ts";
import { startOllamaSimulator } from "./ollama/ollama-simulator.ts";
import { startOpenaiSimulator } from "./openai/openai-simulator.ts";
import type { Simulator } from "./simulator.ts";
import { startVoyageSimulator } from "./voyage/voyage-simulator.ts";

// The simulators are only worth something if the vendors' own clients take them for the real thing.
const open: Simulator[] = [];
afterAll(async () => {
  for (const simulator of open) await simulator.close();
});

const apiKey = "key-for-the-official-clients";
const text = "the quick brown fox";
const expected = Array.from(embedText(text));

function sameVector(vector: unknown): void {
  expect(Array.isArray(vector) || vector instanceof Float32Array).toBe(true);
  const values = Array.isArray(vector) || vector instanceof Float32Array ? Array.from(vector) : [];
  expect(values).toHaveLength(384);
  for (const [i, value] of values.entries()) expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 5);
}

describe("the openai simulator, asked by the openai client", async () => {
  const simulator = await closedAfterwards(startOpenaiSimulator({ apiKey }));
  const client = new OpenAI({ baseURL: `${simulator.url}/v1`, apiKey, maxRetries: 0 });
  const model = "text-embedding-3-small";

  test("embeds, as floats and as base64", async () => {
    const byDefault = await client.embeddings.create({ model, input: [text, "other"] });
    sameVector(byDefault.data[0]?.embedding);
    expect(byDefault.usage.prompt_tokens).toBeGreaterThan(0);
    const floats = await client.embeddings.create({
      model,
      input: text,
      encoding_format: "float",
      dimensions: 384,
    });
    sameVector(floats.data[0]?.embedding);
  });

  test("fails the way the client has classes for", async () => {
    const wrongKey = new OpenAI({ baseURL: `${simulator.url}/v1`, apiKey: "sk-wrong", maxRetries: 0 });
    await expect(wrongKey.embeddings.create({ model, input: text })).rejects.toBeInstanceOf(
      OpenAI.AuthenticationError,
    );
    const unknown = client.embeddings.create({ model: "nope", input: text });
    await expect(unknown).rejects.toMatchObject({ status: 404, code: "model_not_found" });
    await expect(client.embeddings.create({ model, input: [] })).rejects.toBeInstanceOf(
      OpenAI.BadRequestError,
    );
    await expect(client.embeddings.create({ model, input: "x ".repeat(20_000) })).rejects.toThrow(
      /maximum context/,
    );
    simulator.fail({ fault: { kind: "status", status: 429, headers: { "retry-after": "0" } }, times: 1 });
    await expect(client.embeddings.create({ model, input: text })).rejects.toBeInstanceOf(
      OpenAI.RateLimitError,
    );
    simulator.fail({ fault: { kind: "reset" }, times: 1 });
    await expect(client.embeddings.create({ model, input: text })).rejects.toBeInstanceOf(
      OpenAI.APIConnectionError,
    );
  });

  test("is tried again by the client after 429", async () => {
    simulator.fail({ fault: { kind: "status", status: 429, headers: { "retry-after": "0" } }, times: 1 });
    const patient = new OpenAI({ baseURL: `${simulator.url}/v1`, apiKey, maxRetries: 1 });
    sameVector((await patient.embeddings.create({ model, input: text })).data[0]?.embedding);
  });

  test("lists models and transcribes", async () => {
    const models = await client.models.list();
    expect(models.data.map(({ id }) => id)).toContain(model);
    const file = await toFile(Buffer.from("RIFF"), "note.wav");
    const verbose = await client.audio.transcriptions.create({
      file,
      model: "whisper-1",
      response_format: "verbose_json",
    });
    expect(verbose).toMatchObject({ text: expect.stringContaining("note.wav of 4 bytes"), duration: 2.5 });
    expect(verbose.segments).toHaveLength(1);
  });
});

describe("the other simulators, asked by their vendors' clients", () => {
  test("ollama", async () => {
    const simulator = await closedAfterwards(startOllamaSimulator());
    const client = new Ollama({ host: simulator.url });
    const answer = await client.embed({ model: "all-minilm", input: [text] });
    sameVector(answer.embeddings[0]);
    await expect(client.embed({ model: "nope", input: text })).rejects.toThrow(/not found/);
  });

  test("cohere", async () => {
    const simulator = await closedAfterwards(startCohereSimulator(apiKey));
    const client = new CohereClientV2({ token: apiKey, environment: simulator.url });
    const embedded = await client.embed({
      model: "embed-v4.0",
      texts: [text],
      inputType: "search_document",
      embeddingTypes: ["float"],
    });
    sameVector(embedded.embeddings.float?.[0]);
    const ranked = await client.rerank({
      model: "rerank-v3.5",
      query: text,
      documents: ["hens", text],
      topN: 1,
    });
    expect(ranked.results).toMatchObject([{ index: 1, relevanceScore: expect.closeTo(1, 4) }]);
  });

  test("voyage", async () => {
    const simulator = await closedAfterwards(startVoyageSimulator(apiKey));
    const client = new VoyageAIClient({ apiKey, environment: `${simulator.url}/v1` });
    const answer = await client.embed({ model: "voyage-3-large", input: [text], inputType: "document" });
    sameVector(answer.data?.[0]?.embedding);
  });

  test("google", async () => {
    const simulator = await closedAfterwards(startGoogleSimulator(apiKey));
    const client = new GoogleGenAI({ apiKey, httpOptions: { baseUrl: simulator.url } });
    const answer = await client.models.embedContent({
      model: "gemini-embedding-001",
      contents: [text],
      config: { taskType: "RETRIEVAL_DOCUMENT" },
    });
    sameVector(answer.embeddings?.[0]?.values);
  });
});

async function closedAfterwards(starting: Promise<Simulator>): Promise<Simulator> {
  const simulator = await starting;
  open.push(simulator);
  return simulator;
}
