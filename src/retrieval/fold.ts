/**
 * Removes what people leave out when they type in a hurry: diacritics, ligatures, stroked letters, Arabic vowel signs.
 * (The marks of Indic scripts and Thai are letters, and stay.)
 * Done after stemming, because stemmers need the accents (`canción` and `cancion` still meet).
 */
export function fold(word: string): string {
  if (ASCII.test(word)) return word;
  return word
    .normalize("NFD")
    .replace(/[\u0300-\u036f\u064b-\u065f]+/g, "")
    .replace(/[ßæœøłđðþı]/g, (letter) => PLAIN[letter] ?? letter)
    .normalize("NFC");
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is all of ASCII.
const ASCII = /^[\x00-\x7f]*$/;
const PLAIN: Record<string, string> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  ł: "l",
  đ: "d",
  ð: "d",
  þ: "th",
  ı: "i",
};
