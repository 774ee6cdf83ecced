import { z } from "zod";
import type { Passage } from "../documents/search.ts";

/** What an answer rests on; `[1]` in the answer is the first of the list. */
export const Source = z
  .object({
    id: z
      .string()
      .meta({ description: "Names the passage: the document's id and the passage's number in it." }),
    docpath: z.string(),
    title: z.string(),
    text: z
      .string()
      .nullable()
      .meta({ description: "null in the history, which keeps no copies of documents." }),
    score: z
      .number()
      .nullable()
      .meta({ description: "0 to 1, falls with relevance; null where the whole workspace was read." }),
    page: z.int().nullable(),
    heading: z.string().nullable().meta({ description: "The headings above it, from the highest." }),
    start: z.int().meta({ description: "Where it begins in the document's text, in UTF-16 units." }),
    end: z.int(),
    url: z.string().nullable(),
    chunkSource: z.string().nullable(),
    published: z.string().nullable(),
  })
  .meta({ id: "Source" });
export type Source = z.output<typeof Source>;

/** A passage that can be cited: `score` is null where nothing was searched for. */
export type Evidence = Omit<Passage, "score"> & { score: number | null };

export function toSource({ id, text, score, metadata }: Evidence): Source {
  return {
    id,
    docpath: metadata.docpath,
    title: metadata.title,
    text,
    score: score === null ? null : Math.min(1, Math.max(0, score)),
    page: metadata.page,
    heading: headingOf(metadata.headings),
    start: metadata.start,
    end: metadata.end,
    url: metadata.url,
    chunkSource: metadata.chunkSource,
    published: metadata.published,
  };
}

/** A table's repeated header stands among the headings; it is no heading. */
export function headingOf(headings: readonly string[]): string | null {
  const plain = headings.filter((heading) => !heading.includes("|") && !heading.includes("\n"));
  return plain.length === 0 ? null : plain.join(" > ");
}
