import { afterAll, expect, test } from "vitest";
import { testDatabase } from "../support.ts";
import { killWhileOrdering } from "./numbers-kill.ts";
import { endLeftovers } from "./process.ts";

afterAll(endLeftovers);

test("a server killed before and after a carrier's sale buys every number once", async () => {
  const settings = await testDatabase();
  const { figures, violations } = await killWhileOrdering.run({
    settings,
    rounds: 2,
    progress: () => undefined,
  });
  expect(violations).toEqual([]);
  expect(figures).toEqual({ kills: 2, wanted: 12, sold: 12 });
}, 300_000);
