import type { Chunk, Draft } from "./chunk.ts";
import { estimateTokens } from "./chunk-tokens.ts";
import type { PageSpan, ParsedDocument, SectionSpan } from "./parse/parsed-document.ts";

/** Says of each stretch where in the document it stands. Drafts and marks ascend, so one walk over all is enough. */
export function describeChunks(
  document: Pick<ParsedDocument, "text" | "pages" | "sections">,
  drafts: readonly Draft[],
): Chunk[] {
  const findPage = createPageFinder(document.pages);
  const pathAt = createPathFinder(document.sections);
  return drafts.map(({ start, end, header }, ordinal) => {
    const text = document.text.slice(start, end);
    const pageStart = findPage(start);
    const first = pathAt(start);
    return {
      ordinal,
      start,
      end,
      text,
      tokens: estimateTokens(text),
      headingPath: sharedStart(first, pathAt(end - 1)),
      tableHeader: header ? document.text.slice(header.start, header.end) : null,
      pageStart,
      pageEnd: findPage(end - 1),
    };
  });
}

/** Answers the page of ever later positions. Text before the first page belongs to it. */
export function createPageFinder(pages: readonly PageSpan[]): (position: number) => number | null {
  let at = 0;
  return (position) => {
    while (at + 1 < pages.length && (pages[at + 1]?.start ?? 0) <= position) at += 1;
    return pages[at]?.number ?? null;
  };
}

/** Answers the headings above ever later positions, the highest first. */
function createPathFinder(sections: readonly SectionSpan[]): (position: number) => string[] {
  const open: SectionSpan[] = [];
  let at = 0;
  return (position) => {
    for (let next = sections[at]; next && next.start <= position; next = sections[at]) {
      while (open.length > 0 && (open.at(-1)?.level ?? 0) >= next.level) open.pop();
      open.push(next);
      at += 1;
    }
    return open.filter((section) => section.end > position).map((section) => section.heading);
  };
}

function sharedStart(left: readonly string[], right: readonly string[]): string[] {
  const shared: string[] = [];
  for (let index = 0; index < left.length; index += 1) {
    const heading = left[index];
    if (heading === undefined || heading !== right[index]) break;
    shared.push(heading);
  }
  return shared;
}
