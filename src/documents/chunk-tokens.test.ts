import { encode } from "gpt-tokenizer/encoding/cl100k_base";
import { expect, test } from "vitest";
import { estimateTokens, reachWithin } from "./chunk-tokens.ts";

test.each([
  ["English", "We open the shop every morning at nine and close it late in the evening, except on Sundays."],
  [
    "Spanish",
    "Abrimos la tienda todos los días a las nueve de la mañana y cerramos tarde, excepto los domingos.",
  ],
  ["German", "Wir öffnen das Geschäft jeden Morgen um neun Uhr und schließen spät am Abend, außer sonntags."],
  ["Polish", "Sklep otwieramy codziennie o dziewiątej rano, a zamykamy późnym wieczorem, oprócz niedziel."],
  ["Russian", "Каждый день мы открываем магазин в девять часов утра и закрываем поздно вечером."],
  ["Greek", "Το κατάστημά μας ανοίγει κάθε μέρα στις εννέα το πρωί και κλείνει αργά το βράδυ."],
  ["Arabic", "يفتح متجرنا كل يوم في الساعة التاسعة صباحا ويغلق في وقت متأخر من المساء."],
  ["Chinese", "我们的商店每天早上九点开门，晚上很晚才关门，星期天休息。"],
  ["Korean", "우리 가게는 매일 아침 아홉 시에 문을 열고 저녁 늦게 닫습니다."],
  [
    "a table",
    "| Article 17 | 430.50 | in stock | 4 | Madrid |\n| Article 18 | 12.00 | sold out | 7 | Lugo |",
  ],
  ["code", "const value = items.filter((item) => item.price > 10).map(toRow);\n  return value.join(', ');"],
])("the estimate for %s is within two fifths of a tokenizer's count", (_, text) => {
  const exact = encode(text).length;
  expect(estimateTokens(text)).toBeGreaterThan(exact * 0.6);
  expect(estimateTokens(text)).toBeLessThan(exact * 1.4);
});

test("a budget always reaches at least one character", () => {
  expect(reachWithin("字字", 0, 2, 0)).toBe(1);
  expect(reachWithin("ab", 0, 2, 1_000)).toBe(2);
});
