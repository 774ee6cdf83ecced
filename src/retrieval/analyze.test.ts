import fc from "fast-check";
import { expect, test } from "vitest";
import { analyze } from "./analyze.ts";
import { analyzeQuestion } from "./question.ts";
import type { TermHash } from "./term-hash.ts";

const hashOf = ({ high, low }: TermHash) => `${high} ${low}`;
const hashes = (text: string, language: string | null) => analyze(text, language).map(hashOf);
const shares = (a: string, b: string, language: string | null) => {
  const known = new Set(
    analyze(a, language).flatMap((term) => [hashOf(term), ...(term.plain ? [hashOf(term.plain)] : [])]),
  );
  return hashes(b, language).some((hash) => known.has(hash));
};

test.each([
  ["en", "The warranties were extended", "warranty"],
  ["de", "Größere Häuser", "haus"],
  ["de", "Größere Häuser", "GROSSER"],
  ["es", "las canciones", "canción"],
  ["es", "la canción", "cancion"],
  ["fr", "les données", "donnees"],
  ["ru", "документы", "документ"],
  ["en", "ﬁnancial ＡＢＣ", "financial abc"],
  [null, "naïve café", "cafe"],
])("in %s, '%s' and '%s' share a word", (language, text, question) => {
  expect(shares(text, question, language)).toBe(true);
});

test.each([
  ["Order SKU-123/A now", "sku123a"],
  ["Order SKU-123/A now", "SKU-123/A"],
  ["write to sales@example.com", "sales@example.com"],
  ["version 1.2.3 is out", "1.2.3"],
  ["an e-mail", "email"],
  ["room 0042", "0042"],
  ["C++ and C#", "c++"],
])("in '%s', the code '%s' is found as a whole", (text, code) => {
  const whole = hashes(code, "en").at(-1);
  expect(hashes(text, "en")).toContain(whole);
});

test("a version number is not the number without its dots", () => {
  expect(hashes("123", "en")).not.toContain(hashes("1.2.3", "en").at(-1));
});

test.each([
  ["zh", "我们的退货政策适用于所有产品", "退货政策"],
  ["ja", "営業時間は午前九時から午後五時までです", "営業時間"],
  ["th", "ร้านเปิดทุกวันตั้งแต่เก้าโมงเช้า", "เปิดทุกวัน"],
])("in %s, where words are not spaced, parts of a sentence are found", (language, text, question) => {
  expect(shares(text, question, language)).toBe(true);
  const known = new Set(hashes(text, language));
  const asked = hashes(question, language);
  expect(asked.filter((hash) => known.has(hash)).length / asked.length).toBeGreaterThan(0.5);
});

test("a question is stemmed once for each language of the workspace", () => {
  const [word] = analyzeQuestion("running", ["en", "de"]);
  expect(word?.variants.map(({ languages }) => languages)).toEqual([["en"], ["de"]]);
  const [same] = analyzeQuestion("xyz", ["en", "de"]);
  expect(same?.variants).toHaveLength(1);
});

test("a word asked twice counts once", () => {
  expect(analyzeQuestion("price price PRICE", ["en"])).toHaveLength(1);
});

test("any text gives the same terms every time, in any language", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 200 });
  fc.assert(
    fc.property(text, fc.constantFrom("en", "de", "ja", "ar", "xx", null), (value, language) => {
      expect(hashes(value, language)).toEqual(hashes(value, language));
    }),
  );
});

test("a megabyte without a space is analysed in seconds", () => {
  expect(analyze("漢".repeat(100_000), "zh").length).toBeGreaterThan(0);
  expect(analyze("a-".repeat(500_000), "en").length).toBeGreaterThan(0);
  expect(analyze("x".repeat(1_000_000), "en")).toHaveLength(1);
}, 20_000);
