/** A stretch of `text`, in UTF-16 code units: `text.slice(start, end)`. */
export interface Span {
  start: number;
  end: number;
}

/** A page or a slide, numbered from 1 as the reader of the original counts them. */
export interface PageSpan extends Span {
  number: number;
}

/** A heading and everything under it, up to the next heading of the same or a higher level. */
export interface SectionSpan extends Span {
  /** 1 is the highest. */
  level: number;
  heading: string;
}

/** A stretch the chunker must treat in its own way; all text outside of blocks is paragraphs. */
export interface BlockSpan extends Span {
  kind: "heading" | "list" | "table" | "code";
  /** Tables only: where the header row ends. It is repeated as context of every later piece of the table. */
  headerEnd?: number;
}

/** What every reader answers. Text is Markdown wherever the original has structure. */
export interface ParsedDocument {
  text: string;
  /** The title the document gives itself; null when it gives none (use the file name). */
  title: string | null;
  /** Ascending, without gaps inside the text; empty for formats without pages. */
  pages: PageSpan[];
  /** Ascending by start; nested. */
  sections: SectionSpan[];
  /** Ascending, never overlapping. */
  blocks: BlockSpan[];
  wordCount: number;
  /** Null for formats without pages. */
  pageCount: number | null;
  /** Sentences about what was left out, for example pages whose text could not be read. */
  warnings: string[];
}
