import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Problem } from "../http/problem.ts";
import { countTokens } from "../models/tokens.ts";
import { cutToTokens } from "./budget.ts";
import { buildPrompt, type PromptParts } from "./prompt.ts";
import { fillPrompt } from "./rules.ts";
import type { Evidence } from "./sources.ts";

const text = fc.oneof(
  fc.lorem({ maxCount: 120 }),
  fc.string({ unit: "grapheme", maxLength: 400 }),
  fc.base64String({ maxLength: 2_000 }),
  fc.constant("漢字の文章です。".repeat(60)),
);
const evidence = fc.record({ text, title: fc.string({ maxLength: 60 }) }).map(
  ({ text: passage, title }, index = 0): Evidence => ({
    id: `d:${index}`,
    text: passage,
    score: 0.5,
    metadata: {
      docpath: "a/b/c",
      document_id: "d",
      title,
      page: 3,
      headings: ["One", "Two"],
      start: 0,
      end: passage.length,
      tokens: 1,
      language: null,
      url: null,
      docAuthor: null,
      description: null,
      docSource: null,
      chunkSource: null,
      published: null,
    },
  }),
);
const parts = fc
  .record({
    contextTokens: fc.integer({ min: 1_024, max: 16_000 }),
    maxOutputTokens: fc.integer({ min: 16, max: 8_000 }),
    question: text,
    evidence: fc.array(evidence, { maxLength: 12 }),
    turns: fc.array(
      fc.tuple(text, text).map(([asked, said]) => [
        { role: "user" as const, text: asked },
        { role: "assistant" as const, text: said },
      ]),
      { maxLength: 12 },
    ),
    prompt: fc.option(text),
  })
  .map(
    (made): PromptParts => ({
      ...made,
      now: new Date(0),
      instructions: "",
      images: [],
      after: [],
      tools: [],
      mark: "a1b2c3d4e5f60718",
    }),
  );

describe("a prompt", () => {
  test("fits the model's window with its answer, whatever is in it", () => {
    let built = 0;
    fc.assert(
      fc.property(parts, (given) => {
        try {
          const prompt = buildPrompt(given);
          const tokens = prompt.messages.reduce((sum, message) => sum + countTokens(message.text) + 4, 0);
          expect(tokens + prompt.maxOutputTokens + prompt.spareTokens).toBeLessThanOrEqual(
            given.contextTokens,
          );
          expect(prompt.maxOutputTokens).toBeGreaterThan(0);
          expect(prompt.maxOutputTokens).toBeLessThanOrEqual(given.maxOutputTokens);
          expect(prompt.spareTokens).toBeGreaterThanOrEqual(0);
          expect(prompt.messages.at(-1)?.text).toContain(given.question);
          expect(prompt.evidence).toEqual(given.evidence.slice(0, prompt.evidence.length));
          built += 1;
        } catch (error) {
          // Instructions and question alone are too much; nothing else may fail.
          expect(error).toBeInstanceOf(Problem);
        }
      }),
      { numRuns: 150 },
    );
    expect(built).toBeGreaterThan(50);
  });

  test("keeps the newest of the history, and all of it where there is room", () => {
    const turn = (n: number) => [
      { role: "user" as const, text: `Question ${n} ${"word ".repeat(100)}` },
      { role: "assistant" as const, text: `Answer ${n}` },
    ];
    const given = {
      prompt: null,
      now: new Date(0),
      instructions: "",
      question: "Now?",
      images: [],
      evidence: [],
      turns: Array.from({ length: 40 }, (_, n) => turn(n)),
      after: [],
      tools: [],
      mark: "a1b2c3d4e5f60718",
      maxOutputTokens: 500,
    };
    const small = buildPrompt({ ...given, contextTokens: 3_000 }).messages;
    expect(small.length).toBeLessThan(40);
    expect(small.at(-2)?.text).toBe("Answer 39");
    expect(buildPrompt({ ...given, contextTokens: 100_000 }).messages).toHaveLength(82);
  });

  test("has its own words for the date, in UTC", () => {
    const now = new Date("2026-05-25T12:34:56.789Z");
    expect(fillPrompt("{date} {time} {datetime} {other}", now)).toBe(
      "2026-05-25 12:34 2026-05-25 12:34 {other}",
    );
  });
});

describe("a text that is cut to a number of tokens", () => {
  test("has no more of them, and is left as it is where it fits", () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 0, max: 200 }), (given, tokens) => {
        const cut = cutToTokens(given, tokens, countTokens);
        expect(countTokens(cut)).toBeLessThanOrEqual(tokens);
        if (countTokens(given) <= tokens) expect(cut).toBe(given);
      }),
    );
  });
});
