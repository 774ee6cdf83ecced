// Makes the PDF, Word and Excel files in `examples/` from their sources: node scripts/build-examples.js
import { readFile, writeFile } from "node:fs/promises";
import { readBlocks } from "./example-blocks.js";
import { makePolicy } from "./example-docx.js";
import { makeManual } from "./example-pdf.js";
import { makePriceList } from "./example-xlsx.js";

const EXAMPLES = new URL("../examples/", import.meta.url);
const source = (name) => readFile(new URL(`source/${name}`, EXAMPLES), "utf8");

const manual = {
  title: "Larice Duo",
  subtitle: "User manual",
  edition:
    "For Larice Duo and Larice Duo R, from serial number LD-26-00001.\nEdition 3, March 2026, English.",
};
const files = {
  "larice-duo-manual.pdf": await makeManual(manual, readBlocks(await source("larice-duo-manual.md"))),
  "condizioni-reso-garanzia.docx": await makePolicy(
    "Condizioni di reso e garanzia",
    readBlocks(await source("condizioni-reso-garanzia.md")),
  ),
  "listino-prezzi-2026.xlsx": makePriceList(JSON.parse(await source("prezzi.json"))),
};
for (const [name, bytes] of Object.entries(files)) await writeFile(new URL(name, EXAMPLES), bytes);
