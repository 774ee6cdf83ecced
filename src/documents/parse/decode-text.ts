/** The encodings told apart by looking at the bytes; names as TextDecoder takes them. */
export type Encoding = "utf-8" | "utf-16le" | "utf-16be" | "windows-1252";

/**
 * Guesses the encoding of text from its first bytes. Null means: this is not text. More than one control byte in
 * fifty, or a zero byte outside of UTF-16, does not happen in text.
 */
export function detectEncoding(head: Uint8Array): Encoding | null {
  if (head[0] === 0xff && head[1] === 0xfe) return "utf-16le";
  if (head[0] === 0xfe && head[1] === 0xff) return "utf-16be";
  const sample = head.subarray(0, 64 * 1024);
  const zeros = countZeros(sample);
  if (zeros.even + zeros.odd > 0) return guessUtf16(sample.length, zeros);
  if (countControls(sample) * 50 > sample.length) return null;
  return isUtf8(sample) ? "utf-8" : "windows-1252";
}

/**
 * Turns the bytes of a text file into a string. A byte order mark wins, then the declared encoding (as TextDecoder
 * names it), then the bytes themselves; bytes that are not UTF-8 are read as Windows-1252, the superset of Latin-1.
 * Null when the bytes are not text.
 */
export function decodeText(bytes: Uint8Array, declared: string | null = null): string | null {
  const guessed = detectEncoding(bytes);
  if (guessed === null) return null;
  if (guessed === "utf-16le" || guessed === "utf-16be") return new TextDecoder(guessed).decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return (declared && decodeAs(declared, bytes)) || decodeBroken(bytes);
  }
}

/** Mostly whole characters of several bytes: UTF-8 with a few broken ones, which are replaced. Else Windows-1252. */
function decodeBroken(bytes: Uint8Array): string {
  const text = new TextDecoder("utf-8").decode(bytes);
  let broken = 0;
  let whole = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 0xfffd) broken += 1;
    else if (code > 127) whole += 1;
  }
  return whole > broken * 4 ? text : new TextDecoder("windows-1252").decode(bytes);
}

/** Null when there is no such encoding. */
function decodeAs(label: string, bytes: Uint8Array): string | null {
  try {
    return new TextDecoder(label).decode(bytes);
  } catch {
    return null;
  }
}

function isUtf8(sample: Uint8Array): boolean {
  try {
    // Streaming, because the sample may end in the middle of a character.
    new TextDecoder("utf-8", { fatal: true }).decode(sample, { stream: true });
    return true;
  } catch {
    return false;
  }
}

function countZeros(sample: Uint8Array): { even: number; odd: number } {
  let even = 0;
  let odd = 0;
  for (let index = 0; index < sample.length; index += 1) {
    if (sample[index] !== 0) continue;
    if (index % 2 === 0) even += 1;
    else odd += 1;
  }
  return { even, odd };
}

/** Without a byte order mark, Latin text in UTF-16 has a zero in nearly every second byte, always on one side. */
function guessUtf16(length: number, zeros: { even: number; odd: number }): Encoding | null {
  const half = length / 2;
  if (zeros.odd > half * 0.7 && zeros.even < half * 0.05) return "utf-16le";
  if (zeros.even > half * 0.7 && zeros.odd < half * 0.05) return "utf-16be";
  return null;
}

function countControls(sample: Uint8Array): number {
  let count = 0;
  for (const byte of sample) {
    const isLayout = (byte >= 8 && byte <= 13) || byte === 27;
    if ((byte < 32 && !isLayout) || byte === 127) count += 1;
  }
  return count;
}
