/** What one file may cost. Beyond any of these the work is ended and the caller hears why. */
export interface ParseLimits {
  /** Wall time for a file, and for each page whose text has to be recognised from its picture. */
  timeoutMs: number;
  /** Resident memory of the reading process, WebAssembly included. */
  memoryBytes: number;
  maxPages: number;
  /** In UTF-16 code units of the result. */
  maxTextChars: number;
  /** Wall time for all the pages of one file that are read from their pictures; the rest is left out with a warning. */
  ocrTimeoutMs: number;
  /** What a zip container may unpack to. */
  maxUnpackedBytes: number;
  /** Entries of a zip container. */
  maxEntries: number;
  /** Pixels of one image. */
  maxImagePixels: number;
}

export const DEFAULT_PARSE_LIMITS: ParseLimits = {
  timeoutMs: 30_000,
  memoryBytes: 512 * 1024 * 1024,
  maxPages: 5_000,
  maxTextChars: 50_000_000,
  ocrTimeoutMs: 120_000,
  maxUnpackedBytes: 400 * 1024 * 1024,
  maxEntries: 20_000,
  maxImagePixels: 40_000_000,
};
