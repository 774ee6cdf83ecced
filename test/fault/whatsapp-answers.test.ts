import { afterAll, expect, test } from "vitest";
import { testDatabase } from "../support.ts";
import { endLeftovers } from "./process.ts";
import { killWhileAnswering } from "./whatsapp-answers.ts";

afterAll(endLeftovers);

test("a server killed while it answers on WhatsApp answers everybody, and nobody twice", async () => {
  const { figures, violations } = await killWhileAnswering.run({
    settings: await testDatabase(),
    rounds: 2,
    progress: () => undefined,
  });
  expect(violations).toEqual([]);
  expect(figures).toMatchObject({ written: 24, turns: 24 });
}, 240_000);
