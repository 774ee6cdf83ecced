import fc from "fast-check";
import { expect, test } from "vitest";
import { createArena } from "./arena.ts";
import { createKernel } from "./kernel.ts";

test("blocks never overlap, whatever is taken and given back", () => {
  const steps = fc.array(fc.record({ bytes: fc.integer({ min: 0, max: 200_000 }), keep: fc.boolean() }));
  fc.assert(
    fc.property(steps, (list) => {
      const { memory } = createKernel();
      const arena = createArena(memory);
      const held: { start: number; end: number }[] = [];
      for (const { bytes, keep } of list) {
        const start = arena.allocate(bytes);
        expect(start % 16).toBe(0);
        expect(start).toBeGreaterThan(0);
        expect(start + bytes).toBeLessThanOrEqual(memory.buffer.byteLength);
        for (const other of held) expect(start >= other.end || start + bytes <= other.start).toBe(true);
        if (keep) held.push({ start, end: start + bytes });
        else arena.release(start);
      }
    }),
  );
});

test("memory given back is used again instead of growing", () => {
  const { memory } = createKernel();
  const arena = createArena(memory);
  const fill = () => Array.from({ length: 100 }, (_, i) => arena.allocate(10_000 + i * 16));
  for (const block of fill()) arena.release(block);
  const size = memory.buffer.byteLength;
  for (let round = 0; round < 50; round++) for (const block of fill().reverse()) arena.release(block);
  expect(memory.buffer.byteLength).toBe(size);
  expect(arena.usedBytes()).toBe(0);
});

test("a block given back twice is an error", () => {
  const arena = createArena(createKernel().memory);
  const block = arena.allocate(100);
  arena.release(block);
  expect(() => arena.release(block)).toThrow("no block");
});
