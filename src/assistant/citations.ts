/** Beyond this, what stands between brackets is no list of sources. */
const HELD_CHARS_MAX = 40;
const CITATION = /([ \t]*)\[\s*(\d{1,4}(?:\s*[-–,;]\s*\d{1,4})*)\s*\]/g;
/** What may yet become a citation, with the space before it. */
const UNFINISHED = /[ \t]*(?:\[[\d\s,;–-]*)?$/;
const RANGE_MAX = 20;

/** An answer's citations while it is being written. */
export interface CitationFilter {
  /** The part of the answer that can go out now; what may become a citation waits for its end. */
  push(text: string): string;
  /** What was still waiting. */
  end(): string;
  /** The numbers of the sources that were cited, as they were offered, in the order of their first citation. */
  cited(): number[];
}

/**
 * Lets through `[n]` for the sources that there are and takes every other number out, also from lists and ranges such
 * as `[1, 9]` and `[2-3]`. Code between backticks is left alone: `rows[0]` cites nothing.
 *
 * @param offered how many sources there are by now, numbered from 1
 * @param renumber sources are numbered anew, in the order in which they are cited
 */
export function createCitationFilter(offered: () => number, renumber: boolean): CitationFilter {
  const cited: number[] = [];
  let held = "";
  let inCode = false;

  function numberOf(source: number): number {
    let place = cited.indexOf(source);
    if (place === -1) place = cited.push(source) - 1;
    return renumber ? place + 1 : source;
  }

  function check(text: string): string {
    return text.replace(CITATION, (_, space: string, list: string) => {
      const known = [...new Set(expand(list))].filter((number) => number >= 1 && number <= offered());
      return known.length === 0 ? "" : space + known.map((number) => `[${numberOf(number)}]`).join("");
    });
  }

  /** Backticks open and close code; what is between goes out as it is. */
  function checkOutsideCode(text: string): string {
    if (!inCode && !text.includes("`")) return check(text);
    return text
      .split("`")
      .map((part, index) => {
        if (index > 0) inCode = !inCode;
        return inCode ? part : check(part);
      })
      .join("`");
  }

  return {
    push(text) {
      const whole = held + text;
      const tail = inCode ? "" : (UNFINISHED.exec(whole)?.[0] ?? "");
      held = tail.length > HELD_CHARS_MAX ? "" : tail;
      return checkOutsideCode(whole.slice(0, whole.length - held.length));
    },
    end() {
      const rest = held;
      held = "";
      return checkOutsideCode(rest);
    },
    cited: () => [...cited],
  };
}

/** `1, 3-5` names four sources; a range too long to be meant is its two ends. */
function expand(list: string): number[] {
  return list.split(/[,;]/).flatMap((part) => {
    const [first = 0, last = first] = part.split(/[-–]/).map((text) => Number(text.trim()));
    if (last < first || last - first > RANGE_MAX) return [first, last];
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** Without the citations of an earlier answer: its numbers mean nothing beside the sources of this one. */
export function withoutCitations(text: string): string {
  return text.replace(CITATION, "");
}
