import type { ParseLimits } from "./limits.ts";
import type { ParseFailureCode } from "./parse-failure.ts";
import type { ParsedDocument } from "./parsed-document.ts";
import type { OcrOptions, Progress } from "./reader.ts";

/** What the server asks of the reading process: one file at a time. */
export interface ParseJob {
  id: number;
  path: string;
  fileName: string;
  mime: string | null;
  limits: ParseLimits;
  ocr: OcrOptions;
}

/**
 * What the reading process says. Text comes in pieces of at most `PIECE_CHARS`, so that no single message holds up
 * the server; `done` carries the last of them with the rest of the document.
 */
export type ParseMessage =
  | { kind: "ready" }
  | { kind: "progress"; id: number; progress: Progress }
  | { kind: "text"; id: number; piece: string }
  | { kind: "done"; id: number; document: ParsedDocument; memoryBytes: number }
  | {
      kind: "failed";
      id: number;
      code: ParseFailureCode;
      message: string;
      detail: string | null;
      memoryBytes: number;
    };

export const PIECE_CHARS = 128 * 1024;

/** Guarantee: only `child.ts` is at the other end of this channel, and it sends nothing else. */
export function asParseMessage(message: unknown): ParseMessage {
  return message as ParseMessage;
}

/** Guarantee: only `child-process.ts` is at the other end of this channel, and it sends nothing else. */
export function asParseJob(message: unknown): ParseJob {
  return message as ParseJob;
}
