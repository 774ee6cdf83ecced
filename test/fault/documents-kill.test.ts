import { expect, test } from "vitest";
import { testDatabase } from "../support.ts";
import { killDuringIngest } from "./documents-kill.ts";

test("a server killed while it takes documents in loses none and doubles none", async () => {
  const settings = await testDatabase();
  const { figures, violations } = await killDuringIngest.run({
    settings,
    rounds: 5,
    progress: () => undefined,
  });
  expect(violations).toEqual([]);
  expect(figures.accepted).toBeGreaterThan(0);
}, 180_000);
