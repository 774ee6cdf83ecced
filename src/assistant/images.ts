/** An address longer than this is no picture's. */
const HELD_CHARS_MAX = 4_000;
const IMAGE = /!\[([^\]]*)\]\(\s*<?([^)\s>]*)[^)]*\)/g;
/** What may yet become a picture. */
const UNFINISHED = /!(?:\[[^\]]*(?:\](?:\([^)]*)?)?)?$/;

/** The pictures in an answer while it is being written. */
export interface ImageFilter {
  push(text: string): string;
  end(): string;
}

/**
 * Takes out pictures whose address stands in no source and was not written by the person; their description stays.
 * Whoever shows the answer would fetch it at once, and an injected text could have the model write into the address
 * what nobody else should read.
 *
 * @param isKnown whether an address was there before the model wrote it
 */
export function createImageFilter(isKnown: (address: string) => boolean): ImageFilter {
  let held = "";
  const check = (text: string) =>
    text.includes("![")
      ? text.replace(IMAGE, (whole, description: string, address: string) =>
          isKnown(address) ? whole : description,
        )
      : text;
  return {
    push(text) {
      const whole = held + text;
      const tail = whole.includes("!") ? (UNFINISHED.exec(whole)?.[0] ?? "") : "";
      // Too long for an address: what is held is broken up, so that it is no picture either.
      const isTooLong = tail.length > HELD_CHARS_MAX;
      held = isTooLong ? "" : tail;
      const out = check(whole.slice(0, whole.length - held.length));
      return isTooLong ? out.replace(/!\[(?![\s\S]*!\[)/, "! [") : out;
    },
    end() {
      const rest = held;
      held = "";
      // What was not finished is finished by nobody: it is no picture.
      return rest.replace(/^!\[/, "! [");
    },
  };
}
