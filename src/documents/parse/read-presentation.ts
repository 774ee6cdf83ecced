import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { cleanLine } from "./clean-text.ts";
import { createDocumentBuilder, type DocumentBuilder } from "./document-builder.ts";
import { ParseFailure } from "./parse-failure.ts";
import type { ParsedDocument } from "./parsed-document.ts";
import type { ReadContext } from "./reader.ts";
import { findXmlText, walkXml } from "./xml.ts";
import { openZip, type ZipContainer } from "./zip-container.ts";

const MAIN = "ppt/presentation.xml";

/** PowerPoint: a page per slide with its title as heading, points, tables and the speaker's notes. */
export async function readPresentation(context: ReadContext): Promise<ParsedDocument> {
  const zip = openZip(readFileSync(context.path), context.limits);
  const slides = listSlides(zip);
  if (slides.length > context.limits.maxPages)
    throw new ParseFailure(
      "too_many_pages",
      `The presentation has ${slides.length} slides; at most ${context.limits.maxPages} are read.`,
    );
  const builder = createDocumentBuilder(context.limits);
  slides.forEach((slide, index) => {
    builder.page(index + 1);
    writeSlide(builder, zip.readText(slide) ?? "", true);
    const notes = [...readRelations(zip, slide).values()].find((target) => target.includes("notesSlide"));
    if (notes) writeSlide(builder, zip.readText(notes) ?? "", false);
    context.progress({ stage: "reading", pagesDone: index + 1, pageCount: slides.length });
  });
  const title = cleanLine(findXmlText(zip.readText("docProps/core.xml"), "title") ?? "");
  return builder.finish({
    title: /^(?:powerpoint presentation|)$/i.test(title) ? null : title,
    pageCount: slides.length,
  });
}

function listSlides(zip: ZipContainer): string[] {
  const main = zip.readText(MAIN);
  if (main === null)
    throw new ParseFailure(
      "type_mismatch",
      "The file is named .pptx, but holds no presentation. Export it again.",
    );
  const relations = readRelations(zip, MAIN);
  const slides: string[] = [];
  walkXml(main, {
    open(name, attributes) {
      const target = name === "sldId" ? relations.get(attributes["r:id"] ?? "") : undefined;
      if (target && zip.has(target)) slides.push(target);
    },
  });
  return slides;
}

/** Relation id → the path of the part inside the container. */
function readRelations(zip: ZipContainer, part: string): Map<string, string> {
  const relations = new Map<string, string>();
  const folder = posix.dirname(part);
  const xml = zip.readText(`${folder}/_rels/${posix.basename(part)}.rels`);
  if (xml === null) return relations;
  walkXml(xml, {
    open(name, { Id = "", Target = "", TargetMode }) {
      if (name !== "Relationship" || TargetMode === "External") return;
      relations.set(
        Id,
        Target.startsWith("/") ? Target.slice(1) : posix.normalize(posix.join(folder, Target)),
      );
    },
  });
  return relations;
}

const TITLES = new Set(["title", "ctrTitle"]);
/** Text the template puts on every slide. */
const FURNITURE = new Set(["sldNum", "dt", "ftr", "hdr", "sldImg"]);

interface Paragraph {
  text: string;
  level: number;
}

function writeSlide(builder: DocumentBuilder, xml: string, isSlide: boolean): void {
  const titles: string[] = [];
  const body: (Paragraph | string[][])[] = [];
  let placeholder = "";
  let paragraph: Paragraph | null = null;
  let table: string[][] | null = null;
  let inText = false;
  walkXml(xml, {
    open(name, attributes) {
      if (name === "sp") placeholder = "";
      else if (name === "ph") placeholder = attributes.type ?? "body";
      else if (name === "tbl") table = [];
      else if (name === "tr") table?.push([]);
      else if (name === "tc") table?.at(-1)?.push("");
      else if (name === "p") paragraph = { text: "", level: 0 };
      else if (name === "pPr" && paragraph) paragraph.level = Number.parseInt(attributes.lvl ?? "0", 10) || 0;
      else if (name === "t") inText = true;
      else if (name === "br" && paragraph) paragraph.text += " ";
    },
    text(text) {
      if (inText && paragraph) paragraph.text += text;
    },
    close(name) {
      if (name === "t") inText = false;
      else if (name === "tbl" && table) {
        body.push(table);
        table = null;
      } else if (name === "p" && paragraph) {
        const row = table?.at(-1);
        if (row) row.push(`${row.pop() ?? ""} ${paragraph.text}`);
        else if (TITLES.has(placeholder)) titles.push(paragraph.text);
        else if (!FURNITURE.has(placeholder)) body.push(paragraph);
        paragraph = null;
      }
    },
  });
  if (isSlide) builder.heading(2, titles.join(" "));
  else if (body.length > 0) builder.paragraph("Notes:");
  writeBody(builder, body, isSlide);
}

function writeBody(
  builder: DocumentBuilder,
  body: readonly (Paragraph | string[][])[],
  isSlide: boolean,
): void {
  for (const part of body) {
    if (Array.isArray(part)) builder.table(part);
    else if (isSlide) builder.listItem(part.level, "-", part.text);
    else builder.paragraph(part.text);
  }
}
