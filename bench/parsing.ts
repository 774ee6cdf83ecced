// Measures reading and chunking, with files made on the spot. Run: node bench/parsing.ts [seconds per row]
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { utils, write } from "@e965/xlsx";
import { encode } from "gpt-tokenizer/encoding/o200k_base";
import { type Chunk, chunkDocument } from "../src/documents/chunk.ts";
import { createDocumentParser } from "../src/documents/parse/document-parser.ts";
import type { ParsedDocument } from "../src/documents/parse/parsed-document.ts";
import { makeDocx } from "../test/files/office-files.ts";
import { makePdf } from "../test/files/pdf-writer.ts";
import { makePng } from "../test/files/png-writer.ts";
import { makeScan } from "../test/files/scan-writer.ts";

interface Row {
  what: string;
  /** How often a second the whole thing was done. */
  perSecond: number;
  /** What one run moves: pages, MB, files. */
  units: number;
  unit: string;
  /** Runs in a second of processor time, of both processes together: what a busy machine cannot take away. */
  perCpuSecond: number;
  /** Deflating a fixed megabyte, measured at the same time: how many of those one run costs. */
  ratio: number;
  peakMb: number;
}

const WORDS =
  "the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which one you were her all she there would their we him been has when who will more no if out so said what up its about into than them can only other new some could time these two may then do first any my now such like our over man me even most made after also did many before must through back years where much your way well down should because each just those people too how little state good very make world still own see men work long here get both between life being under never day same another know while last might us great old year off come since against go came right used take three".split(
    " ",
  );

const SECONDS = Number(process.argv[2] ?? 3);
const REFERENCE = Buffer.from(makeProse(1_000_000, 7));

await main();

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "bench-parsing-"));
  const rows: Row[] = [];
  try {
    for (const file of await makeFiles()) rows.push(await measureReading(folder, file));
    rows.push(await measureSmallFiles(folder));
    for (const [what, document] of await makeChunkerInputs(folder))
      rows.push(await measureChunking(what, document));
  } finally {
    await rm(folder, { recursive: true });
  }
  console.log(
    `${cpus()[0]?.model.trim()}, one reading process, ${SECONDS} s a row; ratio: runs of deflating 1 MB, at the same time`,
  );
  console.table(
    rows.map((row) => ({
      what: row.what,
      "runs/s": round(row.perSecond),
      rate: `${round(row.perSecond * row.units)} ${row.unit}/s`,
      "rate per core": `${round(row.perCpuSecond * row.units)} ${row.unit}/s`,
      ratio: round(row.ratio),
      "peak MB": Math.round(row.peakMb),
    })),
  );
}

interface BenchFile {
  name: string;
  content: string | Uint8Array;
  units: number;
  unit: string;
}

async function makeFiles(): Promise<BenchFile[]> {
  const scan = makePng(await makeScan(makeProse(2_400, 3).match(/.{1,80}/g) ?? []));
  const table = Array.from({ length: 20_000 }, (_, index) => [
    `Article ${index}`,
    index * 3.5,
    "in stock",
    index % 7,
    "Madrid",
  ]);
  const book = utils.book_new();
  utils.book_append_sheet(book, utils.aoa_to_sheet(table), "Stock");
  const html = makeProse(1_300_000, 5).replaceAll(/(.{600}) /g, "<p>$1</p>\n");
  const body = makeProse(500_000, 6).replaceAll(
    /(.{500}) /g,
    '<w:p><w:r><w:t xml:space="preserve">$1</w:t></w:r></w:p>',
  );
  return [
    { name: "50 pages.pdf", content: makePages(50), units: 50, unit: "pages" },
    { name: "1000 pages.pdf", content: makePages(1_000), units: 1_000, unit: "pages" },
    { name: "scan.png", content: scan, units: 1, unit: "pages" },
    {
      name: "0.5 MB.docx",
      content: makeDocx(body.slice(body.indexOf("<w:p>"), body.lastIndexOf("</w:p>") + 6)),
      units: 0.5,
      unit: "MB",
    },
    {
      name: "20,000 rows.xlsx",
      content: new Uint8Array(write(book, { type: "array", bookType: "xlsx", compression: true })),
      units: 20_000,
      unit: "rows",
    },
    { name: "1.3 MB.html", content: `<html><body>${html}</body></html>`, units: 1.3, unit: "MB" },
    { name: "5 MB.txt", content: makeProse(5_000_000, 8), units: 5, unit: "MB" },
    {
      name: "20,000 rows.csv",
      content: table.map((row) => row.join(",")).join("\n"),
      units: 20_000,
      unit: "rows",
    },
  ];
}

/** A page as a report has it: 46 lines of about 85 characters. */
function makePages(count: number): Buffer {
  const lines = makeProse(46 * 86 * 50, 1).match(/.{1,85}(?: |$)/g) ?? [];
  const pages = Array.from({ length: count }, (_, page) => ({
    lines: Array.from({ length: 46 }, (_, line) => lines[(page * 46 + line) % lines.length] ?? ""),
  }));
  return makePdf({ pages });
}

