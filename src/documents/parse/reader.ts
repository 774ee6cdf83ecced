import type { FileType } from "../file-type.ts";
import type { ParseLimits } from "./limits.ts";
import type { ParsedDocument } from "./parsed-document.ts";

/** How pictures of text are read. */
export interface OcrOptions {
  /** Language codes as tesseract names them, most likely first. Each costs time: three take about three times as long. */
  languages: readonly string[];
  /**
   * Where the language data lies, absolute: `<langPath>/<code>.traineddata` or `.traineddata.gz`. Null means the
   * data packages installed with this one (`eng`, `deu`, `fra`, `spa`).
   */
  langPath: string | null;
}

export interface Progress {
  stage: "reading" | "recognising";
  pagesDone: number;
  pageCount: number | null;
}

/** One file to read. Readers run in the child process; they may block, grow and hang, and are ended from outside. */
export interface ReadContext {
  path: string;
  fileName: string;
  type: FileType;
  limits: ParseLimits;
  ocr: OcrOptions;
  progress(progress: Progress): void;
}

/** @throws ParseFailure, or anything else, which counts as `damaged`. */
export type Reader = (context: ReadContext) => Promise<ParsedDocument>;
