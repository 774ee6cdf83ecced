import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Embedder, EmbedOptions, EmbedResult } from "../ports/embedder.ts";
import { ProviderError, type ProviderErrorCode } from "../ports/provider-error.ts";
import { type EmbedBatchesOptions, embedBatches } from "./embed-batches.ts";

const document = { input: "document" } as const;
const noWait = { baseMs: 0, sleep: async () => {} };

describe("embedBatches", () => {
  test("yields batches in the order of the texts, however the answers arrive", async () => {
    const embedder = fakeEmbedder({ maxInputs: 10, maxParallel: 4 }, async (texts) => {
      // The first batch is the slowest.
      await sleep(Math.max(0, 40 - Number(texts[0])));
      return vectorsOf(texts);
    });
    const batches = await collect(embedBatches(embedder, numbers(95), document));
    expect(batches.map(({ start }) => start)).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
    expect(batches.flatMap(({ vectors }) => vectors.map(([first]) => first))).toEqual(
      numbers(95).map(Number),
    );
  });

  test("neither loses nor doubles nor mixes up a text, whatever the limits are", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ minLength: 1, maxLength: 40 }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 7 }),
        async (texts, maxInputs, maxTokensPerRequest, reallyTakes) => {
          const asked: string[][] = [];
          const embedder = fakeEmbedder({ maxInputs, maxTokensPerRequest, maxParallel: 3 }, async (batch) => {
            if (batch.length > reallyTakes) throw failure("input_too_large");
            asked.push([...batch]);
            return vectorsOf(batch, (text) => text.length);
          });
          const batches = await collect(embedBatches(embedder, texts, document));
          expect(batches.flatMap(({ vectors }) => vectors.map(([first]) => first))).toEqual(
            texts.map((t) => t.length),
          );
          expect(asked.flat().toSorted()).toEqual(texts.toSorted());
        },
      ),
      { numRuns: 60 },
    );
  });

  test("keeps within the limits for texts and tokens, but sends a long text alone", async () => {
    const sizes: number[] = [];
    const embedder = fakeEmbedder({ maxInputs: 3, maxTokensPerRequest: 10 }, async (texts) => {
      sizes.push(texts.length);
      return vectorsOf(texts, () => 1);
    });
    const tokensOf = (text: string) => text.length;
    const texts = ["a", "b", "c", "d".repeat(9), "e", "f", "g".repeat(50), "h"];
    await collect(embedBatches(embedder, texts, { ...document, parallel: 1, tokensOf }));
    expect(sizes).toEqual([3, 2, 1, 1, 1]);
  });

  test("has no more requests in flight than allowed, and none after the caller stops taking", async () => {
    let atOnce = 0;
    let most = 0;
    let calls = 0;
    const embedder = fakeEmbedder({ maxInputs: 1, maxParallel: 3 }, async (texts) => {
      calls += 1;
      atOnce += 1;
      most = Math.max(most, atOnce);
      await sleep(2);
      atOnce -= 1;
      return vectorsOf(texts);
    });
    await collect(embedBatches(embedder, numbers(20), { ...document, parallel: 50 }));
    expect(most).toBe(3);
    calls = 0;
    for await (const batch of embedBatches(embedder, numbers(20), document)) {
      await sleep(30);
      if (batch.start === 1) break;
    }
    expect(calls).toBeLessThanOrEqual(5);
  });

  test("can be resumed after the last batch that was yielded", async () => {
    let calls = 0;
    const embedder = fakeEmbedder({ maxInputs: 10, maxParallel: 1 }, async (texts) => {
      calls += 1;
      if (calls === 4) throw failure("unauthorized");
      return vectorsOf(texts);
    });
    const kept: number[] = [];
    const run = async (texts: string[]) => {
      for await (const batch of embedBatches(embedder, texts, document)) {
        kept.push(...batch.vectors.map(([first]) => first ?? Number.NaN));
      }
    };
    await expect(run(numbers(50))).rejects.toMatchObject({ code: "unauthorized" });
    expect(kept).toHaveLength(30);
    await run(numbers(50).slice(kept.length));
    expect(kept).toEqual(numbers(50).map(Number));
  });

  test("tells how far it is, after each batch was taken", async () => {
    const heard: unknown[] = [];
    const embedder = fakeEmbedder({ maxInputs: 2 }, async (texts) => vectorsOf(texts));
    const batches = embedBatches(embedder, numbers(5), {
      ...document,
      onProgress: (progress) => heard.push(progress),
    });
    await batches.next();
    expect(heard).toEqual([]);
    await collect(batches);
    expect(heard).toEqual([2, 4, 5].map((done) => ({ done, total: 5 })));
  });

  test("does nothing for no texts", async () => {
    const embedder = fakeEmbedder({}, async () => expect.unreachable());
    expect(await collect(embedBatches(embedder, [], document))).toEqual([]);
  });
});

