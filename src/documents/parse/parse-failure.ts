/**
 * Why a file was not read. The code is for programs and is stable; the message is a sentence for the person
 * who sent the file and says what to do about it.
 *
 * - `unsupported_type`: nothing here reads this kind of file.
 * - `type_mismatch`: the content is not what the name says.
 * - `encrypted`: a password or rights management stands in the way.
 * - `damaged`: the content breaks the rules of its own format.
 * - `empty`: no text came out.
 * - `too_many_pages`, `too_much_text`, `too_slow`, `too_much_memory`: a limit was reached.
 * - `needs_transcription`: audio or video; a transcription provider has to read it.
 * - `cancelled`: the caller's signal fired.
 * - `unavailable`: the reading process could not be started; trying again later is sensible.
 */
const PARSE_FAILURE_CODES = [
  "unsupported_type",
  "type_mismatch",
  "encrypted",
  "damaged",
  "empty",
  "too_many_pages",
  "too_much_text",
  "too_slow",
  "too_much_memory",
  "needs_transcription",
  "cancelled",
  "unavailable",
] as const;

export type ParseFailureCode = (typeof PARSE_FAILURE_CODES)[number];

/** The only error that leaves the parser. `detail` is for the log, never for the caller. */
export class ParseFailure extends Error {
  readonly code: ParseFailureCode;
  readonly detail: string | null;

  constructor(code: ParseFailureCode, message: string, detail: string | null = null) {
    super(message);
    this.name = "ParseFailure";
    this.code = code;
    this.detail = detail;
  }
}
