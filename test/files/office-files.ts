import { utils, write } from "@e965/xlsx";
import { makeZip, type ZipEntry } from "./zip-writer.ts";

const W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"';
const RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/** A Word document: headings, a list, a table, a footnote-free body. `body` replaces the paragraphs. */
export function makeDocx(body: string = DOCX_BODY, extra: readonly ZipEntry[] = []): Buffer {
  return makeZip([
    {
      name: "[Content_Types].xml",
      content: `<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/><Override PartName="/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/><Override PartName="/word/numbering.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.numbering+xml"/></Types>`,
    },
    { name: "_rels/.rels", content: relations([["officeDocument", "word/document.xml"]]) },
    {
      name: "word/document.xml",
      content: `<?xml version="1.0"?><w:document ${W}><w:body>${body}</w:body></w:document>`,
    },
    {
      name: "word/_rels/document.xml.rels",
      content: relations([
        ["styles", "styles.xml"],
        ["numbering", "numbering.xml"],
      ]),
    },
    {
      name: "word/styles.xml",
      content: `<w:styles ${W}><w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/></w:style><w:style w:type="paragraph" w:styleId="Heading2"><w:name w:val="heading 2"/></w:style></w:styles>`,
    },
    {
      name: "word/numbering.xml",
      content: `<w:numbering ${W}><w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/></w:lvl></w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>`,
    },
    { name: "docProps/core.xml", content: coreProperties("Employee handbook") },
    ...extra,
  ]);
}

function paragraph(text: string, properties = ""): string {
  return `<w:p>${properties ? `<w:pPr>${properties}</w:pPr>` : ""}<w:r><w:t xml:space="preserve">${text}</w:t></w:r></w:p>`;
}

function row(...cells: string[]): string {
  return `<w:tr>${cells.map((cell) => `<w:tc>${paragraph(cell)}</w:tc>`).join("")}</w:tr>`;
}

const LIST_ITEM = '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>';

const DOCX_BODY = [
  paragraph("Holidays", '<w:pStyle w:val="Heading1"/>'),
  paragraph("Everyone has thirty days of paid leave."),
  paragraph("Asking for leave", '<w:pStyle w:val="Heading2"/>'),
  paragraph("Write to your team lead.", LIST_ITEM),
  paragraph("Wait for the answer.", LIST_ITEM),
  `<w:tbl>${row("Year", "Days")}${row("2025", "30")}${row("2026", "31")}</w:tbl>`,
].join("");

/** A workbook of two sheets, with a date, a number in a format, and a line above the table. */
export function makeXlsx(): Buffer {
  const book = utils.book_new();
  const stock = utils.aoa_to_sheet(
    [
      ["Stock list"],
      ["Article", "Price", "Since"],
      ["Lamp", 12.5, new Date(Date.UTC(2025, 2, 9))],
      ["Chair", 80, null],
    ],
    {
      UTC: true,
    },
  );
  utils.book_append_sheet(book, stock, "Stock");
  utils.book_append_sheet(
    book,
    utils.aoa_to_sheet([
      ["City", "Hours"],
      ["Madrid", "9 to 17"],
    ]),
    "Shops",
  );
  return asBuffer(write(book, { type: "buffer", bookType: "xlsx" }));
}

/** The same library writes the format of before 2007. */
export function makeXls(): Buffer {
  const book = utils.book_new();
  utils.book_append_sheet(
    book,
    utils.aoa_to_sheet([
      ["Name", "Age"],
      ["Ada", 36],
    ]),
    "People",
  );
  return asBuffer(write(book, { type: "buffer", bookType: "xls" }));
}

/** Guarantee: `write` answers a buffer when its type is "buffer". */
function asBuffer(written: unknown): Buffer {
  return written as Buffer;
}

