import { describe, expect, test } from "vitest";
import { chooseLanguage, LANGUAGES, textsOf } from "./language.ts";

describe("the language of the page", () => {
  test.each([
    ["it", undefined, "it"],
    ["it-CH", "de", "it"],
    ["DE_at", undefined, "de"],
    ["tlh", "fr-CA,en;q=0.5", "fr"],
    [null, "pt-BR, es;q=0.8, en;q=0.9", "en"],
    [null, "es;q=0.4, de;q=0.7", "de"],
    [null, "fr;q=0, it;q=0.1", "it"],
    [null, "*", "en"],
    [null, undefined, "en"],
    ["<script>", ";;;,,q=", "en"],
  ])("?lang=%s with Accept-Language: %s is %s", (wanted, accepted, expected) => {
    expect(chooseLanguage(wanted, accepted)).toBe(expected);
  });

  test.each(LANGUAGES)("%s says all that English says, with the same things filled in", (language) => {
    const english = textsOf("en");
    const texts = textsOf(language);
    expect(Object.keys(texts).sort()).toEqual(Object.keys(english).sort());
    for (const [name, text] of Object.entries(texts)) {
      expect(text.trim().length, name).toBeGreaterThan(1);
      expect(namesIn(text), name).toEqual(namesIn(new Map(Object.entries(english)).get(name) ?? ""));
    }
  });

  test("no language is another one's copy", () => {
    const sentences = (language: (typeof LANGUAGES)[number]) =>
      Object.values(textsOf(language)).filter((text) => text.length > 20);
    for (const language of LANGUAGES.filter((each) => each !== "en")) {
      const same = sentences(language).filter((text) => sentences("en").includes(text));
      expect(same, language).toEqual([]);
    }
  });
});

function namesIn(text: string): string[] {
  return (text.match(/\{\w+\}/g) ?? []).sort();
}
