import { afterAll, expect, test } from "vitest";
import { testDatabase } from "../support.ts";
import { endLeftovers } from "./process.ts";
import { killWhileReceiving } from "./whatsapp-inbox.ts";

afterAll(endLeftovers);

test("a server killed while Meta calls its webhook loses nothing that it acknowledged", async () => {
  const { figures, violations } = await killWhileReceiving.run({
    settings: await testDatabase(),
    rounds: 3,
    progress: () => undefined,
  });
  expect(violations).toEqual([]);
  expect(figures.acknowledged).toBeGreaterThan(30);
}, 180_000);