/** Two slides: a title with points and notes, and a table. The files are numbered against their order. */
export function makePptx(): Buffer {
  const slide = (shapes: string) =>
    `<p:sld xmlns:p="p" xmlns:a="a"><p:cSld><p:spTree>${shapes}</p:spTree></p:cSld></p:sld>`;
  const shape = (type: string, ...lines: string[]) =>
    `<p:sp><p:nvSpPr><p:nvPr><p:ph type="${type}"/></p:nvPr></p:nvSpPr><p:txBody>${lines.map((line) => `<a:p><a:r><a:t>${line}</a:t></a:r></a:p>`).join("")}</p:txBody></p:sp>`;
  const cell = (text: string) => `<a:tc><a:txBody><a:p><a:r><a:t>${text}</a:t></a:r></a:p></a:txBody></a:tc>`;
  const table = `<p:graphicFrame><a:tbl><a:tr>${cell("Plan")}${cell("Fee")}</a:tr><a:tr>${cell("Small")}${cell("5")}</a:tr></a:tbl></p:graphicFrame>`;
  return makeZip([
    { name: "[Content_Types].xml", content: "<Types/>" },
    {
      name: "ppt/presentation.xml",
      content: `<p:presentation xmlns:p="p" xmlns:r="r"><p:sldIdLst><p:sldId id="256" r:id="rId2"/><p:sldId id="257" r:id="rId1"/></p:sldIdLst></p:presentation>`,
    },
    {
      name: "ppt/_rels/presentation.xml.rels",
      content: relations([
        ["slide", "slides/slide1.xml"],
        ["slide", "slides/slide2.xml"],
      ]),
    },
    { name: "ppt/slides/slide1.xml", content: slide(shape("title", "Prices") + table) },
    {
      name: "ppt/slides/slide2.xml",
      content: slide(
        shape("title", "Welcome") + shape("body", "First point", "Second point") + shape("sldNum", "1"),
      ),
    },
    {
      name: "ppt/slides/_rels/slide2.xml.rels",
      content: relations([["notesSlide", "../notesSlides/notesSlide1.xml"]]),
    },
    { name: "ppt/notesSlides/notesSlide1.xml", content: slide(shape("body", "Smile while saying this.")) },
    { name: "docProps/core.xml", content: coreProperties("Sales talk") },
  ]);
}

export function makeOpenDocument(
  kind: "text" | "spreadsheet" | "presentation",
  body: string,
  manifest = "",
): Buffer {
  const namespaces = 'xmlns:office="o" xmlns:text="t" xmlns:table="b" xmlns:draw="d" xmlns:presentation="p"';
  return makeZip([
    { name: "mimetype", content: `application/vnd.oasis.opendocument.${kind}`, stored: true },
    { name: "META-INF/manifest.xml", content: `<manifest>${manifest}</manifest>` },
    {
      name: "content.xml",
      content: `<?xml version="1.0"?><office:document-content ${namespaces}><office:body>${body}</office:body></office:document-content>`,
    },
    { name: "meta.xml", content: "<office:meta xmlns:dc='x'><dc:title>House rules</dc:title></office:meta>" },
  ]);
}

export function makeEpub(encryption = ""): Buffer {
  const chapter = (title: string, text: string) =>
    `<html><head><title>x</title></head><body><h1>${title}</h1><p>${text}</p></body></html>`;
  return makeZip([
    { name: "mimetype", content: "application/epub+zip", stored: true },
    {
      name: "META-INF/container.xml",
      content: '<container><rootfiles><rootfile full-path="book/package.opf"/></rootfiles></container>',
    },
    ...(encryption ? [{ name: "META-INF/encryption.xml", content: encryption }] : []),
    {
      name: "book/package.opf",
      content:
        '<package xmlns:dc="x"><metadata><dc:title>The Wind</dc:title></metadata><manifest><item id="b" href="two.xhtml"/><item id="a" href="one%20.xhtml"/></manifest><spine><itemref idref="a"/><itemref idref="b"/></spine></package>',
    },
    { name: "book/two.xhtml", content: chapter("Evening", "The wind lay down.") },
    { name: "book/one .xhtml", content: chapter("Morning", "The wind got up.") },
  ]);
}

function relations(targets: readonly (readonly [string, string])[]): string {
  const items = targets.map(
    ([type, target], index) =>
      `<Relationship Id="rId${index + 1}" Type="${RELATIONS}/${type}" Target="${target}"/>`,
  );
  return `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${items.join("")}</Relationships>`;
}

function coreProperties(title: string): string {
  return `<cp:coreProperties xmlns:cp="c" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>${title}</dc:title></cp:coreProperties>`;
}
