import { gzipSync } from "node:zlib";
import { encodeSegment } from "../retrieval/encode-segment.ts";
import { detectLanguage } from "../retrieval/language.ts";
import type { SegmentInput } from "../retrieval/segment.ts";
import { serveWorker } from "../retrieval/worker-server.ts";
import { estimateTokens } from "./chunk-tokens.ts";
import { DEFAULT_PARSE_LIMITS } from "./parse/limits.ts";
import { ParseFailure } from "./parse/parse-failure.ts";
import { readTextBytes } from "./parse/read-text.ts";
import { passagesOf, passagesOfStored, segmentInput } from "./passages.ts";
import type { SmallText, TextRead } from "./small-texts.ts";

serveWorker(() => ({
  read: (payload) => read(asSmallText(payload)),
  cut: (payload) => {
    const { parsed, title } = asStored(payload);
    return passagesOfStored(parsed, title);
  },
  build: (payload) => encodeSegment(asSegmentInput(payload)),
}));

async function read({ bytes, fileName, format, givenTitle, make }: SmallText): Promise<TextRead> {
  const document = readTextBytes(Buffer.from(bytes), fileName, format, DEFAULT_PARSE_LIMITS);
  if (document.text.trim() === "") throw new ParseFailure("empty", "No text was found in the file.");
  const title = givenTitle ?? document.title ?? fileName;
  const language = await detectLanguage(document.text);
  const cut = make === "nothing" ? null : passagesOf(document, title);
  return {
    parsed: gzipSync(JSON.stringify(document)),
    title,
    facts: {
      parsed_title: document.title,
      pages: document.pageCount,
      language,
      words: document.wordCount,
      tokens: estimateTokens(document.text),
    },
    passages: cut,
    segment:
      make === "segment" && cut !== null ? encodeSegment(segmentInput(cut, title, language, null)) : null,
  };
}

/** `createSmallTexts` sends nothing else. */
function asSmallText(payload: unknown): SmallText {
  return payload as SmallText;
}

/** As {@link asSmallText}. */
function asStored(payload: unknown): { parsed: Uint8Array; title: string } {
  return payload as { parsed: Uint8Array; title: string };
}

/** As {@link asSmallText}. */
function asSegmentInput(payload: unknown): SegmentInput {
  return payload as SegmentInput;
}
