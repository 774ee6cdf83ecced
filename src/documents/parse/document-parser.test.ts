import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeDocx, makeEpub, makeOpenDocument, makeXlsx } from "../../../test/files/office-files.ts";
import { openParseBench, type ParseBench } from "../../../test/files/parse-support.ts";
import { makePdf } from "../../../test/files/pdf-writer.ts";
import { makePng } from "../../../test/files/png-writer.ts";
import { makeZip } from "../../../test/files/zip-writer.ts";

let bench: ParseBench;
beforeAll(async () => {
  bench = await openParseBench();
});
afterAll(async () => {
  // Whatever was thrown at it, it still reads.
  expect((await bench.parse("last.txt", "still here")).text).toBe("still here");
  await bench.close();
});

const PDF = makePdf({ pages: [{ lines: ["A page with more than twenty characters on it."] }] });

describe("files that cannot be read", { timeout: 60_000 }, () => {
  test.each([
    ["a PDF with a password", "a.pdf", makePdf({ pages: [{ lines: ["x"] }], encrypted: true }), "encrypted"],
    ["a PDF cut off early", "a.pdf", PDF.subarray(0, 60), "damaged"],
    [
      "a PDF of noise",
      "a.pdf",
      Buffer.concat([Buffer.from("%PDF-1.7\n"), Buffer.alloc(5_000, 0xa7)]),
      "damaged",
    ],
    ["a PDF of blank pages", "a.pdf", makePdf({ pages: [{}, {}] }), "empty"],
    ["a DOCX cut off", "a.docx", makeDocx().subarray(0, 900), "damaged"],
    ["a DOCX with broken XML inside", "a.docx", makeDocx("<w:p><w:r>"), "damaged"],
    ["a zip that is no DOCX", "a.docx", makeZip([{ name: "x.txt", content: "x" }]), "type_mismatch"],
    [
      "a zip with a password",
      "a.docx",
      makeDocx("", [{ name: "s", content: "x", encrypted: true }]),
      "encrypted",
    ],
    ["an ODT with a password", "a.odt", makeOpenDocument("text", "", "<encryption-data/>"), "encrypted"],
    [
      "a protected EPUB",
      "a.epub",
      makeEpub('<EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/>'),
      "encrypted",
    ],
    ["broken JSON", "a.json", '{"a": }', "damaged"],
    ["a text file of white space", "a.txt", " \n\t ", "empty"],
    ["a page with nothing to read", "a.html", "<script>x()</script>", "empty"],
    ["a mail that is none", "a.eml", "just words", "damaged"],
    [
      "a broken picture",
      "a.png",
      makePng({ width: 4, height: 4, pixels: new Uint8Array(16) }).subarray(0, 40),
      "damaged",
    ],
    ["a sound", "a.mp3", Buffer.from("ID3\u0004\0\0"), "needs_transcription"],
    ["a file of no known kind", "a.xyz", "x", "unsupported_type"],
    ["a file that lies", "a.pdf", "hello", "type_mismatch"],
  ])("%s says so", async (_, name, content, code) => {
    const failure = await bench.fail(name, content);
    expect(failure.code, failure.detail ?? failure.message).toBe(code);
    expect(failure.message).toMatch(/^[A-Z].*\.$/s);
  });

  test("a file that is not there is the server's trouble, told without its path", async () => {
    const failure = await bench.fail("a.txt", "x", { path: "/nowhere/at/all" });
    expect(failure.code).toBe("unavailable");
    expect(failure.message).not.toContain("nowhere");
  });
});

