import PDFDocument from "pdfkit";

const MARGIN = 62;
const SIZES = { heading1: 19, heading2: 12.5, text: 10, table: 9 };
/** Two pages stand before the first chapter: the cover and the contents. Each chapter has one page. */
const FIRST_CHAPTER_PAGE = 3;

/**
 * A manual as a printer would make it: cover, contents, a page for each chapter, a running head, page numbers,
 * bookmarks.
 *
 * @param {{title: string, subtitle: string, edition: string}} cover
 * @param {ReturnType<import("./example-blocks.js").readBlocks>} blocks
 * @returns {Promise<Buffer>}
 */
export async function makeManual(cover, blocks) {
  const pdf = new PDFDocument({
    size: "A4",
    margins: { top: 74, bottom: 64, left: MARGIN, right: MARGIN },
    bufferPages: true,
    lang: "en",
    info: { Title: `${cover.title} – ${cover.subtitle}`, Author: "Officine Larice S.r.l." },
  });
  writeCover(pdf, cover);
  writeContents(pdf, blocks);
  const chapters = blocks.filter(isChapter).length;
  let bookmark;
  for (const block of blocks) {
    if (isChapter(block)) {
      pdf.addPage();
      bookmark = pdf.outline.addItem(block.text);
    } else if (block.kind === "heading") bookmark?.addItem(block.text);
    writeBlock(pdf, block);
  }
  const { count } = pdf.bufferedPageRange();
  if (count !== chapters + FIRST_CHAPTER_PAGE - 1)
    throw new Error(`${chapters} chapters on ${count} pages: one is too long`);
  for (let page = 1; page < count; page += 1) writeFrame(pdf, cover, page);
  return await collect(pdf);
}

function isChapter(block) {
  return block.kind === "heading" && block.level === 1;
}

function writeCover(pdf, { title, subtitle, edition }) {
  pdf.font("Helvetica-Bold").fontSize(34).text(title, MARGIN, 250);
  pdf.font("Helvetica").fontSize(18).text(subtitle).moveDown(2);
  pdf.fontSize(SIZES.text).text(edition);
}

function writeContents(pdf, blocks) {
  pdf.addPage();
  writeBlock(pdf, { kind: "heading", level: 1, text: "Contents" });
  const width = pdf.page.width - 2 * MARGIN;
  for (const [index, { text }] of blocks.filter(isChapter).entries()) {
    const y = pdf.y;
    pdf.font("Helvetica").fontSize(11).text(text, MARGIN, y);
    pdf.text(String(FIRST_CHAPTER_PAGE + index), MARGIN, y, { width, align: "right" });
    pdf.moveDown(0.5);
  }
}

function writeBlock(pdf, block) {
  pdf.x = MARGIN;
  pdf.font("Helvetica").fontSize(SIZES.text);
  if (block.kind === "heading") {
    pdf.moveDown(block.level === 1 ? 0 : 0.3);
    pdf.font("Helvetica-Bold").fontSize(block.level === 1 ? SIZES.heading1 : SIZES.heading2);
    pdf.text(block.text).moveDown(0.4);
  } else if (block.kind === "paragraph") pdf.text(block.text).moveDown(0.7);
  else if (block.kind === "warning") {
    pdf.font("Helvetica-Bold").text(block.text, { indent: 0 }).moveDown(0.7);
  } else if (block.kind === "table") writeTable(pdf, block.rows);
  else {
    const listType = block.kind === "steps" ? "numbered" : "bullet";
    pdf.list(block.items, { listType, bulletRadius: 1.5, textIndent: 16, bulletIndent: 4, paragraphGap: 2 });
    pdf.x = MARGIN;
    pdf.moveDown(0.6);
  }
}

/** Columns are as wide as their longest cells ask for. */
function writeTable(pdf, rows) {
  const width = pdf.page.width - 2 * MARGIN;
  const asked = rows[0].map((_, column) =>
    Math.min(44, Math.max(9, ...rows.map((row) => (row[column] ?? "").length))),
  );
  const all = asked.reduce((sum, chars) => sum + chars, 0);
  pdf.fontSize(SIZES.table);
  pdf.table({
    columnStyles: asked.map((chars) => (width * chars) / all),
    defaultStyle: { border: 0.5, borderColor: "#999999", padding: 3.5 },
    data: rows.map((row, index) =>
      row.map((text) => ({ text, font: { src: index === 0 ? "Helvetica-Bold" : "Helvetica" } })),
    ),
  });
  pdf.x = MARGIN;
  pdf.moveDown(0.9);
}

/** The running head and the page number: what is no part of the text. */
function writeFrame(pdf, { title, subtitle }, page) {
  pdf.switchToPage(page);
  pdf.page.margins.bottom = 0;
  const width = pdf.page.width - 2 * MARGIN;
  pdf.font("Helvetica").fontSize(8).fillColor("#666666");
  pdf.text(`${title} – ${subtitle}`, MARGIN, 40, { width });
  pdf.text(String(page + 1), MARGIN, pdf.page.height - 42, { width, align: "center" });
}

async function collect(pdf) {
  const parts = [];
  pdf.on("data", (part) => parts.push(part));
  const ended = new Promise((resolve, reject) => pdf.once("end", resolve).once("error", reject));
  pdf.end();
  await ended;
  return Buffer.concat(parts);
}
