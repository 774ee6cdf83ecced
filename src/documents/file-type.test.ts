import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  makeDocx,
  makeEpub,
  makeOpenDocument,
  makePptx,
  makeXls,
  makeXlsx,
} from "../../test/files/office-files.ts";
import { makePdf } from "../../test/files/pdf-writer.ts";
import { sniffContent } from "./file-signature.ts";
import {
  ACCEPTED_FILE_TYPES,
  checkFileType,
  FILE_HEAD_BYTES,
  findFileType,
  listAcceptedFileTypes,
} from "./file-type.ts";
import { ParseFailure } from "./parse/parse-failure.ts";

function check(fileName: string, content: string | Uint8Array, mime: string | null = null): string {
  try {
    return checkFileType({ fileName, mime, head: Buffer.from(content).subarray(0, FILE_HEAD_BYTES) }).format;
  } catch (error) {
    if (error instanceof ParseFailure) return error.code;
    throw error;
  }
}

const PDF = makePdf({ pages: [{ lines: ["Hello"] }] });

describe("honest files", () => {
  test.each([
    ["a.pdf", PDF, "pdf"],
    ["A.DOCX", makeDocx(), "docx"],
    ["a.xlsx", makeXlsx(), "spreadsheet"],
    ["a.xls", makeXls(), "spreadsheet"],
    ["a.pptx", makePptx(), "pptx"],
    ["a.odt", makeOpenDocument("text", ""), "opendocument"],
    ["a.epub", makeEpub(), "epub"],
    ["a.html", "<!doctype html><p>x", "html"],
    ["a.html", "<p>no head</p>", "html"],
    ["a.md", "# x", "markdown"],
    ["a.txt", "¿Qué?", "text"],
    ["a.txt", Buffer.from("caf\xe9", "latin1"), "text"],
    ["a.csv", "a,b", "csv"],
    ["a.json", "{}", "json"],
    ["a.eml", "From: a@b.c\n\nhi", "email"],
    ["a.rtf", "{\\rtf1 x}", "rtf"],
    ["a.mp3", Buffer.from("ID3\u0004"), "audio"],
    ["a.wav", Buffer.from("RIFF....WAVEfmt "), "audio"],
    ["a.png", Buffer.from("89504e470d0a1a0a00", "hex"), "image"],
  ])("%s goes to its reader", (name, content, format) => {
    expect(check(name, content)).toBe(format);
  });

  test.each([
    ["README", "Read me first.", "text"],
    ["scan", PDF, "pdf"],
    ["letter", makeDocx(), "docx"],
    ["page", "<?xml version='1.0'?><a>x</a>", "html"],
    ["archive", Buffer.from("504b0304000000000000", "hex"), "unsupported_type"],
    ["blob", Buffer.from([0, 1, 2, 3, 255, 254]), "unsupported_type"],
    ["nothing", "", "empty"],
    [".env", "A=1", "unsupported_type"],
  ])("%s, of which nothing else says what it is, goes by its content", (name, content, format) => {
    expect(check(name, content)).toBe(format);
    expect(check(name, content, "application/octet-stream")).toBe(format);
  });

  test("a name without an ending goes by its MIME type", () => {
    expect(check("notes", "hello", "text/plain; charset=utf-8")).toBe("text");
    expect(check("notes", "a,b", "text/csv")).toBe("csv");
  });

  test("the ending wins over the MIME type, which browsers guess", () => {
    expect(findFileType("table.csv", "application/vnd.ms-excel")?.format).toBe("csv");
  });
});

describe("lying files", () => {
  test.each([
    ["a.pdf", "<html>not found</html>"],
    ["a.pdf", makeDocx()],
    ["a.docx", PDF],
    ["a.docx", makeXlsx()],
    ["a.txt", PDF],
    ["a.txt", Buffer.from("7f454c460201010000000000", "hex")],
    ["a.csv", Buffer.from([1, 2, 3, 0, 0, 4])],
    ["a.png", Buffer.from("ffd8ffe0", "hex")],
    ["a.odt", makeOpenDocument("spreadsheet", "")],
    ["a.mp3", "text"],
  ])("%s with other content is refused", (name, content) => {
    expect(check(name, content)).toBe("type_mismatch");
  });

  test("a new Office file in the old container is one with a password", () => {
    expect(check("a.docx", Buffer.from("d0cf11e0a1b11ae1", "hex"))).toBe("encrypted");
  });

  test("the sentence says what the file is and what to do", () => {
    const head = Buffer.from("<html>");
    expect(() => checkFileType({ fileName: "report.pdf", head })).toThrow(
      "The file is named .pdf, but its content is XML or HTML. Rename it to what it is, or export it again.",
    );
    expect(() => checkFileType({ fileName: "old.doc", head })).toThrow("Save the file as .docx or PDF");
  });

  test("no bytes are no document", () => {
    expect(check("a.txt", "")).toBe("empty");
  });
});

test("any bytes at all get an answer", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (head) => {
      expect(typeof sniffContent(head)).toBe("string");
    }),
  );
});

test("every accepted ending appears once", () => {
  const all = ACCEPTED_FILE_TYPES.flatMap((entry) => entry.extensions);
  expect(new Set(all).size).toBe(all.length);
  expect(listAcceptedFileTypes()["application/pdf"]).toEqual([".pdf"]);
});
