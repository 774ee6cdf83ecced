import {
  AlignmentType,
  Document,
  HeadingLevel,
  LevelFormat,
  Packer,
  Paragraph,
  Table,
  TableCell,
  TableRow,
  TextRun,
  WidthType,
} from "docx";

const STEPS = "steps";
const HEADINGS = [HeadingLevel.TITLE, HeadingLevel.HEADING_1, HeadingLevel.HEADING_2];

/**
 * A policy as an office makes it: heading styles, numbered steps, bullets, tables with a header row.
 *
 * @param {string} title
 * @param {ReturnType<import("./example-blocks.js").readBlocks>} blocks
 * @returns {Promise<Buffer>}
 */
export async function makePolicy(title, blocks) {
  const document = new Document({
    title,
    creator: "Officine Larice S.r.l.",
    numbering: {
      config: [
        {
          reference: STEPS,
          levels: [{ level: 0, format: LevelFormat.DECIMAL, text: "%1.", alignment: AlignmentType.START }],
        },
      ],
    },
    sections: [{ children: blocks.flatMap(writeBlock) }],
  });
  return await Packer.toBuffer(document);
}

function writeBlock(block, index) {
  if (block.kind === "heading") {
    return [new Paragraph({ text: block.text, heading: HEADINGS[block.level - 1] })];
  }
  if (block.kind === "steps") {
    const numbering = { reference: STEPS, level: 0, instance: index };
    return block.items.map((text) => new Paragraph({ text, numbering }));
  }
  if (block.kind === "bullets")
    return block.items.map((text) => new Paragraph({ text, bullet: { level: 0 } }));
  if (block.kind === "table") return [writeTable(block.rows), new Paragraph("")];
  return [new Paragraph({ text: block.text, spacing: { after: 120 } })];
}

function writeTable(rows) {
  return new Table({
    width: { size: 100, type: WidthType.PERCENTAGE },
    rows: rows.map(
      (row, index) =>
        new TableRow({
          tableHeader: index === 0,
          children: row.map((text) => {
            const run = new TextRun({ text, bold: index === 0 });
            return new TableCell({ children: [new Paragraph({ children: [run] })] });
          }),
        }),
    ),
  });
}
