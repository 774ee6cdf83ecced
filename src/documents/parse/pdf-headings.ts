import type { Bookmark } from "./pdfium.ts";

/** The lines of a page and the height of their letters in points; lines without a height are of the usual one. */
export interface MeasuredPage {
  lines: readonly string[];
  heights: ReadonlyMap<string, number>;
}

/** How much larger than the text a heading is printed. */
const LARGER = 1.15;
const MAX_LEVEL = 4;
const MAX_HEADING_CHARS = 120;
/** When more than this share of the lines is large, the size means something else. */
const MAX_HEADING_SHARE = 0.2;

/**
 * The headings of a document without bookmarks, told by the size of their letters, in the form of bookmarks. Empty
 * when sizes tell nothing.
 */
export function findHeadings(pages: readonly MeasuredPage[]): Bookmark[] {
  const body = findBodyHeight(pages);
  const found = pages.flatMap(({ lines, heights }, pageIndex) =>
    lines.flatMap((title) => {
      const height = roundHeight(heights.get(title) ?? 0);
      return height >= body * LARGER && isTitle(title) ? [{ title, height, pageIndex }] : [];
    }),
  );
  const total = pages.reduce((sum, page) => sum + page.lines.length, 0);
  if (body === 0 || found.length > total * MAX_HEADING_SHARE) return [];
  const sizes = listSizes(found.map(({ height }) => height));
  return found.map(({ title, height, pageIndex }) => ({
    title,
    pageIndex,
    level: Math.min(
      MAX_LEVEL,
      Math.max(
        0,
        sizes.findIndex((size) => size <= height),
      ) + 1,
    ),
  }));
}

function isTitle(line: string): boolean {
  return line.length <= MAX_HEADING_CHARS && /\p{L}{2}/u.test(line) && !/[.,;]$| … \S{1,6}$/.test(line);
}

/** From large to small. In a long document a size used once or twice is that of the cover, not a level. */
function listSizes(heights: readonly number[]): number[] {
  const least = heights.length > 20 ? 3 : 1;
  const sizes = [...new Set(heights)].sort((a, b) => b - a);
  return sizes.filter((size) => heights.filter((height) => height === size).length >= least);
}

/** The height most characters have; 0 when nothing was measured. */
function findBodyHeight(pages: readonly MeasuredPage[]): number {
  const chars = new Map<number, number>();
  for (const { heights } of pages)
    for (const [line, height] of heights)
      chars.set(roundHeight(height), (chars.get(roundHeight(height)) ?? 0) + line.length);
  let body = 0;
  for (const [height, count] of chars) if (count > (chars.get(body) ?? 0)) body = height;
  return body;
}

function roundHeight(height: number): number {
  return Math.round(height * 2) / 2;
}
