import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { createLimit } from "./limit.ts";

test("no more than so many are inside, in the order they came, also when somebody leaves twice", async () => {
  const limit = createLimit(3);
  const entered: number[] = [];
  let inside = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 50 }, async (_, i) => {
      const leave = await limit.enter();
      entered.push(i);
      inside += 1;
      most = Math.max(most, inside);
      if (i % 5 === 0) await sleep(1);
      inside -= 1;
      leave();
      leave();
    }),
  );
  expect(most).toBe(3);
  expect(entered).toEqual(Array.from({ length: 50 }, (_, i) => i));
});
