import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Source } from "../assistant/sources.ts";
import { formatAnswer, TEXT_MAX } from "./format.ts";
import { toWhatsApp } from "./format-markdown.ts";
import { splitText } from "./format-split.ts";

function source(title: string, page: number | null = null): Source {
  return {
    id: title,
    docpath: title,
    title,
    text: null,
    score: 1,
    page,
    heading: null,
    start: 0,
    end: 1,
    url: null,
    chunkSource: null,
    published: null,
  };
}

describe("Markdown in WhatsApp's notation", () => {
  test.each([
    ["**bold** and __bold__", "*bold* and *bold*"],
    ["*italic* and _italic_", "_italic_ and _italic_"],
    ["***both***", "*_both_*"],
    ["~~gone~~", "~gone~"],
    ["`a*b*c` and ``d`e``", "`a*b*c` and `d`e`"],
    ["# Title", "*Title*"],
    ["### **Title** #", "*Title*"],
    ["* one\n+ two\n- three\n  - four", "- one\n- two\n- three\n  - four"],
    ["1. one\n2. two", "1. one\n2. two"],
    ["> quoted **text**\n> > twice", "> quoted *text*\n> twice"],
    ["[Our page](https://a.example/b_c_d)", "Our page (https://a.example/b_c_d)"],
    ["[https://a.example](https://a.example)", "https://a.example"],
    ["![A lamp](https://a.example/l.png)", "A lamp (https://a.example/l.png)"],
    ["<https://a.example/x*y*z>", "https://a.example/x*y*z"],
    ["a\n\n---\n\nb", "a\n\nb"],
    ["5 * 3 * 2 and snake_case_name", "5 * 3 * 2 and snake_case_name"],
    ["2 \\* 3 &amp; 4&nbsp;€", "2 * 3 & 4 €"],
    ["```ts\nconst **a** = 1;\n```", "```\nconst **a** = 1;\n```"],
    ["~~~\nopen", "```\nopen\n```"],
    [
      "| Size | Price |\n|---|---:|\n| S | **9 €** |\n| L | 12 € |",
      "*Size · Price*\n- S · *9 €*\n- L · 12 €",
    ],
    ["> | A | B |\n> |---|---|\n> | 1 | 2 | [1]", "> *A · B*\n> - 1 · 2 · [1]"],
    ["See [1][2].", "See [1][2]."],
  ])("%j becomes %j", (markdown, expected) => {
    expect(toWhatsApp(markdown)).toBe(expected);
  });

  test("that is broken, or meant to be slow, is still converted at once", () => {
    const hostile = ["[".repeat(20_000), "*".repeat(20_000), ">".repeat(20_000), "`".repeat(20_000)];
    for (const text of [...hostile, "** a ".repeat(4_000), "[a](".repeat(5_000), "|-".repeat(10_000)]) {
      const begun = performance.now();
      toWhatsApp(text);
      expect(performance.now() - begun).toBeLessThan(1_500);
    }
  });
});

describe("the sources", () => {
  test("that are cited are listed once for each place, in the language of the answer", () => {
    const sources = [source("Prices", 3), source("Terms"), source("Prices", 3), source("Never cited")];
    expect(formatAnswer("Nine [1][3], see [2] and [9].", sources, "de")).toEqual([
      "Nine [1][3], see [2] and [9].\n\n*Quellen*\n[1][3] Prices, Seite 3\n[2] Terms",
    ]);
  });

  test("that nobody cites are not listed", () => {
    expect(formatAnswer("Hello!", [source("Terms")], "en")).toEqual(["Hello!"]);
  });

  test("have short titles on one line, and are few", () => {
    const many = Array.from({ length: 20 }, (_, i) => source(`${i}\n${"long ".repeat(40)}`));
    const cited = many.map((_, i) => `[${i + 1}]`).join("");
    const lines = (formatAnswer(cited, many, "en")[0] ?? "").split("\n").slice(2);
    expect(lines).toHaveLength(9);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(100);
  });
});

/** Words that are found again: each is there once. */
const word = fc.stringMatching(/^[a-z]{1,12}$/);
const line = fc.array(fc.tuple(word, fc.constantFrom("", "**", "*", "_", "~~", "`")), {
  minLength: 1,
  maxLength: 30,
});
const block = fc.tuple(
  fc.constantFrom("", "# ", "- ", "1. ", "> ", "```"),
  fc.array(line, { minLength: 1, maxLength: 12 }),
);
const document = fc.array(block, { minLength: 1, maxLength: 30 });

function write(blocks: readonly [string, [string, string][][]][]): { markdown: string; words: string[] } {
  const words: string[] = [];
  const inBlock = (lines: readonly [string, string][][], mark: string) =>
    lines.map((parts) => mark + parts.map(([text, wrap]) => wrap + numbered(text) + wrap).join(" "));
  const numbered = (text: string) => {
    words.push(`${text}${words.length}`);
    return words.at(-1) ?? "";
  };
  const markdown = blocks
    .map(([mark, lines]) =>
      mark === "```" ? ["```", ...inBlock(lines, ""), "```"].join("\n") : inBlock(lines, mark).join("\n"),
    )
    .join("\n\n");
  return { markdown, words };
}

describe("whatever the answer", () => {
  test("no message is longer than WhatsApp takes, and every word is there, in its order", () => {
    fc.assert(
      fc.property(document, (blocks) => {
        const { markdown, words } = write(blocks);
        const texts = formatAnswer(markdown, [], "en");
        expect(texts.every((text) => text.length > 0 && text.length <= TEXT_MAX)).toBe(true);
        const found = texts.join(" ").match(/[a-z]+\d+/g) ?? [];
        expect(found).toEqual(words);
        for (const text of texts) expect(text.split("```").length % 2).toBe(1);
      }),
      { numRuns: 150 },
    );
  });

  test("and whatever its characters, it is cut into whole ones, and none is lost but blanks", () => {
    const texts = fc.string({ unit: "binary", minLength: 0, maxLength: 2_000 });
    fc.assert(
      fc.property(texts, fc.integer({ min: 40, max: 300 }), (text, max) => {
        fc.pre(!text.includes("```"));
        const whole = text.toWellFormed();
        const parts = splitText(whole, max);
        expect(parts.every((part) => part.length <= max && part.isWellFormed())).toBe(true);
        expect(parts.join("").replace(/\s/g, "")).toBe(whole.replace(/\s/g, ""));
      }),
      { numRuns: 300 },
    );
  });
});
