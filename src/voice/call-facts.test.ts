import fc from "fast-check";
import { expect, test } from "vitest";
import { type AskedFacts, askedWords, type CallFacts, factWords } from "./call-facts.ts";

const call: CallFacts = {
  account: "a",
  organization: 1,
  workspace: 2,
  direction: "inbound",
  reason: "goodbye",
  tools: false,
  number: null,
  caller: null,
  startedAt: new Date("2026-05-25T12:00:00Z"),
  seconds: 30,
};
const place = { workspace: 2 };
const time = fc.date({ min: new Date("2024-01-01"), max: new Date("2036-01-01"), noInvalidDate: true });
const seconds = fc.integer({ min: 0, max: 3_000 });

/** Whether the words of a question select a call. */
function selects(asked: AskedFacts, facts: CallFacts): boolean {
  const words = factWords(facts);
  return askedWords(asked).every((some) => some.some((word) => words.includes(word)));
}

test("every call within the ranges is selected", () => {
  fc.assert(
    fc.property(
      fc.tuple(time, time, time),
      fc.tuple(seconds, seconds, seconds),
      fc.constantFrom("both", "min", "max"),
      (times, durations, ends) => {
        const [from = call.startedAt, startedAt = call.startedAt, to = call.startedAt] = times.toSorted(
          (a, b) => a.getTime() - b.getTime(),
        );
        const [min, own = 0, max] = durations.toSorted((a, b) => a - b);
        const limits = {
          ...(ends === "max" ? {} : { minSeconds: min }),
          ...(ends === "min" ? {} : { maxSeconds: max }),
        };
        const asked = { place: { account: "a" }, equal: {}, from, to, ...limits };
        expect(selects(asked, { ...call, startedAt, seconds: own })).toBe(true);
      },
    ),
  );
});

test("few calls beyond the ranges are: none of another hundred seconds, of another day, or of another month", () => {
  const at = (day: string) => new Date(`${day}T12:00:00Z`);
  const inMay = { place, equal: {}, from: at("2026-05-01"), to: at("2026-05-03") };
  expect(selects(inMay, { ...call, startedAt: at("2026-05-02") })).toBe(true);
  expect(selects(inMay, { ...call, startedAt: at("2026-05-04") })).toBe(false);
  const inYear = { place, equal: {}, from: at("2026-01-15"), to: at("2026-12-15") };
  expect(selects(inYear, { ...call, startedAt: at("2026-02-28") })).toBe(true);
  expect(selects(inYear, { ...call, startedAt: at("2027-01-01") })).toBe(false);
  const short = { place, equal: {}, minSeconds: 60, maxSeconds: 299 };
  expect(selects(short, { ...call, seconds: 59 })).toBe(false);
  expect(selects(short, { ...call, seconds: 300 })).toBe(false);
  expect(selects({ place, equal: {}, minSeconds: 590 }, { ...call, seconds: 589 })).toBe(false);
  expect(selects({ place, equal: {}, maxSeconds: 900 }, { ...call, seconds: 1_000 })).toBe(false);
});

test("a range is told in few words, or not at all", () => {
  const decades = { from: new Date("1990-01-01"), to: new Date("2026-01-01") };
  expect(askedWords({ place, equal: {}, ...decades })).toEqual([["@workspace:2"]]);
  const wide = askedWords({
    place,
    equal: {},
    from: new Date("2020-01-01"),
    to: new Date("2026-01-01"),
    minSeconds: 15,
  });
  expect(wide.map((words) => words.length)).toEqual([73, 19]);
});

test("other facts are equal or not", () => {
  expect(selects({ place, equal: { tools: true } }, call)).toBe(false);
  expect(selects({ place, equal: { tools: false, number: null, reason: "goodbye" } }, call)).toBe(true);
  expect(selects({ place, equal: { reason: "transferred" } }, call)).toBe(false);
});
