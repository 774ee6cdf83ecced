import { afterAll, expect, test } from "vitest";
import { testDatabase } from "../support.ts";
import { endLeftovers } from "./process.ts";
import { killDuringCalls } from "./voice-kill.ts";

afterAll(endLeftovers);

test("a server killed while people are on the phone loses no call, and ends each of them once", async () => {
  const { figures, violations } = await killDuringCalls.run({
    settings: await testDatabase(),
    rounds: 2,
    progress: () => undefined,
  });
  expect(violations).toEqual([]);
  expect(figures).toMatchObject({ kills: 2, calls: 20 });
}, 300_000);
