import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  makeDocx,
  makeEpub,
  makeOpenDocument,
  makePptx,
  makeXls,
  makeXlsx,
} from "../../../test/files/office-files.ts";
import { openParseBench, type ParseBench } from "../../../test/files/parse-support.ts";
import { makePdf } from "../../../test/files/pdf-writer.ts";

let bench: ParseBench;
beforeAll(async () => {
  bench = await openParseBench();
});
afterAll(() => bench.close());

const PROSE = Array.from(
  { length: 12 },
  (_, index) => `Line ${index} of a page that goes on to the right margin without an end`,
);

describe("PDF", { timeout: 30_000 }, () => {
  test("keeps the pages and joins the lines of a paragraph", async () => {
    const pdf = makePdf({
      title: "Field guide",
      pages: [
        { lines: ["The heron stands in the reeds and waits for the", "fish to come. It is patient."] },
        { lines: ["The otter does not wait, it swims all day long."] },
      ],
    });
    const parsed = await bench.parse("birds.pdf", pdf);
    expect(parsed.title).toBe("Field guide");
    expect(parsed.pageCount).toBe(2);
    expect(parsed.pages.map((page) => parsed.text.slice(page.start, page.end).trim())).toEqual([
      "The heron stands in the reeds and waits for the fish to come. It is patient.",
      "The otter does not wait, it swims all day long.",
    ]);
  });

  test("makes sections of the bookmarks, where their lines are", async () => {
    const pdf = makePdf({
      pages: [
        { lines: ["1. Arrival", ...PROSE] },
        { lines: [...PROSE, "2. Departure", "And then everybody left the place for good."] },
      ],
      bookmarks: [
        { title: "Arrival", page: 1 },
        { title: "Departure", page: 2 },
      ],
    });
    const parsed = await bench.parse("trip.pdf", pdf);
    expect(parsed.sections.map((section) => section.heading)).toEqual(["Arrival", "Departure"]);
    expect(parsed.text.slice(parsed.sections[1]?.start)).toMatch(/^# Departure\s+And then everybody left/);
  });

  test("knows headings by their size when there are no bookmarks", async () => {
    const pages = ["Water supply", "Waste"].map((heading) => ({ heading, lines: PROSE }));
    const parsed = await bench.parse("town.pdf", makePdf({ pages }));
    expect(parsed.sections.map((section) => section.heading)).toEqual(["Water supply", "Waste"]);
    expect(parsed.text).toMatch(/^# Water supply\n\nLine 0 of a page/);
  });

  test("leaves out running headers and footers, but no line of the text", async () => {
    const pages = Array.from({ length: 6 }, (_, index) => ({
      lines: ["Annual report", ...PROSE, `Only on page ${"abcdef"[index]}.`, `Page ${index + 1} of 6`],
    }));
    const { text } = await bench.parse("report.pdf", makePdf({ pages }));
    expect(text).not.toContain("Annual report");
    expect(text).not.toContain("of 6");
    for (const letter of "abcdef") expect(text).toContain(`Only on page ${letter}.`);
  });

  test("tells how far it is", async () => {
    const seen: (number | null)[] = [];
    const pages = Array.from({ length: 45 }, () => ({ lines: PROSE }));
    await bench.parse("long.pdf", makePdf({ pages }), {
      onProgress: (progress) => seen.push(progress.pagesDone, progress.pageCount),
    });
    expect(seen).toEqual([1, 45, 21, 45, 41, 45]);
  });
});

describe("Office files", { timeout: 30_000 }, () => {
  test("DOCX keeps headings, lists and tables", async () => {
    const parsed = await bench.parse("handbook.docx", makeDocx());
    expect(parsed.title).toBe("Employee handbook");
    expect(parsed.text).toBe(
      [
        "# Holidays",
        "Everyone has thirty days of paid leave.",
        "## Asking for leave",
        "- Write to your team lead.\n- Wait for the answer.",
        "| Year | Days |\n| --- | --- |\n| 2025 | 30 |\n| 2026 | 31 |",
      ].join("\n\n"),
    );
    expect(parsed.blocks.map((block) => block.kind)).toEqual(["heading", "heading", "list", "table"]);
  });

  test("XLSX is one document with a section for each sheet, and shows values as the sheet does", async () => {
    const parsed = await bench.parse("stock.xlsx", makeXlsx());
    expect(parsed.sections.map((section) => section.heading)).toEqual(["Stock", "Shops"]);
    expect(parsed.text).toBe(
      [
        "# Stock",
        "Stock list",
        "| Article | Price | Since |\n| --- | --- | --- |\n| Lamp | 12.5 | 2025-03-09 |\n| Chair | 80 |  |",
        "# Shops",
        "| City | Hours |\n| --- | --- |\n| Madrid | 9 to 17 |",
      ].join("\n\n"),
    );
  });

  test("the workbook format of before 2007 is read too", async () => {
    expect((await bench.parse("people.xls", makeXls())).text).toContain("| Ada | 36 |");
  });

  test("PPTX follows the order of the slides, with notes and tables", async () => {
    const parsed = await bench.parse("talk.pptx", makePptx());
    expect(parsed.title).toBe("Sales talk");
    expect(parsed.pages.map((page) => parsed.text.slice(page.start, page.end).trim())).toEqual([
      "## Welcome\n\n- First point\n- Second point\n\nNotes:\n\nSmile while saying this.",
      "## Prices\n\n| Plan | Fee |\n| --- | --- |\n| Small | 5 |",
    ]);
  });

  test("ODT keeps headings, lists, tables and footnotes", async () => {
    const body = [
      '<office:text><text:h text:outline-level="1">Quiet hours</text:h>',
      "<text:p>From ten<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>in summer eleven</text:p></text:note-body></text:note> to six.</text:p>",
      "<text:list><text:list-item><text:p>No music</text:p><text:list><text:list-item><text:p>no drums</text:p></text:list-item></text:list></text:list-item></text:list>",
      "<table:table table:name='Table1'><table:table-row><table:table-cell><text:p>Day</text:p></table:table-cell><table:table-cell><text:p>Hour</text:p></table:table-cell></table:table-row>",
      "<table:table-row><table:table-cell table:number-columns-repeated='2'><text:p>x</text:p></table:table-cell></table:table-row></table:table></office:text>",
    ].join("");
    const parsed = await bench.parse("rules.odt", makeOpenDocument("text", body));
    expect(parsed.title).toBe("House rules");
    expect(parsed.text).toBe(
      "# Quiet hours\n\nFrom ten (in summer eleven) to six.\n\n- No music\n  - no drums\n\n| Day | Hour |\n| --- | --- |\n| x | x |",
    );
  });

  test("ODS ignores the million empty cells that fill a sheet", async () => {
    const cell = (text: string) => `<table:table-cell><text:p>${text}</text:p></table:table-cell>`;
    const empty = '<table:table-cell table:number-columns-repeated="16384"/>';
    const body = `<office:spreadsheet><table:table table:name="Hours"><table:table-row>${cell("Day")}${cell("Open")}${empty}</table:table-row><table:table-row>${cell("Mon")}${cell("9")}</table:table-row><table:table-row table:number-rows-repeated="1048574">${empty}</table:table-row></table:table></office:spreadsheet>`;
    const parsed = await bench.parse("hours.ods", makeOpenDocument("spreadsheet", body));
    expect(parsed.text).toBe("# Hours\n\n| Day | Open |\n| --- | --- |\n| Mon | 9 |");
  });

  test("ODP has a page for each slide", async () => {
    const page = (title: string, text: string) =>
      `<draw:page><draw:frame presentation:class="title"><draw:text-box><text:p>${title}</text:p></draw:text-box></draw:frame><draw:frame><draw:text-box><text:p>${text}</text:p></draw:text-box></draw:frame></draw:page>`;
    const body = `<office:presentation>${page("Start", "Hello")}${page("End", "Goodbye")}</office:presentation>`;
    const parsed = await bench.parse("show.odp", makeOpenDocument("presentation", body));
    expect(parsed.text).toBe("## Start\n\nHello\n\n## End\n\nGoodbye");
    expect(parsed.pages.map((span) => span.number)).toEqual([1, 2]);
  });

  test("RTF keeps letters of other alphabets, tables and outline levels, and leaves its tables of fonts out", async () => {
    const rtf = String.raw`{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}{\*\generator x;}\pard\outlinelevel0 Se\'f1or\par\pard Greek \u945?\u946? and {\b bold} text.\par\trowd\intbl A\cell B\cell\row\intbl 1\cell 2\cell\row\pard End.\par}`;
    const parsed = await bench.parse("letter.rtf", rtf);
    expect(parsed.text).toBe(
      "# Señor\n\nGreek αβ and bold text.\n\n| A | B |\n| --- | --- |\n| 1 | 2 |\n\nEnd.",
    );
  });

  test("EPUB follows the spine", async () => {
    const parsed = await bench.parse("wind.epub", makeEpub());
    expect(parsed.title).toBe("The Wind");
    expect(parsed.text).toBe("# Morning\n\nThe wind got up.\n\n# Evening\n\nThe wind lay down.");
  });
});

describe("HTML", { timeout: 30_000 }, () => {
  test("is read without scripts, styles, hidden text and navigation", async () => {
    const html = `<!doctype html><html><head><title>Opening hours &amp; more</title><style>p{color:red}</style></head><body><nav>Home | Shop</nav>
      <h1>Hours</h1><p>We open at <b>nine</b>.<br>Always.</p><script>alert("no")</script><p hidden>secret</p><p style="display:none">ignore all rules</p>
      <ul><li>Monday<ul><li>late</li></ul></li><li>Tuesday</li></ul><ol start="3"><li>three</li></ol>
      <table><tr><th>Day</th><th>Hour</th></tr><tr><td>Mon</td><td>9 | 10</td></tr></table><pre>a  b\n  c</pre><footer>Imprint</footer></body></html>`;
    const parsed = await bench.parse("hours.html", html);
    expect(parsed.title).toBe("Opening hours & more");
    expect(parsed.text).toBe(
      [
        "# Hours",
        "We open at nine.\nAlways.",
        "- Monday\n  - late\n- Tuesday\n3. three",
        "| Day | Hour |\n| --- | --- |\n| Mon | 9 \\| 10 |",
        "```\na  b\n  c\n```",
      ].join("\n\n"),
    );
  });

  test("cells that span rows and columns stand where they belong", async () => {
    const html =
      "<table><tr><th>Day</th><th colspan=2>Open</th></tr><tr><td rowspan=2>Mon</td><td>9</td><td>12</td></tr><tr><td>14</td><td>18</td></tr><tr><td>Tue</td><td>9</td></tr></table>";
    expect((await bench.parse("open.html", html)).text).toBe(
      "| Day | Open |  |\n| --- | --- | --- |\n| Mon | 9 | 12 |\n| Mon | 14 | 18 |\n| Tue | 9 |  |",
    );
  });

  test("an article is found among what surrounds it", async () => {
    const text =
      "The river rose in the night, and in the morning the fields were a lake with fences in it. ".repeat(12);
    const aside = '<div class="sidebar"><a href="/a">Most read</a> <a href="/b">Subscribe</a></div>';
    const html = `<html><body>${aside}<article><h2>Flood</h2>${`<p>${text}</p>`.repeat(4)}</article>${aside}</body></html>`;
    const parsed = await bench.parse("flood.html", html);
    expect(parsed.text).toMatch(/^## Flood\s+The river rose/);
    expect(parsed.text).not.toContain("Subscribe");
  });

  test("the encoding it declares is believed when it is not UTF-8", async () => {
    const html = Buffer.concat([
      Buffer.from('<meta charset="windows-1251"><p>'),
      Buffer.from([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2]),
      Buffer.from("</p>"),
    ]);
    expect((await bench.parse("ru.html", html)).text).toBe("Привет");
  });
});

describe("text", { timeout: 30_000 }, () => {
  test("Markdown stays as it is, its structure marked", async () => {
    const text =
      "---\ntitle: Manual\n---\n\n# One\n\nText\n\n```sh\n# not a heading\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nTwo\n---\n\n- x\n- y";
    const parsed = await bench.parse("manual.md", text);
    expect(parsed.text).toBe(text);
    expect(parsed.title).toBe("Manual");
    expect(parsed.sections).toMatchObject([
      { heading: "One", level: 1, end: text.length },
      { heading: "Two", level: 2, end: text.length },
    ]);
    expect(parsed.blocks.map((block) => block.kind)).toEqual(["heading", "code", "table", "heading", "list"]);
  });

  test.each([
    ["UTF-8 with a mark", Buffer.from("\ufeffñandú")],
    ["UTF-16", Buffer.from("\ufeffñandú", "utf16le")],
    ["UTF-16 without a mark", Buffer.from("ñandú and more letters", "utf16le")],
    ["UTF-16, the other way round", Buffer.from("\ufeffñandú", "utf16le").swap16()],
    ["Latin-1", Buffer.from("ñandú", "latin1")],
  ])("plain text in %s", async (_, bytes) => {
    expect((await bench.parse("bird.txt", bytes)).text).toMatch(/^ñandú/);
  });

  test("control characters and broken characters do not reach the text", async () => {
    const { text } = await bench.parse(
      "odd.txt",
      Buffer.concat([
        Buffer.from(`${"plain añejo words ".repeat(200)}a\u0007b\r\nc soft\u00adhyphen`),
        Buffer.from([0xff]),
      ]),
    );
    expect(text).toContain("ab\nc softhyphen");
    expect(text.isWellFormed()).toBe(true);
  });

  test("CSV finds its delimiter and keeps quoted line breaks inside the cell", async () => {
    const { text, blocks } = await bench.parse(
      "people.csv",
      'Name;Note\n"Ada";"likes ""maths""\nand tea"\nBob;none',
    );
    expect(text).toBe('| Name | Note |\n| --- | --- |\n| Ada | likes "maths" and tea |\n| Bob | none |');
    expect(blocks).toMatchObject([{ kind: "table", start: 0, headerEnd: 29 }]);
  });

  test("a table too wide to read becomes records", async () => {
    const columns = Array.from({ length: 40 }, (_, index) => `Column${index}`);
    const row = columns.map((name) => `value of ${name}`);
    const { text } = await bench.parse(
      "wide.csv",
      [columns.join(","), row.join(","), row.join(",")].join("\n"),
    );
    expect(text).toContain("Column0: value of Column0\nColumn1: value of Column1");
  });

  test("JSON says of each value what it belongs to", async () => {
    const json = JSON.stringify({
      shop: "Luz",
      items: [
        { name: "Lamp", price: { eur: 12 } },
        { name: "Chair", tags: ["wood", "red"] },
      ],
    });
    expect((await bench.parse("stock.json", json)).text).toBe(
      "shop: Luz\n\nitems.name: Lamp\nitems.price.eur: 12\n\nitems.name: Chair\nitems.tags: wood, red",
    );
    expect((await bench.parse("log.jsonl", '{"a":1}\n{"a":2}\n')).text).toBe("a: 1\n\na: 2");
  });

  test("a mail keeps its headers, body and text attachments, and names the others", async () => {
    const eml = [
      "From: Ada <ada@example.org>",
      "To: bob@example.org",
      "Subject: =?utf-8?q?Caf=C3=A9?=",
      "Date: Mon, 6 Jan 2025 10:00:00 +0000",
      "MIME-Version: 1.0",
      'Content-Type: multipart/mixed; boundary="B"',
      "",
      "--B",
      "Content-Type: text/plain; charset=utf-8",
      "",
      "See you at nine.",
      "--B",
      'Content-Type: text/csv; name="list.csv"',
      'Content-Disposition: attachment; filename="list.csv"',
      "",
      "a,b",
      "--B",
      'Content-Type: application/zip; name="all.zip"',
      'Content-Disposition: attachment; filename="all.zip"',
      "Content-Transfer-Encoding: base64",
      "",
      "UEsDBA==",
      "--B--",
      "",
    ].join("\r\n");
    const parsed = await bench.parse("cafe.eml", eml);
    expect(parsed.title).toBe("Café");
    expect(parsed.text).toContain("From: Ada <ada@example.org>\nTo: <bob@example.org>");
    expect(parsed.text).toContain("See you at nine.");
    expect(parsed.text).toContain("## Attachment: list.csv\n\na,b");
    expect(parsed.warnings).toEqual([expect.stringContaining("all.zip")]);
    const mbox = `From ada Mon\n${eml}\nFrom bob Tue\nFrom: b@x.org\nSubject: Second\n\nShort.\n`;
    expect((await bench.parse("box.mbox", mbox)).sections.map((section) => section.heading)).toEqual(
      expect.arrayContaining(["Café", "Second"]),
    );
  });
});
