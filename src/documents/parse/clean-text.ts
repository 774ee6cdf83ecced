/**
 * Makes text safe to store, index and quote: composed characters, well-formed UTF-16, no control characters, no
 * invisible soft hyphens, plain spaces and line feeds. Offsets are taken after this.
 */
export function cleanText(raw: string): string {
  const text = UNCLEAN.test(raw)
    ? raw.replace(LINE_ENDS, "\n").replace(UNWANTED, "").replace(SPACES, " ")
    : raw;
  return text.toWellFormed().normalize("NFC");
}

/** The same, with every run of white space made one space: for headings, cells and other single lines. */
export function cleanLine(raw: string): string {
  return cleanText(raw).replace(/\s+/g, " ").trim();
}

const UNCLEAN = /[[\p{Cc}\u00a0\u00ad\u2007\u2028\u2029\u202f\ufeff\ufff0-\ufffc\ufffe\uffff]--[\t\n]]/v;
const LINE_ENDS = /\r\n?|[\v\f\u0085\u2028\u2029]/g;
const UNWANTED = /[[\p{Cc}\u00ad\ufeff\ufff0-\ufffc\ufffe\uffff]--[\t\n]]/gv;
const SPACES = /[\u00a0\u2007\u202f]/g;

/** Words as people count them: runs between white space, and each character of scripts written without spaces. */
export function countWords(text: string): number {
  let words = 0;
  let inside = false;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code <= 32 || code === 0x3000) {
      inside = false;
    } else if ((code >= 0x3041 && code <= 0x9fff) || (code >= 0xf900 && code <= 0xfaff)) {
      words += 1;
      inside = false;
    } else if (!inside && (code > 127 || WORD_ASCII[code] === 1)) {
      words += 1;
      inside = true;
    }
  }
  return words;
}

const WORD_ASCII = Uint8Array.from({ length: 128 }, (_, code) =>
  /[0-9a-z]/i.test(String.fromCharCode(code)) ? 1 : 0,
);
