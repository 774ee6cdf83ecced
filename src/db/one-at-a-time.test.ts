import { expect, test } from "vitest";
import { oneAtATime } from "./one-at-a-time.ts";

test("work that is asked for while it runs is run once more, never twice at once", async () => {
  let atOnce = 0;
  let most = 0;
  let runs = 0;
  const turns = oneAtATime(async () => {
    runs += 1;
    atOnce += 1;
    most = Math.max(most, atOnce);
    // Asked for from inside, before anything was waited for.
    if (runs === 1) turns.ask();
    await new Promise((resolve) => setTimeout(resolve, 5));
    atOnce -= 1;
  }, new AbortController().signal);
  for (let i = 0; i < 5; i += 1) turns.ask();
  await turns.settled();
  expect({ runs, most }).toEqual({ runs: 2, most: 1 });
});

test("work that is asked for in the moment a run ends is not lost", async () => {
  let runs = 0;
  const turns = oneAtATime(async () => {
    runs += 1;
  }, new AbortController().signal);
  turns.ask();
  // One microtask after another, past the run's end: each of them may be the moment.
  for (let i = 0; i < 10; i += 1) {
    const before = runs;
    for (let step = 0; step < i; step += 1) await Promise.resolve();
    turns.ask();
    await turns.settled();
    expect(runs).toBeGreaterThan(before);
  }
});

test("nothing is begun after the signal", async () => {
  const stopping = new AbortController();
  let runs = 0;
  const turns = oneAtATime(async () => {
    runs += 1;
    stopping.abort();
  }, stopping.signal);
  turns.ask();
  turns.ask();
  await turns.settled();
  turns.ask();
  await turns.settled();
  expect(runs).toBe(1);
});
