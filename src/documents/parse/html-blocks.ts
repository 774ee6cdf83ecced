import { Parser } from "htmlparser2";
import type { DocumentBuilder } from "./document-builder.ts";
import { ParseFailure } from "./parse-failure.ts";
import { createTableGrid } from "./table-grid.ts";

/** Deeper than any page people wrote; the parser's cost grows with the square of the depth. */
const MAX_DEPTH = 2_000;

export interface HtmlOptions {
  /** Leave out navigation, page headers and footers, side columns and forms. */
  skipBoilerplate?: boolean;
  /** Added to the level of each heading, for pages inside a larger document. */
  headingOffset?: number;
}

/**
 * Writes the readable text of HTML into the builder: headings, paragraphs, lists, tables and code keep their kind;
 * scripts, styles and everything hidden are left out. Streams, so depth and size cost no stack.
 *
 * @returns the content of `<title>`, or null.
 */
export function writeHtml(html: string, builder: DocumentBuilder, options: HtmlOptions = {}): string | null {
  const writer = createWriter(builder, options);
  let title: string | null = null;
  let inTitle = false;
  let depth = 0;
  // Everything below an element that is skipped is skipped: this is the depth it was met at.
  let skipDepth = 0;
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        depth += 1;
        if (depth > MAX_DEPTH) throw tooDeep();
        if (skipDepth > 0) return;
        if (name === "title") inTitle = true;
        else if (isSkipped(name, attributes, options.skipBoilerplate === true)) skipDepth = depth;
        else writer.open(name, attributes);
      },
      ontext(text) {
        if (skipDepth > 0) return;
        if (inTitle) title = (title ?? "") + text;
        else writer.text(text);
      },
      onclosetag(name) {
        if (skipDepth === 0 && name !== "title") writer.close(name);
        if (skipDepth === depth) skipDepth = 0;
        inTitle = inTitle && name !== "title";
        depth -= 1;
      },
    },
    { decodeEntities: true },
  );
  parser.write(html);
  parser.end();
  writer.finish();
  return title;
}

function tooDeep(): ParseFailure {
  return new ParseFailure(
    "damaged",
    `The page nests its elements more than ${MAX_DEPTH} deep; it cannot be read.`,
  );
}

const NEVER_READ = new Set(
  "script style noscript template svg iframe object embed canvas audio video map select datalist meta link dialog".split(
    " ",
  ),
);
const BOILERPLATE = new Set("nav header footer aside form button menu".split(" "));
const BOILERPLATE_ROLES = /^(?:navigation|banner|contentinfo|complementary|search|menu|menubar)$/;

function isSkipped(name: string, attributes: Record<string, string>, skipBoilerplate: boolean): boolean {
  if (NEVER_READ.has(name) || "hidden" in attributes || attributes["aria-hidden"] === "true") return true;
  if (/display\s*:\s*none|visibility\s*:\s*hidden/i.test(attributes.style ?? "")) return true;
  return skipBoilerplate && (BOILERPLATE.has(name) || BOILERPLATE_ROLES.test(attributes.role ?? ""));
}

const PARAGRAPHS = new Set(
  "p div section article main header footer aside nav address blockquote figure figcaption dl dt dd details summary form fieldset legend center body html hr caption table thead tbody tfoot menu hgroup title".split(
    " ",
  ),
);

interface Writer {
  open(name: string, attributes: Record<string, string>): void;
  text(text: string): void;
  close(name: string): void;
  finish(): void;
}

interface ListState {
  ordered: boolean;
  count: number;
}

function createWriter(builder: DocumentBuilder, options: HtmlOptions): Writer {
  const lists: ListState[] = [];
  let inline: string[] = [];
  let preDepth = 0;
  let item: { marker: string; depth: number } | null = null;
  // Tables inside tables add their text to the cell they are in.
  let tableDepth = 0;
  let grid = createTableGrid();
  let spans = { columns: 1, rows: 1 };

  function take(): string {
    const raw = inline.join("");
    inline = [];
    return raw
      .replace(/[ \t\n\r\f]+/g, " ")
      .replace(/ ?\v ?/g, "\n")
      .trim();
  }

  function flush(): void {
    if (inline.length === 0) return;
    if (tableDepth > 0) {
      inline.push(" ");
      return;
    }
    const text = take();
    if (!text) return;
    if (item) builder.listItem(item.depth, item.marker, text.replaceAll("\n", " "));
    else if (lists.length > 0) builder.listItem(lists.length, "", text.replaceAll("\n", " "));
    else builder.paragraph(text);
    item = null;
  }

  function openItem(): void {
    const list = lists.at(-1);
    if (list) list.count += 1;
    item = { marker: list?.ordered ? `${list.count}.` : "-", depth: Math.max(0, lists.length - 1) };
  }

  function closeTable(): void {
    tableDepth -= 1;
    if (tableDepth > 0) return;
    inline = [];
    builder.table(grid.rows());
    grid = createTableGrid();
  }

  return {
    open(name, attributes) {
      if (name === "br") inline.push(preDepth > 0 ? "\n" : "\v");
      else if (name === "img") inline.push(attributes.alt ? ` ${attributes.alt} ` : "");
      else if (name === "table") {
        if (tableDepth === 0) flush();
        tableDepth += 1;
      } else if (tableDepth > 0) {
        if (tableDepth === 1 && name === "tr") grid.openRow();
        else if (tableDepth === 1 && (name === "td" || name === "th")) {
          inline = [];
          spans = { columns: readSpan(attributes.colspan), rows: readSpan(attributes.rowspan) };
        } else if (PARAGRAPHS.has(name) || name === "li") inline.push(" ");
      } else if (name === "pre") {
        flush();
        preDepth += 1;
      } else if (name === "ul" || name === "ol") {
        flush();
        lists.push({ ordered: name === "ol", count: Number.parseInt(attributes.start ?? "1", 10) - 1 || 0 });
      } else if (name === "li") {
        flush();
        openItem();
      } else if (PARAGRAPHS.has(name) || isHeading(name)) flush();
    },
    text(text) {
      inline.push(text);
    },
    close(name) {
      if (tableDepth > 0) {
        if (name === "table") closeTable();
        else if (tableDepth === 1 && (name === "td" || name === "th")) grid.addCell(take(), spans);
        else if (PARAGRAPHS.has(name) || name === "li") inline.push(" ");
      } else if (name === "pre") {
        preDepth -= 1;
        if (preDepth > 0) return;
        builder.code(inline.join(""));
        inline = [];
      } else if (name === "ul" || name === "ol") {
        flush();
        lists.pop();
      } else if (name === "li") {
        flush();
        item = null;
      } else if (isHeading(name)) {
        builder.heading(Number(name[1]) + (options.headingOffset ?? 0), take());
      } else if (PARAGRAPHS.has(name) && preDepth === 0) flush();
    },
    finish() {
      while (tableDepth > 0) closeTable();
      flush();
    },
  };
}

function readSpan(attribute: string | undefined): number {
  return Number.parseInt(attribute ?? "1", 10) || 1;
}

function isHeading(name: string): boolean {
  return name.length === 2 && name[0] === "h" && name >= "h1" && name <= "h6";
}
