import { afterAll, expect, test } from "vitest";
import { testDatabase } from "../support.ts";
import { endLeftovers } from "./process.ts";
import { killAt, POINTS } from "./whatsapp-onboard-kill.ts";

afterAll(endLeftovers);

test("a server killed in the middle of a WhatsApp signup leaves one that the page finishes, and nothing is done twice", async () => {
  const sample = POINTS.filter(({ title }) =>
    ['after "exchange"', 'after "subscribe"', 'after "register"'].includes(title),
  );
  const { figures, violations } = await killAt(await testDatabase(), sample, () => undefined);
  expect(violations).toEqual([]);
  // Only a code whose token was never written is asked for again.
  expect(figures).toEqual({ kills: 3, connected: 3, "new codes": 1 });
}, 180_000);
