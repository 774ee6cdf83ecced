import { readFileSync } from "node:fs";
import mammoth from "mammoth";
import { cleanLine } from "./clean-text.ts";
import { createDocumentBuilder } from "./document-builder.ts";
import { writeHtml } from "./html-blocks.ts";
import { ParseFailure } from "./parse-failure.ts";
import type { ParsedDocument } from "./parsed-document.ts";
import type { ReadContext } from "./reader.ts";
import { findXmlText } from "./xml.ts";
import { openZip } from "./zip-container.ts";

/** Word documents: headings by their styles, lists, tables and footnotes kept; pictures left out. */
export async function readDocx(context: ReadContext): Promise<ParsedDocument> {
  const bytes = readFileSync(context.path);
  const zip = openZip(bytes, context.limits);
  if (!zip.has("word/document.xml") && !zip.has("_rels/.rels"))
    throw new ParseFailure(
      "type_mismatch",
      "The file is named .docx, but holds no Word document. Export it again.",
    );
  zip.verify();
  const { value: html } = await mammoth.convertToHtml(
    { buffer: bytes },
    {
      styleMap: [
        "p[style-name='Title'] => h1:fresh",
        "p[style-name='Subtitle'] => p:fresh",
        "br[type='page'] => hr",
      ],
      includeEmbeddedStyleMap: false,
      externalFileAccess: false,
      convertImage: mammoth.images.imgElement(async () => ({ src: "" })),
    },
  );
  const builder = createDocumentBuilder(context.limits);
  writeHtml(html, builder);
  const title = cleanLine(findXmlText(zip.readText("docProps/core.xml"), "title") ?? "") || null;
  return builder.finish({ title });
}
