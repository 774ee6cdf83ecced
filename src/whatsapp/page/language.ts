import { de } from "./texts/de.ts";
import { en, type Texts } from "./texts/en.ts";
import { es } from "./texts/es.ts";
import { fr } from "./texts/fr.ts";
import { it } from "./texts/it.ts";

const TEXTS = { en, it, es, de, fr } as const satisfies Record<string, Texts>;

export type Language = keyof typeof TEXTS;

export const LANGUAGES = ["en", "it", "es", "de", "fr"] as const satisfies readonly Language[];

export function textsOf(language: Language): Texts {
  return TEXTS[language];
}

/**
 * The language that was asked for, else the one that the browser likes best of those we have, else English.
 * @param wanted `it`, `it-CH`, …
 * @param accepted the header `Accept-Language`
 */
export function chooseLanguage(wanted: string | null, accepted: string | undefined): Language {
  return (
    findLanguage(wanted ?? "") ?? byPreference(accepted ?? "").find((known) => known !== undefined) ?? "en"
  );
}

function byPreference(accepted: string): (Language | undefined)[] {
  return accepted
    .split(",")
    .slice(0, 20)
    .map((entry) => {
      const [tag = "", ...parameters] = entry.split(";");
      const quality = parameters.map((text) => /^\s*q=(\d(?:\.\d+)?)\s*$/.exec(text)?.[1]).find(Boolean);
      return { language: findLanguage(tag), quality: Number(quality ?? 1) };
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality)
    .map(({ language }) => language);
}

function findLanguage(tag: string): Language | undefined {
  const primary = tag.trim().toLowerCase().split(/[-_]/)[0];
  return LANGUAGES.find((known) => known === primary);
}
