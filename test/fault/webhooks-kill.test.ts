import { afterAll, expect, test } from "vitest";
import { endLeftovers } from "./process.ts";
import { killDuringDelivery } from "./webhooks-kill.ts";

afterAll(endLeftovers);

const onPostgres = (process.env.TEST_DATABASE_URL ?? "") !== "";

test("processes killed while they send webhooks lose no event and mark none twice", async () => {
  const { recorded, received, faults } = await killDuringDelivery(onPostgres ? 3 : 1, 3);
  expect(faults).toEqual([]);
  // Each kill came while some were under way.
  expect(received).toBeGreaterThan(recorded);
}, 180_000);
