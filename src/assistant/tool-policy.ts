/** Where something could be sent to: what an injected text would like to choose. */
const DESTINATIONS: readonly RegExp[] = [
  /[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/giu,
  /\b(?:https?|wss?|ftp):\/\/[^\s"'<>)\]]+/giu,
  /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b/gu,
  /\+?\d[\d ()/.-]{6,20}\d/gu,
];
const DEPTH_MAX = 20;

/**
 * The first mail or web address, account or phone number among a call's arguments that stands in a document and that
 * the person never wrote. A tool that changes something is not called with it: the document may want to be sent the
 * person's data. `null`: there is none.
 */
export function findPlantedDestination(
  args: unknown,
  documents: readonly string[],
  said: readonly string[],
): string | null {
  const texts = textsIn(args, 0);
  for (const text of texts) {
    for (const pattern of DESTINATIONS) {
      for (const [found] of text.matchAll(pattern)) {
        if (isIn(found, documents) && !isIn(found, said)) return found;
      }
    }
  }
  return null;
}

function textsIn(value: unknown, depth: number): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null || depth > DEPTH_MAX) return [];
  return Object.values(value).flatMap((inner) => textsIn(inner, depth + 1));
}

/** However it is spaced and capitalised. */
function isIn(found: string, texts: readonly string[]): boolean {
  const plain = bare(found);
  return texts.some((text) => bare(text).includes(plain));
}

function bare(text: string): string {
  return text.toLowerCase().replace(/[\s()./-]/g, "");
}
