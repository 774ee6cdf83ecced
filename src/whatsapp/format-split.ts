const FENCE = "```";
/** Room for a fence that is closed at the end of one message and opened again in the next. */
const FENCE_ROOM = 2 * (FENCE.length + 1);
/** A boundary before this share of a message would make too many of them. */
const EARLIEST_SHARE = 0.3;
/** Where to cut, best first. */
const BOUNDARIES = ["\n\n", "\n", ". ", " "];

/**
 * Texts of at most `max` UTF-16 units, cut between paragraphs where that can be, else between lines, sentences, words.
 * What is between fences is so in each of them. Nothing is lost but blanks at the cuts.
 */
export function splitText(text: string, max: number): string[] {
  const parts: string[] = [];
  let rest = text.trim();
  while (rest.length > max) {
    const at = cutAt(rest, max - FENCE_ROOM);
    const part = rest.slice(0, at).trimEnd();
    const isOpen = part.split(FENCE).length % 2 === 0;
    const next = rest.slice(at).replace(/^\s*\n|^ +/, "");
    parts.push(isOpen ? `${part}\n${FENCE}` : part);
    rest = isOpen ? `${FENCE}\n${next}` : next;
  }
  if (rest.trim() !== "") parts.push(rest.trimEnd());
  return parts;
}

function cutAt(text: string, max: number): number {
  const window = text.slice(0, max);
  for (const boundary of BOUNDARIES) {
    const at = window.lastIndexOf(boundary);
    if (at > max * EARLIEST_SHARE) return boundary === ". " ? at + 1 : at;
  }
  const splitsPair = /[\ud800-\udbff]$/.test(window) && /^[\udc00-\udfff]/.test(text.slice(max));
  return splitsPair ? max - 1 : max;
}
