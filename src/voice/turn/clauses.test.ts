import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { takeClauses } from "./clauses.ts";

/** A text as a model writes it: words, stops, numbers, links and lines, and now and then anything. */
const proseArb = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "Der Preis ",
        "z. B. ",
        "am 3. Mai ",
        "ist 9,50 € ",
        "Dr. Rossi ",
        "ecc. ",
        "Ja. ",
        "no! ",
        "[1] ",
        "[here](https://a.test/x?y=1, 2) ",
        "\n",
        "\n\n- ",
        "**fett**, ",
        "[",
        "](",
        "你好。",
        "👩‍👧 ",
      ),
      fc.string({ unit: "binary", maxLength: 12 }),
      fc.lorem({ maxCount: 12 }).map((text) => `${text} `),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(""));

function chunk(pieces: readonly string[]): string[] {
  const all: string[] = [];
  let pending = "";
  for (const piece of pieces) {
    const { clauses, rest } = takeClauses(pending + piece, all.length === 0);
    all.push(...clauses);
    pending = rest;
  }
  return [...all, pending];
}

function piecesOf(text: string, sizes: readonly number[]): string[] {
  const pieces: string[] = [];
  let at = 0;
  for (let index = 0; at < text.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 1;
    pieces.push(text.slice(at, at + size));
    at += size;
  }
  return pieces;
}

describe("an answer that comes in pieces", () => {
  test("loses nothing", () => {
    fc.assert(
      fc.property(proseArb, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (text, sizes) => {
        expect(chunk(piecesOf(text, sizes)).join("")).toBe(text);
      }),
    );
  });

  test("is cut in the same places however it was torn", () => {
    fc.assert(
      fc.property(proseArb, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (text, sizes) => {
        expect(chunk(piecesOf(text, sizes))).toEqual(chunk([text]));
      }),
    );
  });

  test("is never held back for longer than a long clause", () => {
    fc.assert(
      fc.property(proseArb, (text) => {
        for (const clause of chunk([text])) expect(clause.length).toBeLessThanOrEqual(502);
      }),
    );
  });
});

describe("a clause", () => {
  const cases: [string, string[]][] = [
    ["Yes, of course. ", ["Yes, of course. ", ""]],
    [
      "Ruhetag ist am 3. Mai, also z. B. für Dr. Huber. Danach nicht. ",
      ["Ruhetag ist am 3. Mai,", " also z. B. für Dr. Huber. ", "Danach nicht. "],
    ],
    ["Il dott. Rossi riceve alle 9.30, ecc. Prego", ["Il dott. Rossi riceve alle 9.30, ", "ecc. Prego"]],
    ["Costa 1.250,50 euro al mese. Va bene", ["Costa 1.250,50 euro al mese. ", "Va bene"]],
    [
      "See [our page](https://a.test/b, c. d) now. Bye",
      ["See [our page](https://a.test/b, c. d) now. ", "Bye"],
    ],
    ["Certainly, we do", ["Certainly,", " we do"]],
    ["Two lines\nof text", ["Two lines\n", "of text"]],
    ["现在营业到晚上八点。明天见", ["现在营业到晚上八点。", "明天见"]],
    ['He said "stop." Then he left', ['He said "stop." ', "Then he left"]],
  ];
  test.each(cases)("of %j ends where a voice pauses", (text, clauses) => {
    expect(chunk([text]).filter(Boolean)).toEqual(clauses.filter(Boolean));
  });
});
