import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { citedNumbers, countSupported, holds, states } from "../eval/measure.ts";
import { ANSWERABLE, CROSS_LANGUAGE } from "../eval/questions.ts";

describe("a place in a text", () => {
  test("is found across line ends and the lines of a table", () => {
    expect(holds("| Weight, empty | 21.6 kg |\n| --- | --- |\n| Cable | 1.2 m |", "21.6 kg Cable")).toBe(
      true,
    );
    expect(holds("Weight,\n empty 21.6 kg", "Weight, empty 21.6")).toBe(true);
    expect(holds("Weight, full 21.6 kg", "Weight, empty 21.6")).toBe(false);
  });
});

describe("a fact", () => {
  test("is stated as words of their own", () => {
    expect(states("It is the drip-tray, E07.", "E07")).toBe(true);
    expect(states("Order LR-3107", "310")).toBe(false);
    expect(states("finerer", "finer")).toBe(false);
  });

  test("is the same number in every spelling", () => {
    for (const spelling of ["1,740.00 €", "1.740,00 €", "€1740", "1,740"])
      expect(states(spelling, "1,740.00")).toBe(true);
    expect(states("1.74", "1,740.00")).toBe(false);
    expect(states("17,40", "1,740.00")).toBe(false);
  });

  test("may be said in one of several ways", () => {
    expect(states("within 3 days", "three days|3 days")).toBe(true);
    expect(states("within 4 days", "three days|3 days")).toBe(false);
  });
});

describe("groundedness", () => {
  const place = { title: "Manual", heading: "Boilers", page: 12 };
  const sources = [
    { text: "The boiler holds 0.4 litres and is made of steel.", ...place },
    { text: "Delivery takes three days.", ...place },
  ];

  test("counts a sentence that its own citation supports", () => {
    expect(
      countSupported("The boiler holds 0.4 litres. [1] Delivery takes three days [2].", sources, []),
    ).toEqual({
      sentences: 2,
      supported: 2,
      unsupported: [],
    });
  });

  test("does not count what another source says, another number, or what nobody cites", () => {
    expect(countSupported("Delivery takes three days [1].", sources, []).supported).toBe(0);
    expect(countSupported("The boiler holds 0.5 litres [1].", sources, []).supported).toBe(0);
    expect(countSupported("The boiler holds 0.4 litres.", sources, []).supported).toBe(0);
    expect(countSupported("The boiler holds 0.4 litres [7].", sources, []).supported).toBe(0);
  });

  test("takes the name of a place for what it is", () => {
    expect(
      countSupported("**Manual › Boilers**, page 12\n> The boiler holds 0.4 litres [1]", sources, []),
    ).toEqual({
      sentences: 2,
      supported: 2,
      unsupported: [],
    });
    expect(
      countSupported("**Manual › Boilers**, page 13\n> It holds 0.4 litres [1]", sources, []).supported,
    ).toBe(1);
  });

  test("leaves out what the platform always says", () => {
    const fixed = "No language model is configured.";
    expect(countSupported(`${fixed} Delivery takes three days [2].`, sources, [fixed]).sentences).toBe(1);
  });

  test("reads each citation once", () => {
    expect(citedNumbers("a [2], b [1][2], c [x] and [1234]")).toEqual([2, 1]);
  });
});

describe("the questions", async () => {
  const read = (name: string) => readFile(new URL(`../examples/${name}`, import.meta.url), "utf8");
  const manual = (await read("source/larice-duo-manual.md")).split(/^# /m);
  const texts: Record<string, string> = {
    "condizioni-reso-garanzia.docx": await read("source/condizioni-reso-garanzia.md"),
    "listino-prezzi-2026.xlsx": (await read("source/prezzi.json")).replaceAll(/[",[\]]+ ?/g, " "),
    "delivery-and-service.html": (await read("delivery-and-service.html")).replaceAll(/<[^>]+>/g, " "),
    "domande-frequenti.md": await read("domande-frequenti.md"),
  };

  test.each([...ANSWERABLE, ...CROSS_LANGUAGE])(
    "$ask – has its answer where it says",
    ({ file, page, place }) => {
      // Cover and contents stand before the first chapter, and each chapter has a page of its own.
      const text = page === undefined ? texts[file] : manual[page - 2];
      expect(holds(text ?? "", place.replaceAll(",", file.endsWith(".xlsx") ? " " : ","))).toBe(true);
    },
  );
});
