import { createDocumentBuilder, type DocumentBuilder } from "./document-builder.ts";
import { ParseFailure } from "./parse-failure.ts";
import type { ParsedDocument } from "./parsed-document.ts";
import { readBytes } from "./read-text.ts";
import type { ReadContext } from "./reader.ts";

const MAX_GROUPS = 10_000;

/** Rich Text Format: paragraphs, tables and outline levels; fonts, pictures and fields' instructions left out. */
export async function readRtf(context: ReadContext): Promise<ParsedDocument> {
  const source = readBytes(context).toString("latin1");
  if (!source.trimStart().startsWith("{\\rtf"))
    throw new ParseFailure("damaged", "The file is not RTF. Export it again.");
  const builder = createDocumentBuilder(context.limits);
  const writer = createRtfWriter(builder);
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(source); match; match = TOKEN.exec(source)) {
    const [, word, number, hex, symbol, brace, plain] = match;
    if (word === "bin") TOKEN.lastIndex += Math.max(0, Number(number ?? 0));
    else if (word !== undefined) writer.word(word, number === undefined ? null : Number(number));
    else if (hex !== undefined) writer.byte(Number.parseInt(hex, 16));
    else if (symbol !== undefined) writer.symbol(symbol);
    else if (brace !== undefined) writer.brace(brace === "{");
    else if (plain !== undefined) writer.plain(plain);
  }
  writer.finish();
  return builder.finish();
}

/** A control word with its number, a byte in hex, a control symbol, a brace, or plain text. */
const TOKEN = /\\([a-z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-f]{2})|\\([^a-z'])|([{}])|([^\\{}\r\n]+)/gi;

/** Groups whose content is not the document's text. */
const SKIPPED = new Set(
  "fonttbl colortbl stylesheet info pict object themedata colorschememapping latentstyles datastore xmlnstbl listtable listoverridetable rsidtbl generator fldinst header headerl headerr headerf footer footerl footerr footerf bkmkstart bkmkend annotation filetbl revtbl pntext".split(
    " ",
  ),
);

const CHARACTERS: Record<string, string> = {
  tab: "\t",
  line: "\n",
  emdash: "—",
  endash: "–",
  lquote: "‘",
  rquote: "’",
  ldblquote: "“",
  rdblquote: "”",
  bullet: "•",
  emspace: " ",
  enspace: " ",
};

interface Group {
  skipped: boolean;
  /** How many characters after a `\u` stand in for it in old readers. */
  fallbackChars: number;
}

interface RtfWriter {
  word(word: string, number: number | null): void;
  byte(byte: number): void;
  symbol(symbol: string): void;
  brace(open: boolean): void;
  plain(text: string): void;
  finish(): void;
}

function createRtfWriter(builder: DocumentBuilder): RtfWriter {
  let group: Group = { skipped: false, fallbackChars: 1 };
  const outer: Group[] = [];
  let decoder = new TextDecoder("windows-1252");
  let text = "";
  let pendingBytes: number[] = [];
  let toSkip = 0;
  let headingLevel = 0;
  let inTable = false;
  let row: string[] = [];
  let rows: string[][] = [];

  function flushBytes(): void {
    if (pendingBytes.length === 0) return;
    text += decoder.decode(Uint8Array.from(pendingBytes));
    pendingBytes = [];
  }

  function add(piece: string): void {
    if (group.skipped) return;
    flushBytes();
    text += piece;
  }

  function take(): string {
    flushBytes();
    const taken = text;
    text = "";
    return taken;
  }

  function endParagraph(): void {
    if (inTable) {
      add(" ");
      return;
    }
    endTable();
    if (headingLevel > 0) builder.heading(headingLevel, take());
    else builder.paragraph(take());
  }

  function endTable(): void {
    if (rows.length > 0) builder.table(rows);
    rows = [];
  }

  function unicode(number: number): void {
    add(String.fromCharCode(number < 0 ? number + 65_536 : number));
    toSkip = group.fallbackChars;
  }

  return {
    word(word, number) {
      if (SKIPPED.has(word)) group.skipped = true;
      if (group.skipped) return;
      if (word === "par" || word === "sect" || word === "page") endParagraph();
      else if (word === "pard") {
        inTable = false;
        headingLevel = 0;
      } else if (word === "intbl") inTable = true;
      else if (word === "outlinelevel") headingLevel = (number ?? 0) + 1;
      else if (word === "cell") row.push(take());
      else if (word === "row") {
        rows.push(row);
        row = [];
        inTable = false;
      } else if (word === "u" && number !== null) unicode(number);
      else if (word === "uc") group.fallbackChars = number ?? 1;
      else if (word === "ansicpg") decoder = findDecoder(number);
      else if (CHARACTERS[word]) add(CHARACTERS[word]);
    },
    byte(byte) {
      if (toSkip > 0) toSkip -= 1;
      else if (!group.skipped) pendingBytes.push(byte);
    },
    symbol(symbol) {
      if (symbol === "*") group.skipped = true;
      else if (symbol === "~") add(" ");
      else if (symbol === "_") add("-");
      else if (symbol === "\n" || symbol === "\r") endParagraph();
      else if ("\\{}".includes(symbol)) add(symbol);
    },
    brace(open) {
      flushBytes();
      toSkip = 0;
      if (!open) group = outer.pop() ?? group;
      else if (outer.push(group) > MAX_GROUPS)
        throw new ParseFailure("damaged", "The RTF nests its groups without end.");
      else group = { ...group };
    },
    plain(raw) {
      const piece = toSkip > 0 ? raw.slice(toSkip) : raw;
      toSkip = Math.max(0, toSkip - raw.length);
      add(piece);
    },
    finish() {
      inTable = false;
      if (row.length > 0) rows.push(row);
      endTable();
      endParagraph();
    },
  };
}

function findDecoder(codePage: number | null): InstanceType<typeof TextDecoder> {
  const labels: Record<number, string> = {
    932: "shift_jis",
    936: "gbk",
    949: "euc-kr",
    950: "big5",
    65001: "utf-8",
  };
  const label = codePage === null ? "windows-1252" : (labels[codePage] ?? `windows-${codePage}`);
  try {
    return new TextDecoder(label);
  } catch {
    return new TextDecoder("windows-1252");
  }
}
