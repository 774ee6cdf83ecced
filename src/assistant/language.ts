import { isStopWord } from "../retrieval/stop-words.ts";
import { forEachWord } from "../retrieval/tokenize.ts";

/** The languages that the assistant itself can say something in. */
export const LANGUAGES = ["en", "it", "de", "fr", "es", "pt", "nl"] as const;
export type Language = (typeof LANGUAGES)[number];

const SAMPLE_CHARS = 2_000;

/**
 * The language to answer in, for the few sentences that no model writes. Told by the little words of the question;
 * where those are even, by the language of what was found; English at last.
 */
export function languageOf(question: string, found: readonly (string | null)[] = []): Language {
  const counts = new Map<Language, number>(LANGUAGES.map((language) => [language, 0]));
  forEachWord(question.slice(0, SAMPLE_CHARS), null, ({ text, joined }) => {
    if (joined) return;
    for (const language of LANGUAGES) {
      const weight = (isStopWord(text, language) ? 1 : 0) + (ASKING[language].has(text) ? 2 : 0);
      if (weight > 0) counts.set(language, (counts.get(language) ?? 0) + weight);
    }
  });
  const most = Math.max(...counts.values());
  const best = LANGUAGES.filter((language) => counts.get(language) === most);
  const [only] = best;
  if (most > 0 && best.length === 1 && only !== undefined) return only;
  const near = found.find((language) => best.some((one) => one === language));
  return best.find((one) => one === near) ?? (most > 0 && only !== undefined ? only : "en");
}

/** Short questions have few little words, but most begin with one of these, and hardly two languages share one. */
const ASKING: Readonly<Record<Language, ReadonlySet<string>>> = {
  en: new Set(["what", "when", "where", "how", "why", "who", "which", "does", "is", "are", "can", "the"]),
  it: new Set(["quanto", "quanta", "quando", "dove", "come", "perché", "chi", "quale", "quali", "cosa", "è"]),
  de: new Set([
    "was",
    "wann",
    "wo",
    "wie",
    "warum",
    "wer",
    "welche",
    "welcher",
    "wieviel",
    "ist",
    "gibt",
    "lange",
  ]),
  fr: new Set([
    "combien",
    "quand",
    "où",
    "comment",
    "pourquoi",
    "qui",
    "quel",
    "quelle",
    "est",
    "quoi",
    "puis",
  ]),
  es: new Set([
    "cuánto",
    "cuánta",
    "cuándo",
    "dónde",
    "cómo",
    "quién",
    "cuál",
    "qué",
    "cuáles",
    "está",
    "hay",
  ]),
  pt: new Set(["quanto", "quando", "onde", "como", "porque", "quem", "qual", "quais", "que", "está", "há"]),
  nl: new Set(["wat", "wanneer", "waar", "hoe", "waarom", "wie", "welke", "hoeveel", "is", "kan", "het"]),
};
