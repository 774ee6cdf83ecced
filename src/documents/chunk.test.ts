import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Chunk, chunkDocument, contextualText } from "./chunk.ts";
import { estimateTokens } from "./chunk-tokens.ts";
import { closeSections } from "./parse/document-builder.ts";
import { scanMarkup } from "./parse/markup-blocks.ts";
import type { ParsedDocument } from "./parse/parsed-document.ts";

type Source = Pick<ParsedDocument, "text" | "pages" | "sections" | "blocks">;

function plain(text: string): Source {
  return { text, pages: [], sections: [], blocks: [] };
}

function markdown(text: string): Source {
  const { blocks, headings } = scanMarkup(text, "markdown");
  return { text, pages: [], blocks, sections: closeSections(headings, text.length) };
}

/** What holds for every document there is. */
function expectSound(document: Source, chunks: readonly Chunk[], maxTokens = 500): void {
  let at = 0;
  chunks.forEach((chunk, index) => {
    expect(chunk.ordinal).toBe(index);
    expect(chunk.start).toBeGreaterThanOrEqual(at);
    expect(chunk.end).toBeGreaterThan(chunk.start);
    expect(document.text.slice(at, chunk.start).trim()).toBe("");
    expect(document.text.slice(chunk.start, chunk.end)).toBe(chunk.text);
    expect(estimateTokens(chunk.text) + estimateTokens(chunk.tableHeader ?? "")).toBeLessThanOrEqual(
      maxTokens + 1,
    );
    expect(chunk.text).toBe(chunk.text.trim());
    at = chunk.end;
  });
  expect(document.text.slice(at).trim()).toBe("");
}

const anyText = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 2_000 }),
  fc.string({ unit: "binary", maxLength: 2_000 }),
  // Single code units: halves of pairs, control characters, everything.
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 2_000 })
    .map((codes) => String.fromCharCode(...codes)),
);
const markupPiece = fc.constantFrom(
  "# Title",
  "## Part",
  "- item",
  "1. item",
  "| a | b |",
  "|---|---|",
  "```",
  "\n",
  "",
  "Words in a line. ",
);
const anyMarkdown = fc
  .array(fc.oneof(markupPiece, fc.string({ maxLength: 80 })), { maxLength: 120 })
  .map((lines) => lines.join("\n"));

