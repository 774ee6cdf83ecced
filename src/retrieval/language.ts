let detector:
  | Promise<{ detect: (text: string) => { language: string; isReliable: () => boolean } }>
  | undefined;

/**
 * The language of a text as ISO 639-1, or null where that cannot be told: too little text, no letters, or a text
 * between languages. The tables are loaded with the first call (in the smallest of their four sizes: the largest takes 400 MB) and shared by all.
 */
export async function detectLanguage(text: string): Promise<string | null> {
  const sample = text.slice(0, LANGUAGE_SAMPLE_CHARS);
  if (!/\p{L}{2}/u.test(sample)) return null;
  detector ??= import("eld/extrasmall").then((module) => module.eld);
  const { language, isReliable } = (await detector).detect(sample);
  return language === "" || !isReliable() ? null : language;
}

/** Beyond this, more text no longer changes the answer; it only takes longer. */
export const LANGUAGE_SAMPLE_CHARS = 2_000;
