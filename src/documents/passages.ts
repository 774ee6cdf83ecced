import { gunzipSync } from "node:zlib";
import type { SegmentInput } from "../retrieval/segment.ts";
import { chunkDocument, contextualText } from "./chunk.ts";
import type { ParsedDocument } from "./parse/parsed-document.ts";

/** A document cut into what a search can find, with what each passage is embedded as. */
export interface Passages {
  chunks: {
    text: string;
    start: number;
    end: number;
    page: number | null;
    headings: string[];
    tokens: number;
  }[];
  contextual: string[];
}

export function passagesOf(document: ParsedDocument, title: string): Passages {
  const chunks = chunkDocument(document);
  return {
    chunks: chunks.map(({ text, start, end, pageStart, headingPath, tableHeader, tokens }) => ({
      text,
      start,
      end,
      page: pageStart,
      headings: tableHeader === null ? headingPath : [...headingPath, tableHeader],
      tokens,
    })),
    contextual: chunks.map((one) => contextualText(one, title)),
  };
}

/** @param stored the gzipped JSON of a `ParsedDocument`, as it lies in the file store */
export function passagesOfStored(stored: Uint8Array, title: string): Passages {
  return passagesOf(JSON.parse(gunzipSync(stored).toString("utf8")), title);
}

export function segmentInput(
  { chunks }: Passages,
  title: string,
  language: string | null,
  vectors: SegmentInput["vectors"],
): SegmentInput {
  return { title, language, chunks: chunks.map((chunk) => ({ ...chunk, language: null })), vectors };
}

export function tokensOf({ chunks }: Passages): number {
  return chunks.reduce((sum, chunk) => sum + chunk.tokens, 0);
}
