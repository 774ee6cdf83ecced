import snowball from "snowball-stemmers";

/** Languages (ISO 639-1) with a stemmer; words of all others are only normalised. */
const ALGORITHMS: Record<string, string> = {
  ar: "arabic",
  ca: "catalan",
  cs: "czech",
  da: "danish",
  de: "german",
  en: "english",
  es: "spanish",
  eu: "basque",
  fi: "finnish",
  fr: "french",
  ga: "irish",
  hu: "hungarian",
  hy: "armenian",
  it: "italian",
  nb: "norwegian",
  nl: "dutch",
  no: "norwegian",
  pt: "portuguese",
  ro: "romanian",
  ru: "russian",
  sl: "slovene",
  sv: "swedish",
  ta: "tamil",
  tr: "turkish",
};

const stemmers = new Map<string, { stem: (word: string) => string }>();

/** The stem of a lower-case word in `language` (ISO 639-1), or the word itself where there is no stemmer. */
export function stem(word: string, language: string | null): string {
  const algorithm = language === null ? undefined : ALGORITHMS[language];
  // A word this long is an identifier or an attack; the rules of a stemmer have nothing to say about it.
  if (algorithm === undefined || word.length > 40) return word;
  let stemmer = stemmers.get(algorithm);
  if (stemmer === undefined) {
    stemmer = snowball.newStemmer(algorithm);
    stemmers.set(algorithm, stemmer);
  }
  return stemmer.stem(word);
}
