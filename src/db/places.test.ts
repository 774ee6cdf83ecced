import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Priority } from "./backend.ts";
import { createPlaces } from "./places.ts";

/** Queues everybody behind one holder and tells in which order they were served. */
async function serve(arrivals: [string, Priority][]): Promise<string[]> {
  const places = createPlaces(1);
  const served: string[] = [];
  const release = await places.acquire("interactive");
  const all = arrivals.map(async ([name, priority]) => {
    const end = await places.acquire(priority);
    served.push(name);
    end();
  });
  release();
  await Promise.all(all);
  return served;
}

describe("a place", () => {
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
    const places = createPlaces(1);
    let holders = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const release = await places.acquire(i % 3 === 0 ? "background" : "interactive");
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

test("no more than so many are inside, in the order they came, also when somebody leaves twice", async () => {
  const places = createPlaces(3);
  const entered: number[] = [];
  let inside = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 50 }, async (_, i) => {
      const leave = await places.acquire("background");
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
