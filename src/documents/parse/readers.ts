import type { FileFormat } from "../file-type.ts";
import { ParseFailure } from "./parse-failure.ts";
import type { Reader } from "./reader.ts";

/** Readers are loaded when the first file of their format comes: a text file should not wait for the PDF engine. */
export const READERS: Record<FileFormat, () => Promise<Reader>> = {
  pdf: async () => (await import("./read-pdf.ts")).readPdf,
  docx: async () => (await import("./read-docx.ts")).readDocx,
  spreadsheet: async () => (await import("./read-spreadsheet.ts")).readSpreadsheet,
  pptx: async () => (await import("./read-presentation.ts")).readPresentation,
  opendocument: async () => (await import("./read-opendocument.ts")).readOpenDocument,
  rtf: async () => (await import("./read-rtf.ts")).readRtf,
  epub: async () => (await import("./read-epub.ts")).readEpub,
  html: async () => (await import("./read-html.ts")).readHtml,
  markdown: async () => (await import("./read-text.ts")).readText,
  text: async () => (await import("./read-text.ts")).readText,
  csv: async () => (await import("./read-csv.ts")).readCsv,
  json: async () => (await import("./read-json.ts")).readJson,
  email: async () => (await import("./read-email.ts")).readEmail,
  image: async () => (await import("./read-image.ts")).readImage,
  audio: async () => refuseAudio,
};

const refuseAudio: Reader = async () => {
  throw new ParseFailure(
    "needs_transcription",
    "Audio and video need a transcription provider. Connect one in the settings, or send the text.",
  );
};
