import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createCitationFilter, withoutCitations } from "./citations.ts";

function pass(pieces: readonly string[], offered: number, renumber = false) {
  const filter = createCitationFilter(() => offered, renumber);
  const text = pieces.map((piece) => filter.push(piece)).join("") + filter.end();
  return { text, cited: filter.cited() };
}

describe("citations", () => {
  test.each([
    ["a [1] b", "a [1] b"],
    ["a [3].", "a."],
    ["a [1, 9] b", "a [1] b"],
    ["a [1,2]", "a [1][2]"],
    ["a [1-3]", "a [1][2]"],
    ["a [0] [-1] [x] [ 2 ]", "a [-1] [x] [2]"],
    ["`rows[7]` and [7]", "`rows[7]` and"],
    ["```\na[9]\n```\n[9]x", "```\na[9]\n```\nx"],
    ["[unfinished 1", "[unfinished 1"],
    ["[1", "[1"],
    ["[99999]", "[99999]"],
  ])("%j becomes %j with two sources", (text, expected) => {
    expect(pass([text], 2).text).toBe(expected);
  });

  test("are the same however the answer is cut into pieces, and never name a source that is not there", () => {
    const part = fc.constantFrom(
      "[",
      "]",
      "1",
      "2",
      "7",
      ", ",
      "-",
      " ",
      "word",
      "`",
      "\n",
      "[3]",
      "[1][9]",
      "é",
    );
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 40 }),
        fc.nat({ max: 4 }),
        fc.boolean(),
        (parts, offered, renumber) => {
          const whole = pass([parts.join("")], offered, renumber);
          const cut = pass(parts, offered, renumber);
          expect(cut).toEqual(whole);
          const prose = whole.text
            .split("`")
            .filter((_, index) => index % 2 === 0)
            .join(" ");
          for (const [, number] of prose.matchAll(/\[(\d{1,4})\]/g)) {
            // Taking one out may bring the halves of another together.
            if (!parts.join("").includes(`[${number}]`)) continue;
            expect(Number(number)).toBeLessThanOrEqual(Math.max(offered, 0));
          }
          expect(whole.cited.every((number) => number >= 1 && number <= offered)).toBe(true);
        },
      ),
    );
  });

  test("are numbered anew in the order in which they come", () => {
    expect(pass(["a [7] b [2", "] c [7]"], 9, true)).toEqual({ text: "a [1] b [2] c [1]", cited: [7, 2] });
  });

  test("do not hold up text that cannot become one", () => {
    const filter = createCitationFilter(() => 1, false);
    expect(filter.push("Hello")).toBe("Hello");
    expect(filter.push(" you [")).toBe(" you");
    expect(filter.push("see below] and")).toBe(" [see below] and");
  });

  test("are left out of what is told of earlier answers", () => {
    expect(withoutCitations("Two days [1], or three [2][3].")).toBe("Two days, or three.");
  });
});