describe("embedBatches, when the vendor fails", () => {
  test("tries again with growing waits, and gives up after the attempts allowed", async () => {
    const waits: number[] = [];
    let calls = 0;
    const embedder = fakeEmbedder({}, async () => {
      calls += 1;
      throw failure("unavailable", { retryable: true });
    });
    const retry = {
      attempts: 4,
      baseMs: 100,
      random: () => 0.5,
      sleep: async (ms: number) => void waits.push(ms),
    };
    await expect(firstBatch(embedder, { retry })).rejects.toMatchObject({ code: "unavailable" });
    expect([calls, waits]).toEqual([4, [100, 200, 400]]);
  });

  test("waits as long as Retry-After says, and passes a wait on that is too long to sit out", async () => {
    const waits: number[] = [];
    let retryAfterMs = 3_000;
    const embedder = fakeEmbedder({}, async () => {
      throw failure("rate_limited", { retryable: true, retryAfterMs });
    });
    const retry = {
      attempts: 2,
      baseMs: 100,
      random: () => 0.5,
      sleep: async (ms: number) => void waits.push(ms),
    };
    await expect(firstBatch(embedder, { retry })).rejects.toMatchObject({ code: "rate_limited" });
    expect(waits).toEqual([3_050]);
    retryAfterMs = 3_600_000;
    await expect(firstBatch(embedder, { retry })).rejects.toMatchObject({ retryAfterMs: 3_600_000 });
    expect(waits).toHaveLength(1);
  });

  test("holds every request while one was told to wait", async () => {
    const began: number[] = [];
    let limited = true;
    const embedder = fakeEmbedder({ maxInputs: 1, maxParallel: 2 }, async (texts) => {
      began.push(Date.now());
      if (limited && texts[0] === "0") {
        limited = false;
        throw failure("rate_limited", { retryable: true, retryAfterMs: 120 });
      }
      await sleep(10);
      return vectorsOf(texts);
    });
    await collect(embedBatches(embedder, numbers(4), { ...document, retry: { baseMs: 0 } }));
    const [first = 0, , ...later] = began;
    for (const at of later) expect(at - first).toBeGreaterThanOrEqual(110);
  });

  test("does not repeat what cannot pass", async () => {
    let calls = 0;
    const embedder = fakeEmbedder({}, async () => {
      calls += 1;
      throw failure("rejected");
    });
    await expect(firstBatch(embedder)).rejects.toMatchObject({ code: "rejected" });
    expect(calls).toBe(1);
  });

  test("learns how many texts a server really takes", async () => {
    const sizes: number[] = [];
    const embedder = fakeEmbedder({ maxInputs: 64, maxParallel: 1 }, async (texts) => {
      sizes.push(texts.length);
      if (texts.length > 16) throw failure("input_too_large");
      return vectorsOf(texts);
    });
    await collect(embedBatches(embedder, numbers(128), document));
    expect(sizes).toEqual([64, 32, 16, 16, 32, 16, 16, 16, 16, 16, 16]);
  });

  test("embeds a text that is too long in pieces, without making later batches smaller", async () => {
    const asked: string[][] = [];
    const embedder = fakeEmbedder({ maxInputs: 4, maxParallel: 1 }, async (texts) => {
      asked.push([...texts]);
      if (texts.some((text) => text.length > 300)) throw failure("input_too_large");
      return { vectors: texts.map(() => Float32Array.of(0.6, 0.8)), tokens: texts.length };
    });
    const long = "word ".repeat(100);
    const texts = ["a", "b", long, "d", "e", "f", "g", "h"];
    const batches = await collect(embedBatches(embedder, texts, document));
    expect(batches.flatMap(({ vectors }) => vectors)).toHaveLength(8);
    expect(batches[0]?.vectors[2]?.[1]).toBeCloseTo(0.8, 5);
    expect(batches[0]?.tokens).toBe(5);
    expect(asked.at(-1)).toEqual(["e", "f", "g", "h"]);
    expect(
      asked
        .flat()
        .filter((text) => text.includes("word") && text.length <= 300)
        .join(""),
    ).toBe(long);
  });

  test("gives up on a short text that is refused as too large", async () => {
    const embedder = fakeEmbedder({}, async () => {
      throw failure("input_too_large");
    });
    await expect(firstBatch(embedder)).rejects.toMatchObject({ code: "input_too_large" });
  });

  test("notices a model that changes its dimensions half-way", async () => {
    const embedder = fakeEmbedder({ maxInputs: 1, maxParallel: 1 }, async (texts) => ({
      vectors: [new Float32Array(texts[0] === "2" ? 3 : 2).fill(1)],
      tokens: null,
    }));
    const all = collect(embedBatches(embedder, numbers(4), document));
    await expect(all).rejects.toThrow(/changed from 2 to 3 dimensions/);
  });

  test("stops everything in flight on the first failure, and when told to", async () => {
    const aborted: string[] = [];
    const embedder = fakeEmbedder({ maxInputs: 1, maxParallel: 3 }, async (texts, { signal }) => {
      if (texts[0] === "0") throw failure("rejected");
      await new Promise((_, reject) =>
        signal?.addEventListener("abort", () => {
          aborted.push(texts[0] ?? "");
          reject(signal.reason);
        }),
      );
      return vectorsOf(texts);
    });
    await expect(collect(embedBatches(embedder, numbers(9), document))).rejects.toMatchObject({
      code: "rejected",
    });
    expect(aborted).toEqual(["1", "2"]);
    const stop = new AbortController();
    const all = collect(embedBatches(embedder, ["1", "2"], { ...document, signal: stop.signal }));
    setTimeout(() => stop.abort(new Error("shutting down")), 10);
    await expect(all).rejects.toThrow("shutting down");
  });

  test("does not sleep through a stop", async () => {
    const embedder = fakeEmbedder({}, async () => {
      throw failure("unavailable", { retryable: true, retryAfterMs: 20_000 });
    });
    const stop = new AbortController();
    const begun = Date.now();
    setTimeout(() => stop.abort(new Error("shutting down")), 20);
    await expect(firstBatch(embedder, { signal: stop.signal, retry: {} })).rejects.toThrow("shutting down");
    expect(Date.now() - begun).toBeLessThan(2_000);
  });
});

type Embed = (texts: readonly string[], options: EmbedOptions) => Promise<EmbedResult>;

function fakeEmbedder(limits: Partial<Embedder["limits"]>, embed: Embed): Embedder {
  return {
    provider: "test",
    model: "m",
    dimensions: null,
    id: "test/m",
    limits: { maxInputs: 100, maxTokensPerRequest: 10_000, maxParallel: 2, ...limits },
    embed,
  };
}

async function firstBatch(embedder: Embedder, options: Partial<EmbedBatchesOptions> = {}): Promise<unknown> {
  return await embedBatches(embedder, ["x"], { ...document, retry: noWait, ...options }).next();
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => String(i));

function vectorsOf(texts: readonly string[], value: (text: string) => number = Number): EmbedResult {
  return { vectors: texts.map((text) => Float32Array.of(value(text), 1)), tokens: texts.length };
}

function failure(
  code: ProviderErrorCode,
  more: { retryable?: boolean; retryAfterMs?: number } = {},
): ProviderError {
  return new ProviderError(`test ${code}`, { provider: "test", code, ...more });
}
