import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeSegment } from "./encode-segment.ts";
import { RetrievalError } from "./retrieval-error.ts";
import { decodeSegment, type SegmentInput } from "./segment.ts";
import { chunkOf, documentOf } from "./test-support.ts";

const chunk = fc.record({
  text: fc.string({ unit: "binary", maxLength: 80 }),
  start: fc.nat(),
  end: fc.nat(),
  page: fc.option(fc.nat()),
  headings: fc.array(fc.string({ maxLength: 10 }), { maxLength: 3 }),
  tokens: fc.nat(),
  language: fc.constantFrom("en", "de", "ja", null),
});

const input: fc.Arbitrary<SegmentInput> = fc.record({
  title: fc.string({ maxLength: 20 }),
  language: fc.constantFrom("en", "es", null),
  chunks: fc.array(chunk, { maxLength: 8 }),
  vectors: fc.constant(null),
});

test("what goes in comes out, for any text", () => {
  fc.assert(
    fc.property(input, (document) => {
      expect(decodeSegment(encodeSegment(document)).chunks).toEqual(document.chunks);
    }),
  );
});

test("the same input gives the same bytes, whatever was built before", () => {
  fc.assert(
    fc.property(input, input, (document, other) => {
      const first = encodeSegment(document);
      encodeSegment(other);
      expect(encodeSegment(structuredClone(document))).toEqual(first);
    }),
  );
});

test("a change of any one byte is noticed", () => {
  const bytes = encodeSegment(documentOf(["Pumps are repaired within two days.", "Filters are not."]));
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ change;
      expect(() => decodeSegment(changed)).toThrow(RetrievalError);
    }),
    { numRuns: 500 },
  );
});

test("a segment cut off anywhere is refused with a sentence that says what to do", () => {
  const bytes = encodeSegment(documentOf(["Pumps are repaired within two days."]));
  for (let length = 0; length < bytes.length; length += 7) {
    expect(() => decodeSegment(bytes.subarray(0, length))).toThrow("Rebuild it from its document");
  }
});

test("a segment of another format version says so", () => {
  const bytes = encodeSegment(documentOf(["text"]));
  new DataView(bytes.buffer).setUint32(4, 99, true);
  expect(() => decodeSegment(bytes)).toThrow(expect.objectContaining({ code: "segment_version" }));
});

test("vectors are kept in any dimension, with the model's name", () => {
  const values = [Float32Array.of(1, 2, 3), Float32Array.of(-1, 0, 0.5)];
  const chunks = [chunkOf("one"), chunkOf("two")];
  const { header, meta } = decodeSegment(
    encodeSegment({ title: "", language: "en", chunks, vectors: { model: "m", values } }),
  );
  expect(header).toMatchObject({ dimensions: 3, stride: 16, vectorKind: 2 });
  expect(meta).toEqual({ model: "m", languages: ["en"] });
});

test("vectors that do not belong to the chunks are refused", () => {
  const chunks = [chunkOf("one"), chunkOf("two")];
  const build = (values: Float32Array[]) =>
    encodeSegment({ title: "", language: null, chunks, vectors: { model: "m", values } });
  expect(() => build([Float32Array.of(1)])).toThrow("2 chunks came with 1 vectors");
  expect(() => build([Float32Array.of(1), Float32Array.of(1, 2)])).toThrow("same dimensions");
  expect(() => build([Float32Array.of(1), Float32Array.of(Number.NaN)])).toThrow("not a finite number");
});