describe("bombs", { timeout: 60_000 }, () => {
  test("a DOCX whose parts would fill the disk is refused by its directory", async () => {
    const bomb = makeDocx("<w:p/>", [{ name: "word/huge.xml", content: "x", claimedBytes: 900_000_000 }]);
    expect((await bench.fail("a.docx", bomb)).code).toBe("too_much_memory");
  });

  test("a zip that unpacks to more than it promises stops at the promise", async () => {
    const bomb = makeDocx("<w:p/>", [
      { name: "word/huge.xml", content: Buffer.alloc(50_000_000), claimedBytes: 10 },
    ]);
    expect((await bench.fail("a.docx", bomb)).code).toBe("damaged");
  });

  test("a sheet of a hundred million cells is ended", async () => {
    const row = `<row>${"<c><v>1</v></c>".repeat(200)}</row>`;
    const sheet = `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>${row.repeat(90_000)}</sheetData></worksheet>`;
    const workbook =
      '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheets><sheet name="A" sheetId="1"/></sheets></workbook>';
    const bomb = makeZip([
      {
        name: "[Content_Types].xml",
        content: '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
      },
      { name: "xl/workbook.xml", content: workbook },
      { name: "xl/worksheets/sheet1.xml", content: sheet },
    ]);
    expect(["too_much_memory", "too_slow", "too_much_text"]).toContain(
      (await bench.fail("a.xlsx", bomb)).code,
    );
  });

  test("a PDF whose page unpacks to 400 MB is ended by memory or time", async () => {
    const operators = Buffer.from("(x) Tj ".repeat(60_000_000), "latin1");
    const failure = await bench.fail("a.pdf", makePdf({ pages: [{ operators }] }));
    expect(["too_much_memory", "too_slow"]).toContain(failure.code);
  });

  test("a PDF that claims a million pages is refused before the first", async () => {
    const loop = Buffer.from(
      PDF.toString("latin1").replace("/Kids [4 0 R] /Count 1", "/Kids [2 0 R] /Count 1000000"),
      "latin1",
    );
    const failure = await bench.fail("a.pdf", loop);
    expect(["too_many_pages", "damaged"]).toContain(failure.code);
  });

  test("JSON, HTML and XML nested without end are refused", async () => {
    expect((await bench.fail("a.json", "[".repeat(500_000) + "]".repeat(500_000))).code).toBe("damaged");
    expect((await bench.fail("a.html", "<div>".repeat(500_000))).code).toBe("damaged");
    expect((await bench.fail("a.odt", makeOpenDocument("text", "<text:p>".repeat(100_000)))).code).toBe(
      "damaged",
    );
    expect((await bench.fail("a.rtf", `{\\rtf1 ${"{".repeat(500_000)}x`)).code).toBe("damaged");
  });

  test("a billion laughs are not laughed", async () => {
    const doctype =
      '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>';
    const odt = makeOpenDocument("text", "<text:p>one &c; two</text:p>");
    expect((await bench.parse("a.odt", odt)).text).not.toContain("haha");
    const docx = makeZip([
      { name: "_rels/.rels", content: "<Relationships/>" },
      {
        name: "word/document.xml",
        content: `${doctype}<w:document xmlns:w="w"><w:body><w:p><w:r><w:t>&c;</w:t></w:r></w:p></w:body></w:document>`,
      },
    ]);
    expect(["damaged", "empty"]).toContain((await bench.fail("a.docx", docx)).code);
  });

  test("a picture that claims a billion pixels is refused by its header", async () => {
    const png = makePng({ width: 1, height: 1, pixels: Uint8Array.of(0) }, { width: 50_000, height: 50_000 });
    expect((await bench.fail("a.png", png)).code).toBe("too_much_memory");
  });
});

describe("limits", { timeout: 60_000 }, () => {
  test("pages, text, time and memory each have their own code", async () => {
    const tight = await openParseBench({ limits: { maxPages: 2, maxTextChars: 5_000 } });
    const pages = Array.from({ length: 3 }, () => ({ lines: ["x"] }));
    expect((await tight.fail("a.pdf", makePdf({ pages }))).code).toBe("too_many_pages");
    expect((await tight.fail("a.txt", "word ".repeat(2_000))).code).toBe("too_much_text");
    expect((await tight.fail("a.csv", "a,b\n".repeat(1_400))).code).toBe("too_much_text");
    expect((await tight.fail("a.xlsx", makeXlsx().subarray(0, 0))).code).toBe("empty");
    await tight.close();

    const hurried = await openParseBench({ limits: { timeoutMs: 1 } });
    expect((await hurried.fail("a.txt", "x")).code).toBe("too_slow");
    await hurried.close();

    const small = await openParseBench({ limits: { memoryBytes: 160 * 1024 * 1024, timeoutMs: 20_000 } });
    expect((await small.fail("a.json", `[${'{"key":"value"},'.repeat(2_000_000)}{}]`)).code).toBe(
      "too_much_memory",
    );
    await small.close();
  });

  test("a signal ends the work and the next file is read by a new process", async () => {
    const controller = new AbortController();
    const pages = Array.from({ length: 3_000 }, () => ({
      lines: Array.from({ length: 50 }, () => "x ".repeat(40)),
    }));
    const failing = bench.fail("a.pdf", makePdf({ pages }), {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    expect((await failing).code).toBe("cancelled");
    expect((await bench.fail("b.txt", "x", { signal: AbortSignal.abort() })).code).toBe("cancelled");
    expect((await bench.parse("c.txt", "fine")).text).toBe("fine");
  });

  test("files wait their turn, and one that gives up waiting lets the others pass", async () => {
    const parsed = await Promise.all(
      Array.from({ length: 40 }, (_, index) => bench.parse("n.txt", `file ${index}`)),
    );
    expect(parsed.map((document) => document.text)).toEqual(
      Array.from({ length: 40 }, (_, index) => `file ${index}`),
    );
  });

  test("closing ends the file being read and leaves no process", async () => {
    const other = await openParseBench();
    const pages = Array.from({ length: 2_000 }, () => ({
      lines: Array.from({ length: 50 }, () => "x ".repeat(40)),
    }));
    const failing = other.fail("a.pdf", makePdf({ pages }), { onProgress: () => void other.close() });
    expect((await failing).code).toBe("cancelled");
  });

  test("ten million characters arrive whole", async () => {
    const text = "Zeile mit Umlauten: äöü 漢字 😀\n".repeat(400_000);
    const parsed = await bench.parse("big.txt", text);
    expect(parsed.text.length).toBe(text.trimEnd().length);
    expect(parsed.text === text.trimEnd()).toBe(true);
  });
});