/** Sentences and paragraphs of common English words; the same seed gives the same text. */
function makeProse(chars: number, seed: number): string {
  let state = seed;
  const next = (limit: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 8) % limit;
  };
  let text = "";
  while (text.length < chars) {
    const sentence = Array.from({ length: 6 + next(14) }, () => WORDS[next(WORDS.length)]).join(" ");
    text += `${sentence[0]?.toUpperCase()}${sentence.slice(1)}. ${next(8) === 0 ? "\n\n" : ""}`;
  }
  return text.slice(0, chars);
}

async function measureReading(folder: string, file: BenchFile): Promise<Row> {
  const path = join(folder, file.name);
  await writeFile(path, file.content);
  const parser = createDocumentParser({ recycleBytes: Number.POSITIVE_INFINITY });
  const fileName = file.name;
  // The first file pays for starting the process and loading the reader.
  await parser.parseDocument({ path, fileName });
  const row = await measure(fileName, file.units, file.unit, async () => {
    await parser.parseDocument({ path, fileName });
  });
  await parser.close();
  return row;
}

async function measureSmallFiles(folder: string): Promise<Row> {
  const path = join(folder, "small.txt");
  await writeFile(path, makeProse(1_000, 2));
  const parser = createDocumentParser();
  const row = await measure("1 KB.txt", 1, "files", async () => {
    for (let index = 0; index < 20; index += 1) await parser.parseDocument({ path, fileName: "small.txt" });
  });
  await parser.close();
  return {
    ...row,
    perSecond: row.perSecond * 20,
    perCpuSecond: row.perCpuSecond * 20,
    ratio: row.ratio / 20,
  };
}

async function makeChunkerInputs(folder: string): Promise<[string, ParsedDocument][]> {
  const parser = createDocumentParser();
  const read = async (name: string, content: string): Promise<[string, ParsedDocument]> => {
    const path = join(folder, name);
    await writeFile(path, content);
    return [`chunk ${name}`, await parser.parseDocument({ path, fileName: name })];
  };
  const prose = makeProse(5_000_000, 4);
  const markdown = prose
    .split("\n\n")
    .map((paragraph, index) => (index % 5 === 0 ? `## Part ${index}\n\n${paragraph}` : paragraph));
  const inputs = [
    await read("prose 5 MB.txt", prose),
    await read("headings 5 MB.md", markdown.join("\n\n")),
    await read("one line 5 MB.txt", prose.replaceAll("\n", " ")),
    await read(
      "rows.csv",
      Array.from(
        { length: 80_000 },
        (_, index) => `Article ${index},${index * 3.5},in stock,${index % 7},Madrid`,
      ).join("\n"),
    ),
  ];
  await parser.close();
  return inputs;
}

async function measureChunking(what: string, document: ParsedDocument): Promise<Row> {
  let chunks: Chunk[] = [];
  const row = await measure(what, document.text.length / 1e6, "MB", async () => {
    chunks = chunkDocument(document);
  });
  const sample = chunks.filter((_, index) => index % Math.ceil(chunks.length / 300) === 0);
  const exact = sample.map((chunk) => encode(chunk.text).length);
  const mean = exact.reduce((sum, count) => sum + count, 0) / exact.length;
  const estimate = sample.reduce((sum, chunk) => sum + chunk.tokens, 0) / sample.length;
  console.log(
    `${what}: ${chunks.length} chunks, estimated ${Math.round(estimate)} tokens each; by o200k ${Math.round(mean)} on average, at most ${Math.max(...exact)}`,
  );
  return row;
}

/** Runs the work and the reference by turns, so that a busy machine slows both. */
async function measure(what: string, units: number, unit: string, work: () => Promise<void>): Promise<Row> {
  let runs = 0;
  let workMs = 0;
  let referenceMs = 0;
  let cpuMs = -(await readChildren()).cpuMs;
  let peakMb = 0;
  while (workMs < SECONDS * 1000 || runs < 3) {
    let at = performance.now();
    deflateSync(REFERENCE, { level: 1 });
    referenceMs += performance.now() - at;
    at = performance.now();
    const cpu = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(cpu);
    cpuMs += (user + system) / 1000;
    workMs += performance.now() - at;
    runs += 1;
    peakMb = Math.max(peakMb, (await readChildren()).peakMb);
  }
  cpuMs += (await readChildren()).cpuMs;
  const perCpuSecond = (runs * 1000) / cpuMs;
  return {
    what,
    perSecond: (runs * 1000) / workMs,
    perCpuSecond,
    units,
    unit,
    ratio: workMs / referenceMs,
    peakMb,
  };
}

/** What the reading process has used so far; nothing when there is none. Linux only. */
async function readChildren(): Promise<{ peakMb: number; cpuMs: number }> {
  const used = { peakMb: 0, cpuMs: 0 };
  try {
    const children = await readFile(`/proc/self/task/${process.pid}/children`, "latin1");
    for (const pid of children.trim().split(" ").filter(Boolean)) {
      const status = await readFile(`/proc/${pid}/status`, "latin1");
      const fields = (await readFile(`/proc/${pid}/stat`, "latin1")).split(") ")[1]?.split(" ") ?? [];
      used.peakMb = Math.max(used.peakMb, Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024);
      // User and system time, in hundredths of a second.
      used.cpuMs += (Number(fields[11]) + Number(fields[12])) * 10;
    }
  } catch {
    // Another system: these columns stay empty.
  }
  return used;
}

function round(value: number): number {
  return value >= 100 ? Math.round(value) : Math.round(value * 10) / 10;
}
