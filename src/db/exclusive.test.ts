import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Priority } from "./backend.ts";
import { createExclusive } from "./exclusive.ts";

/** Queues everybody behind one holder and tells in which order they were served. */
async function serve(arrivals: [string, Priority][]): Promise<string[]> {
  const exclusive = createExclusive();
  const served: string[] = [];
  const release = await exclusive.acquire("interactive");
  const all = arrivals.map(async ([name, priority]) => {
    const end = await exclusive.acquire(priority);
    served.push(name);
    end();
  });
  release();
  await Promise.all(all);
  return served;
}

describe("an exclusive thing", () => {
  test("goes to interactive ones first, each kind in order of arrival", async () => {
    expect(
      await serve([
        ["job 1", "background"],
        ["request 1", "interactive"],
        ["job 2", "background"],
        ["request 2", "interactive"],
      ]),
    ).toEqual(["request 1", "request 2", "job 1", "job 2"]);
  });

  test("goes to a background one at the latest after seven others", async () => {
    const requests = Array.from({ length: 20 }, (_, i): [string, Priority] => [
      `request ${i}`,
      "interactive",
    ]);
    const served = await serve([["job 1", "background"], ["job 2", "background"], ...requests]);
    expect(served.indexOf("job 1")).toBe(7);
    expect(served.indexOf("job 2")).toBe(15);
  });

  test("has one holder at a time, also when it is given back twice", async () => {
    const exclusive = createExclusive();
    let holders = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const release = await exclusive.acquire(i % 3 === 0 ? "background" : "interactive");
        holders += 1;
        most = Math.max(most, holders);
        if (i % 5 === 0) await sleep(1);
        holders -= 1;
        release();
        release();
      }),
    );
    expect(most).toBe(1);
  });
});
