import { expect, test } from "vitest";
import { detectLanguage } from "./language.ts";

test.each([
  ["en", "The warranty covers all parts for three years from the date of purchase."],
  ["de", "Die Garantie gilt für alle Teile drei Jahre ab dem Kaufdatum."],
  ["es", "La garantía cubre todas las piezas durante tres años desde la compra."],
  ["fr", "La garantie couvre toutes les pièces pendant trois ans à compter de l'achat."],
  ["ja", "保証期間は購入日から三年間です。すべての部品が対象となります。"],
  ["ru", "Гарантия распространяется на все детали в течение трёх лет."],
])("tells that a sentence is in %s", async (language, text) => {
  expect(await detectLanguage(text)).toBe(language);
});

test.each(["", "1234 5678", "!!! ???", "7"])("does not guess the language of '%s'", async (text) => {
  expect(await detectLanguage(text)).toBeNull();
});
