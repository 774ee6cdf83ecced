import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Embedder } from "../../src/ports/embedder.ts";
import { embedBatches } from "../../src/providers/embed-batches.ts";
import type { EmbedderOptions } from "../../src/providers/embedder-options.ts";
import { embedText } from "../simulators/embed-text.ts";
import type { Fault } from "../simulators/faults.ts";
import type { Simulator } from "../simulators/simulator.ts";
import { apiKey, embedderCases } from "./embedders.ts";

describe.each(embedderCases)("the embedder $name", ({ start, create, model, checksKey, kindOf }) => {
  let simulator: Simulator;
  beforeAll(async () => {
    simulator = await start();
  });
  afterAll(() => simulator.close());
  beforeEach(() => {
    simulator.recover();
    simulator.requests.length = 0;
  });
  const embedder = (more: Partial<EmbedderOptions> = {}): Embedder =>
    create({ baseUrl: simulator.url, apiKey, model, ...more });
  const document = { input: "document" } as const;

  test("returns the model's vectors in the order of the texts, each of length 1", async () => {
    const texts = ["the quick brown fox", "a slow red hen", "the quick brown fox again"];
    const { vectors } = await embedder().embed(texts, document);
    expect(vectors).toHaveLength(3);
    for (const [i, vector] of vectors.entries()) {
      expect(vector).toBeInstanceOf(Float32Array);
      expect(lengthOf(vector)).toBeCloseTo(1, 5);
      expect(cosine(vector, embedText(texts[i] ?? ""))).toBeCloseTo(1, 5);
    }
    expect(cosine(vectors[0], vectors[2])).toBeGreaterThan(cosine(vectors[0], vectors[1]));
  });

  test("asks for fewer dimensions, and makes them length 1 again", async () => {
    const short = embedder({ dimensions: 64 });
    const { vectors } = await short.embed(["one", "two"], document);
    expect(vectors.map((vector) => vector.length)).toEqual([64, 64]);
    expect(short).toMatchObject({ dimensions: 64, id: expect.stringContaining("@64") });
    expect(embedder().id).not.toBe(short.id);
  });

  test("says whether a text is a document or a question, if the vendor wants to know", async () => {
    await embedder().embed(["x"], document);
    await embedder().embed(["x"], { input: "query" });
    const [first, second] = simulator.requests.map(({ body }) => kindOf?.(JSON.parse(body.toString())));
    if (kindOf === null) return;
    expect(String(first).toLowerCase()).toContain("document");
    expect(String(second).toLowerCase()).toContain("query");
  });

  test("takes texts in any script, and mends half characters", async () => {
    const { vectors } = await embedder().embed(["größe", "价格表", "🙂", "\ud83d", "a\nb"], document);
    expect(vectors).toHaveLength(5);
    expect(simulator.requests[0]?.body.toString()).not.toContain("\\ud83d");
  });

  test.runIf(checksKey)("calls a wrong key unauthorized, without repeating it", async () => {
    const failing = embedder({ apiKey: "wrong-key-8841" }).embed(["x"], document);
    await expect(failing).rejects.toMatchObject({
      name: "ProviderError",
      code: "unauthorized",
      retryable: false,
    });
    await expect(failing).rejects.not.toThrow(/wrong-key-8841/);
  });

  test("calls an unknown model by what it is", async () => {
    const failing = embedder({ model: "no-such-model" }).embed(["x"], document);
    await expect(failing).rejects.toMatchObject({ name: "ProviderError", retryable: false });
  });

  test("makes no request for more texts than one may hold", async () => {
    const texts = Array.from({ length: embedder().limits.maxInputs + 1 }, () => "x");
    await expect(embedder().embed(texts, document)).rejects.toMatchObject({ code: "input_too_large" });
    expect(simulator.requests).toHaveLength(0);
  });

  const failures: [string, Fault, object][] = [
    [
      "429 with Retry-After",
      { kind: "status", status: 429, headers: { "retry-after": "7" } },
      { code: "rate_limited", retryable: true, retryAfterMs: 7_000 },
    ],
    ["500", { kind: "status", status: 500 }, { code: "unavailable", retryable: true, status: 500 }],
    ["503", { kind: "status", status: 503 }, { code: "unavailable", retryable: true, status: 503 }],
    ["403", { kind: "status", status: 403 }, { code: "unauthorized", retryable: false }],
    ["413", { kind: "status", status: 413 }, { code: "input_too_large", retryable: false }],
    [
      "a redirect",
      { kind: "status", status: 302, headers: { location: "http://127.0.0.1:1/" } },
      { code: "rejected", status: 302 },
    ],
    ["a reset connection", { kind: "reset" }, { code: "unavailable", retryable: true, status: null }],
    ["half an answer", { kind: "partial" }, { code: "unavailable", retryable: true }],
    ["a proxy's page", { kind: "html" }, { code: "bad_answer", retryable: true }],
    ["one vector too few", { kind: "wrong-count" }, { code: "bad_answer" }],
    ["NaN", { kind: "nan" }, { code: "bad_answer", retryable: false }],
    ["a slow answer", { kind: "slow", ms: 2_000 }, { code: "timeout", retryable: true }],
  ];
  test.each(failures)("makes %s a clear error", async (_name, fault, expected) => {
    simulator.fail({ fault, times: 1 });
    const failing = embedder({ timeoutMs: fault.kind === "slow" ? 250 : 10_000 }).embed(
      ["one", "two"],
      document,
    );
    await expect(failing).rejects.toMatchObject({
      name: "ProviderError",
      provider: embedder().provider,
      ...expected,
    });
    await expect(failing).rejects.not.toThrow(new RegExp(apiKey));
  });

  test("notices vectors of other dimensions than asked for", async () => {
    simulator.fail({ fault: { kind: "wrong-dimensions" }, times: 1 });
    const failing = embedder({ dimensions: 64 }).embed(["one"], document);
    await expect(failing).rejects.toMatchObject({ code: "bad_answer", retryable: false });
    await expect(failing).rejects.toThrow(/63 dimensions where 64/);
  });

  test("stops when told to, with the caller's reason", async () => {
    simulator.fail({ fault: { kind: "slow", ms: 2_000 }, times: 1 });
    const stop = new AbortController();
    const begun = Date.now();
    const embedding = embedder().embed(["x"], { ...document, signal: stop.signal });
    setTimeout(() => stop.abort(new Error("shutting down")), 30);
    await expect(embedding).rejects.toThrow("shutting down");
    expect(Date.now() - begun).toBeLessThan(1_900);
  });

  test("says so when nobody is there", async () => {
    const failing = embedder({ baseUrl: "http://127.0.0.1:1" }).embed(["x"], document);
    await expect(failing).rejects.toMatchObject({ code: "unavailable", retryable: true, status: null });
  });

  test("embeds more than one request may hold, through a passing failure", async () => {
    simulator.fail({ fault: { kind: "status", status: 500 }, times: 1 });
    const texts = Array.from({ length: 300 }, (_, i) => `passage number ${i}`);
    const small = embedder({ limits: { maxInputs: 32 } });
    const vectors: Float32Array[] = [];
    for await (const batch of embedBatches(small, texts, { ...document, retry: { baseMs: 1 } })) {
      expect(batch.start).toBe(vectors.length);
      vectors.push(...batch.vectors);
    }
    expect(vectors).toHaveLength(300);
    for (const [i, vector] of vectors.entries())
      expect(cosine(vector, embedText(texts[i] ?? ""))).toBeCloseTo(1, 4);
  });
});

function cosine(a: Float32Array | undefined, b: Float32Array | undefined): number {
  if (a === undefined || b === undefined || a.length !== b.length) return Number.NaN;
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
}

function lengthOf(vector: Float32Array): number {
  return Math.hypot(...vector);
}
