import { readFileSync } from "node:fs";
import { createDocumentBuilder } from "./document-builder.ts";
import { readImageSize } from "./image-size.ts";
import { openOcr } from "./ocr.ts";
import { ParseFailure } from "./parse-failure.ts";
import type { ParsedDocument } from "./parsed-document.ts";
import type { ReadContext } from "./reader.ts";

/** Pictures of text. The size is judged from the header, before anything is unpacked. */
export async function readImage(context: ReadContext): Promise<ParsedDocument> {
  const bytes = readFileSync(context.path);
  const size = readImageSize(bytes);
  if (!size || size.width < 1 || size.height < 1)
    throw new ParseFailure(
      "damaged",
      "The image is damaged: it does not say how large it is. Export it again.",
    );
  if (size.width * size.height > context.limits.maxImagePixels)
    throw new ParseFailure(
      "too_much_memory",
      `The image is ${size.width} × ${size.height} pixels; at most ${context.limits.maxImagePixels / 1e6} million are read. Make it smaller.`,
    );
  context.progress({ stage: "recognising", pagesDone: 0, pageCount: 1 });
  const ocr = await openOcr(context.ocr);
  const text = ocr.recogniseFile(bytes);
  const builder = createDocumentBuilder(context.limits);
  for (const paragraph of text.split(/\n\s*\n/)) builder.paragraph(paragraph);
  if (builder.length() === 0) throw new ParseFailure("empty", "No text could be read from the image.");
  return builder.finish();
}
