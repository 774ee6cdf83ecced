import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { httpReranker, type RerankerOptions } from "../../src/providers/rerank/http-reranker.ts";
import { startCohereSimulator } from "../simulators/cohere/cohere-simulator.ts";
import { startRerankSimulator } from "../simulators/rerank/rerank-simulator.ts";
import type { Simulator } from "../simulators/simulator.ts";

const apiKey = "key-5f2b9c77d1e04a";
const passages = ["opening hours on sunday", "the price of a bicycle", "bicycle", "complaints"];

const servers: [string, () => Promise<Simulator>, (url: string) => RerankerOptions][] = [
  [
    "/v1/rerank",
    () => startRerankSimulator(apiKey),
    (url) => ({ baseUrl: url, apiKey, model: "rerank-multilingual" }),
  ],
  [
    "Cohere's /v2/rerank",
    () => startCohereSimulator(apiKey),
    (url) => ({ baseUrl: `${url}/v2`, apiKey, model: "rerank-v3.5" }),
  ],
  ["text-embeddings-inference", () => startRerankSimulator(apiKey), (url) => ({ baseUrl: url, apiKey })],
];

describe.each(servers)("the reranker at %s", (_name, start, optionsFor) => {
  let simulator: Simulator;
  beforeAll(async () => {
    simulator = await start();
  });
  afterAll(() => simulator.close());
  beforeEach(() => {
    simulator.recover();
    simulator.requests.length = 0;
  });
  const reranker = (more: Partial<RerankerOptions> = {}) =>
    httpReranker({ ...optionsFor(simulator.url), ...more });

  test("puts the best passage first, with scores that fall from 1 towards 0", async () => {
    const ranked = await reranker().rerank("price of a bicycle", passages);
    expect(ranked.map(({ index }) => index).slice(0, 2)).toEqual([1, 2]);
    expect(ranked).toHaveLength(4);
    const scores = ranked.map(({ score }) => score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    for (const score of scores) expect(score >= 0 && score <= 1).toBe(true);
  });

  test("returns no more than asked for", async () => {
    expect(await reranker().rerank("bicycle", passages, { topN: 2 })).toHaveLength(2);
  });

  test("asks nobody about no passages, or about too many", async () => {
    expect(await reranker().rerank("bicycle", [])).toEqual([]);
    const failing = reranker({ maxPassages: 3 }).rerank("bicycle", passages);
    await expect(failing).rejects.toMatchObject({ code: "input_too_large" });
    expect(simulator.requests).toHaveLength(0);
  });

  test("makes failures clear, without the key", async () => {
    const wrongKey = reranker({ apiKey: "wrong-key-8841" }).rerank("x", passages);
    await expect(wrongKey).rejects.toMatchObject({ code: "unauthorized", retryable: false });
    simulator.fail({ fault: { kind: "status", status: 503 }, times: 1 });
    await expect(reranker().rerank("x", passages)).rejects.toMatchObject({
      code: "unavailable",
      retryable: true,
    });
    simulator.fail({ fault: { kind: "html" }, times: 1 });
    await expect(reranker().rerank("x", passages)).rejects.toMatchObject({ code: "bad_answer" });
    simulator.fail({ fault: { kind: "slow", ms: 1_000 }, times: 1 });
    const slow = reranker({ timeoutMs: 50 }).rerank("x", passages);
    await expect(slow).rejects.toMatchObject({ code: "timeout", retryable: true });
  });

  test("stops when told to", async () => {
    simulator.fail({ fault: { kind: "slow", ms: 1_000 }, times: 1 });
    const stop = new AbortController();
    const ranking = reranker().rerank("x", passages, { signal: stop.signal });
    setTimeout(() => stop.abort(new Error("gone")), 20);
    await expect(ranking).rejects.toThrow("gone");
  });
});

describe("a ranking that cannot be", () => {
  const answering = (body: unknown) =>
    httpReranker({ baseUrl: "http://reranker", model: "m", fetch: async () => Response.json(body) }).rerank(
      "q",
      ["a", "b"],
    );

  test.each([
    ["an index that was not given", { results: [{ index: 2, relevance_score: 0.5 }] }],
    [
      "an index twice",
      {
        results: [
          { index: 0, relevance_score: 0.5 },
          { index: 0, relevance_score: 0.4 },
        ],
      },
    ],
    ["no score", { results: [{ index: 0 }] }],
    ["no results", { message: "ok" }],
  ])("%s is an error", async (_name, body) => {
    await expect(answering(body)).rejects.toMatchObject({ name: "ProviderError", code: "bad_answer" });
  });

  test("logits are made scores between 0 and 1, in the same order", async () => {
    const ranked = await answering({
      results: [
        { index: 0, relevance_score: -4 },
        { index: 1, relevance_score: 3 },
      ],
    });
    expect(ranked.map(({ index }) => index)).toEqual([1, 0]);
    expect(ranked[0]?.score).toBeCloseTo(0.953, 3);
    expect(ranked[1]?.score).toBeCloseTo(0.018, 3);
  });

  test("Voyage's word for the list is understood", async () => {
    expect(await answering({ data: [{ index: 1, relevance_score: 0.9 }] })).toEqual([
      { index: 1, score: 0.9 },
    ]);
  });
});
