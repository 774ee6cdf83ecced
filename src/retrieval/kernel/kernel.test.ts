import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { quantize, quantizeQuery, strideOf } from "../quantize.ts";
import { compileKernel } from "./build.ts";
import { createKernel, ENTRY_BYTES, HIT_BYTES } from "./kernel.ts";

test("the committed binary is exactly what the source compiles to", async () => {
  const committed = await readFile(new URL("./scan.wasm", import.meta.url));
  expect(Buffer.from(await compileKernel()).equals(committed)).toBe(true);
});

test("scan finds the cosine of vectors of any dimension", () => {
  const values = fc.double({ min: -1, max: 1, noNaN: true });
  const pair = fc
    .integer({ min: 1, max: 100 })
    .chain((size) => fc.tuple(arrayOf(values, size), arrayOf(values, size)));
  fc.assert(
    fc.property(pair, ([a, b]) => {
      expect(scanOne(a, b)).toBeCloseTo(cosine(a, b), 1);
    }),
  );
});

test("scan does not overflow on the largest values in 4,096 dimensions", () => {
  const ones = new Float32Array(4_096).fill(1);
  expect(scanOne(ones, ones)).toBeCloseTo(1, 3);
});

test("rank returns the best k at or above the threshold, best first, ties in order", () => {
  const scores = fc.array(
    fc.integer({ min: 0, max: 20 }).map((n) => n / 20),
    { minLength: 1, maxLength: 60 },
  );
  fc.assert(
    fc.property(
      scores,
      fc.integer({ min: 1, max: 10 }),
      fc.constantFrom(0, 0.25, 0.5),
      (lexical, k, threshold) => {
        const expected = lexical
          .map((score, chunk) => ({ chunk, score: Math.fround(score) }))
          .filter(({ score }) => score > 0 && score >= threshold)
          .toSorted((a, b) => b.score - a.score || a.chunk - b.chunk)
          .slice(0, k);
        expect(rankAll(lexical, k, threshold)).toEqual(expected);
      },
    ),
  );
});

function rankAll(lexical: number[], k: number, threshold: number): { chunk: number; score: number }[] {
  const { memory, rank } = createKernel();
  new Float32Array(memory.buffer, 1_024, lexical.length).set(lexical);
  const count = rank(0, lexical.length, 1_024, 4_096, 0, 0, threshold, k, 0, 8_192);
  const view = new DataView(memory.buffer, 8_192);
  return Array.from({ length: count }, (_, i) => ({
    chunk: view.getUint32(i * HIT_BYTES, true),
    score: view.getFloat32(i * HIT_BYTES + 4, true),
  }));
}

function scanOne(vector: Float32Array, query: Float32Array): number {
  const { memory, scan } = createKernel();
  const stride = strideOf(vector.length);
  const [entry, vectorAt, scaleAt, queryAt, out] = [64, 1_024, 8_192, 16_384, 32_768];
  const scale = quantize(vector, new Int8Array(memory.buffer, vectorAt, stride));
  new Float32Array(memory.buffer, scaleAt, 1)[0] = scale;
  const asked = quantizeQuery(query);
  new Int16Array(memory.buffer, queryAt, asked.values.length).set(asked.values);
  const words = new Uint32Array(memory.buffer, entry, ENTRY_BYTES / 4);
  words.set([0, 1, 1, 1, 1, 31, 2, stride, 0, 0, 0, 0, 0, 0, vectorAt, scaleAt]);
  scan(entry, 1, 1, queryAt, asked.scale, out);
  return new Float32Array(memory.buffer, out, 1)[0] ?? 0;
}

function arrayOf(values: fc.Arbitrary<number>, size: number): fc.Arbitrary<Float32Array> {
  return fc.array(values, { minLength: size, maxLength: size }).map((list) => Float32Array.from(list));
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, i) => sum + value * (y[i] ?? 0), 0);
  const lengths = Math.sqrt(dot(a, a) * dot(b, b));
  return lengths === 0 ? 0 : dot(a, b) / lengths;
}
