import { afterAll, expect, test } from "vitest";
import { testDatabase } from "../support.ts";
import { killUnderWrite } from "./kill-under-write.ts";
import { endLeftovers } from "./process.ts";

afterAll(endLeftovers);

test("every acknowledged write survives kill -9 under load, once, and begun work is finished", async () => {
  const { figures, violations } = await killUnderWrite.run({
    settings: await testDatabase(),
    rounds: 5,
    progress: () => undefined,
  });
  expect(violations).toEqual([]);
  expect(figures.acknowledged).toBeGreaterThan(50);
}, 180_000);
