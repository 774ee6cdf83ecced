import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { openParseBench, type ParseBench } from "../../../test/files/parse-support.ts";
import { makePdf } from "../../../test/files/pdf-writer.ts";
import { makePng } from "../../../test/files/png-writer.ts";
import { makeScan } from "../../../test/files/scan-writer.ts";

const LINES = ["The ferry leaves the harbour every morning at nine", "and comes back in the evening."];
// A second a page, more on a busy machine.
vi.setConfig({ testTimeout: 60_000 });
let bench: ParseBench;
beforeAll(async () => {
  bench = await openParseBench();
});
afterAll(() => bench.close());

test("pages that are pictures are read between pages that are text", async () => {
  const image = await makeScan(LINES);
  const stages: string[] = [];
  const pdf = makePdf({ pages: [{ lines: ["This page has text of its own."] }, { image }, {}] });
  const parsed = await bench.parse("scan.pdf", pdf, {
    onProgress: (progress) => stages.push(progress.stage),
  });
  expect(parsed.pages).toHaveLength(3);
  expect(parsed.text).toContain("This page has text of its own.");
  expect(parsed.text.slice(parsed.pages[1]?.start, parsed.pages[1]?.end)).toMatch(
    /ferry leaves the harbour every morning at nine and comes back/,
  );
  expect(stages).toContain("recognising");
});

test("a picture of text is a document, an empty one is not", async () => {
  const image = await makeScan(LINES);
  expect((await bench.parse("scan.png", makePng(image))).text).toContain("harbour every morning");
  const white = { width: 300, height: 200, pixels: new Uint8Array(60_000).fill(255) };
  expect((await bench.fail("white.png", makePng(white))).code).toBe("empty");
});

test("Spanish is read with its accents when it is asked for", async () => {
  const image = await makeScan([
    "El niño pequeño comió una piña en la montaña",
    "y después durmió la siesta.",
  ]);
  const parsed = await bench.parse("scan.png", makePng(image), { ocr: { languages: ["spa"] } });
  expect(parsed.text).toMatch(/niño pequeño comió una piña/);
});

test("a language whose data is missing is named", async () => {
  const png = makePng(await makeScan(LINES));
  const failure = await bench.fail("scan.png", png, { ocr: { languages: ["tlh"] } });
  expect(failure.code).toBe("unavailable");
  expect(failure.message).toContain('"tlh"');
});

test("pages beyond the time for pictures are left out, and the document says so", async () => {
  const image = await makeScan(LINES);
  const hurried = await openParseBench({ limits: { ocrTimeoutMs: 1 } });
  const parsed = await hurried.parse("scan.pdf", makePdf({ pages: [{ image }, { image }, { image }] }));
  expect(parsed.text).toContain("ferry");
  expect(parsed.warnings).toEqual([expect.stringContaining("after page 1 were left out")]);
  await hurried.close();
});