describe("whatever the document", () => {
  test("no text is lost, none is doubled and no chunk passes the limit, for any Unicode", () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 40 }), (text, times) => {
        const document = plain(text.repeat(times));
        expectSound(document, chunkDocument(document));
      }),
      { numRuns: 300 },
    );
  });

  test("the same holds for any Markdown and any limits", () => {
    fc.assert(
      fc.property(
        anyMarkdown,
        fc.integer({ min: 16, max: 600 }),
        fc.integer({ min: 1, max: 600 }),
        (text, max, target) => {
          const document = markdown(text);
          expectSound(document, chunkDocument(document, { maxTokens: max, targetTokens: target }), max);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("the same holds for structure marks that make no sense", () => {
    const block = fc.record({
      kind: fc.constantFrom("heading" as const, "list" as const, "table" as const, "code" as const),
      start: fc.integer({ min: 0, max: 500 }),
      end: fc.integer({ min: 0, max: 900 }),
      headerEnd: fc.integer({ min: 0, max: 900 }),
    });
    fc.assert(
      fc.property(fc.string({ maxLength: 800 }), fc.array(block, { maxLength: 10 }), (text, blocks) => {
        const document = { text, pages: [], sections: [], blocks };
        expectSound(document, chunkDocument(document, { maxTokens: 30, targetTokens: 20 }), 30);
      }),
    );
  });

  test("no pair of surrogates is cut in two", () => {
    const document = plain("😀".repeat(5_000));
    for (const chunk of chunkDocument(document)) expect(chunk.text.isWellFormed()).toBe(true);
  });

  test("characters made of several code points stay whole", () => {
    const family = "👩‍👩‍👧‍👦";
    const chunks = chunkDocument(plain(family.repeat(2_000)));
    expect(chunks.length).toBeGreaterThan(10);
    for (const chunk of chunks) expect(chunk.text.length % family.length).toBe(0);
  });

  test("a character that is longer than a chunk is cut all the same", () => {
    const document = plain(`e${"\u0301".repeat(20_000)}`);
    expectSound(document, chunkDocument(document));
  });

  test("a line of a million characters is cut in little time", () => {
    const started = performance.now();
    for (const text of [
      "x".repeat(1_000_000),
      "word ".repeat(200_000),
      "字".repeat(1_000_000),
      " ".repeat(1_000_000),
    ]) {
      const document = plain(text);
      expectSound(document, chunkDocument(document));
    }
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  test("an empty document has no chunks", () => {
    expect(chunkDocument(plain(""))).toEqual([]);
    expect(chunkDocument(plain(" \n\t "))).toEqual([]);
  });
});

describe("structure", () => {
  const sentence = "The carrier bag of fiction holds what was gathered by the river and on the hills. ";

  test("prose is cut after sentences into chunks of 300 to 500 tokens", () => {
    const chunks = chunkDocument(plain(sentence.repeat(300)));
    for (const chunk of chunks) expect(chunk.text.endsWith(".")).toBe(true);
    for (const chunk of chunks.slice(0, -1)) {
      expect(chunk.tokens).toBeGreaterThanOrEqual(300);
      expect(chunk.tokens).toBeLessThanOrEqual(500);
    }
  });

  test("a heading begins a chunk and stays with what it heads", () => {
    const text = [
      "# Guide",
      sentence.repeat(16),
      "## Install",
      sentence.repeat(16),
      "## Use",
      sentence.repeat(16),
    ].join("\n\n");
    const chunks = chunkDocument(markdown(text));
    expect(chunks.map((chunk) => chunk.text.split("\n")[0])).toEqual(["# Guide", "## Install", "## Use"]);
    expect(chunks.map((chunk) => chunk.headingPath)).toEqual([
      ["Guide"],
      ["Guide", "Install"],
      ["Guide", "Use"],
    ]);
  });

  test("small sections share a chunk, whose path is what they have in common", () => {
    const text = ["# Guide", "## One", "Short.", "## Two", "Short too."].join("\n\n");
    const chunks = chunkDocument(markdown(text));
    expect(chunks).toHaveLength(1);
    expect(chunks[0]?.headingPath).toEqual(["Guide"]);
  });

  test("a table is cut between rows, and every later piece knows its header", () => {
    const rows = Array.from({ length: 200 }, (_, index) => `| Item ${index} | ${index * 3} EUR | in stock |`);
    const text = ["# Prices", "", "| Name | Price | State |", "| --- | --- | --- |", ...rows].join("\n");
    const chunks = chunkDocument(markdown(text));
    expect(chunks.length).toBeGreaterThan(3);
    expect(chunks[0]?.tableHeader).toBeNull();
    for (const chunk of chunks.slice(1)) {
      expect(chunk.tableHeader).toBe("| Name | Price | State |\n| --- | --- | --- |");
      expect(chunk.text).toMatch(/^\| Item .*\|$/s);
    }
  });

  test("code is cut between lines and lists between items", () => {
    const code = Array.from({ length: 300 }, (_, index) => `  const value${index} = compute(${index});`);
    const items = Array.from(
      { length: 100 },
      (_, index) => `- Item ${index} says something that goes on\n  in a second line.`,
    );
    const chunks = chunkDocument(markdown(["```", ...code, "```", "", ...items].join("\n")));
    for (const chunk of chunks) expect(chunk.text).toMatch(/(?:;|\.|```)$/);
    for (const chunk of chunks.slice(1)) expect(chunk.text).toMatch(/^(?:const value|```|- Item)/);
  });

  test("pages are those the chunk begins and ends on", () => {
    const text = sentence.repeat(100);
    const half = Math.floor(text.length / 2);
    const pages = [
      { number: 1, start: 0, end: half },
      { number: 2, start: half, end: text.length },
    ];
    const chunks = chunkDocument({ text, pages, sections: [], blocks: [] });
    expect(chunks[0]).toMatchObject({ pageStart: 1, pageEnd: 1 });
    expect(chunks.at(-1)).toMatchObject({ pageStart: 2, pageEnd: 2 });
    expect(chunks.filter((chunk) => chunk.pageStart === 1 && chunk.pageEnd === 2).length).toBeLessThanOrEqual(
      1,
    );
  });

  test("a section that begins on a new page does not share a chunk with the page before", () => {
    const parts = ["# Cups\n\nWarm them first.", "# Milk\n\nKeep it cold.", "## Foam\n\nStop at 60 degrees."];
    const document = markdown(parts.join("\n\n"));
    const second = document.text.indexOf("# Milk");
    const pages = [
      { number: 1, start: 0, end: second },
      { number: 2, start: second, end: document.text.length },
    ];
    const chunks = chunkDocument({ ...document, pages });
    expect(chunks.map(({ text, pageStart }) => [pageStart, text])).toEqual([
      [1, parts[0]],
      [2, parts.slice(1).join("\n\n")],
    ]);
  });

  test("the text to embed begins with title, headings and table header", () => {
    const chunk = { text: "| a | 1 |", headingPath: ["Prices"], tableHeader: "| Name | Price |" };
    expect(contextualText(chunk, "List")).toBe("List > Prices\n\n| Name | Price |\n\n| a | 1 |");
  });
});
