import { encode } from "gpt-tokenizer/encoding/o200k_base";
import { describe, expect, test } from "vitest";
import { countTokens } from "./tokens.ts";

const prose =
  "Our warranty lasts two years. La garanzia dura due anni. Die Garantie gilt zwei Jahre. 保修期为两年。 مدة الضمان سنتان. ";

describe("counting tokens", () => {
  test.each([
    ["nothing", "", 0],
    ["a word", "warranty", encode("warranty").length],
    [
      "what looks like a control token",
      "<|endoftext|>",
      encode("<|endoftext|>", { disallowedSpecial: new Set() }).length,
    ],
    ["half of a character", "\ud83d", 1],
  ])("%s", (_what, text, expected) => {
    expect(countTokens(text)).toBe(expected);
  });

  test("a long text is counted to half a percent", () => {
    const text = prose.repeat(120);
    expect(text.length).toBeGreaterThan(12_000);
    const exact = encode(text).length;
    expect(Math.abs(countTokens(text) - exact) / exact).toBeLessThan(0.005);
  });

  test("a huge one is estimated from all of it, not from its beginning", () => {
    const text = "warranty ".repeat(20_000) + "保修期为两年。".repeat(20_000);
    const exact = encode(text).length;
    expect(Math.abs(countTokens(text) - exact) / exact).toBeLessThan(0.1);
  });

  test("a text without spaces takes no longer than another", () => {
    countTokens(prose);
    const begun = performance.now();
    expect(countTokens("q".repeat(3_000_000))).toBeGreaterThan(100_000);
    expect(performance.now() - begun).toBeLessThan(1_000);
  });
});
