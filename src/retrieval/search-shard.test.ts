import fc from "fast-check";
import { expect, test } from "vitest";
import { type ShardQuestion, searchShard } from "./search-shard.ts";
import type { SegmentInput } from "./segment.ts";
import { type Shard, setDocuments } from "./shard.ts";
import { chunkOf, documentOf, shardOf } from "./test-support.ts";

const HELP = documentOf([
  "Our pumps carry a warranty of three years from the date of purchase.",
  "Replacement filters for the X200 cost 49 euros and ship within two days.",
  "The workshop is open from Monday to Friday between nine and five.",
  "To reset the control panel, hold the power button for ten seconds.",
  "Invoices are sent by e-mail at the end of every month.",
]);

const ask = (shard: Shard, question: string, more: Partial<ShardQuestion> = {}) =>
  searchShard(shard, { question, queryVector: null, topN: 10, threshold: 0, ...more });
const top = (shard: Shard, question: string) => ask(shard, question)[0];

test.each([
  ["How long is the warranty on your pumps?", 0],
  ["What does a replacement filter for the X200 cost?", 1],
  ["When is the workshop open?", 2],
  ["How do I reset the control panel?", 3],
  ["Do you send invoices by email?", 4],
])("'%s' is answered by the right passage, above the default threshold", async (question, chunk) => {
  const hits = ask(await shardOf([HELP]), question, { threshold: 0.25 });
  expect(hits[0]?.chunk).toBe(chunk);
});

test.each([
  "What is the capital of Mongolia?",
  "Who are you and what is it that you do for us?",
  "Which vaccines does my puppy need before we travel to Spain?",
  "Is there anything else that I should have been told about this?",
  "¿Cuál es la capital de Mongolia?",
])("'%s' has no subject in common with the documents and gets nothing", async (question) => {
  expect(ask(await shardOf([HELP]), question, { threshold: 0.25 })).toEqual([]);
});

test("what several documents say word for word is answered once, also when a filter allows only some of them", async () => {
  const other = documentOf(["The warranty on spare parts is one year."]);
  const shard = await shardOf([HELP, other, HELP]);
  const [first, , third] = shard.documents;
  if (first === undefined || third === undefined) throw new Error("three documents");
  const second = { ...third, segment: first.segment };
  setDocuments(shard, [first, ...shard.documents.slice(1, 2), second]);
  const found = ask(shard, "How long is the warranty?", { threshold: 0.1 }).map(({ document }) =>
    shard.documents.indexOf(document),
  );
  expect(found).toEqual([1, 0]);
  second.attributes = { ...second.attributes, docpath: "o/f/second" };
  const filter = { docpaths: ["o/f/second"] };
  expect(ask(shard, "How long is the warranty?", { filter, threshold: 0.1 })).toMatchObject([
    { document: second },
  ]);
  setDocuments(shard, [first, second]);
  expect(ask(shard, "How long is the warranty?", { threshold: 0.1 })).toHaveLength(1);
  setDocuments(shard, [first]);
  expect(ask(shard, "How long is the warranty?", { threshold: 0.1 })).toHaveLength(1);
});

const word = fc.constantFrom(
  ..."pump filter warranty price panel the of is what button euro open month".split(" "),
);
const sentence = fc.array(word, { minLength: 1, maxLength: 12 }).map((words) => words.join(" "));
const documents = fc.array(fc.array(sentence, { minLength: 1, maxLength: 5 }), {
  minLength: 1,
  maxLength: 6,
});

test("scores lie between 0 and 1, fall with rank, and the threshold holds", async () => {
  await fc.assert(
    fc.asyncProperty(
      documents,
      sentence,
      fc.double({ min: 0, max: 1, noNaN: true }),
      async (texts, question, t) => {
        const shard = await shardOf(texts.map((text) => documentOf(text)));
        const hits = ask(shard, question, { threshold: t });
        hits.forEach((hit, i) => {
          expect(hit.score).toBeLessThanOrEqual(1);
          expect(hit.score).toBeGreaterThan(0);
          expect(hit.score).toBeGreaterThanOrEqual(Math.fround(t));
          expect(hit.score).toBeLessThanOrEqual(hits[i - 1]?.score ?? 1);
        });
      },
    ),
    { numRuns: 60 },
  );
});

test("how passages are spread over documents changes nothing but the order of ties", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(sentence, { minLength: 1, maxLength: 12 }),
      sentence,
      async (texts, question) => {
        const together = ask(await shardOf([documentOf(texts)]), question);
        const apart = ask(await shardOf(texts.map((text) => documentOf([text]))), question);
        expect(apart.map(({ score }) => score)).toEqual(together.map(({ score }) => score));
      },
    ),
    { numRuns: 60 },
  );
});

test("a passage that holds more of the question never ranks lower", async () => {
  const content = fc.uniqueArray(fc.constantFrom("pump", "filter", "warranty", "price", "panel", "button"), {
    minLength: 2,
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(content, async (words) => {
      const filler = (count: number) => Array.from({ length: count }, (_, i) => `filler${i}`);
      // Passages of one length, holding one, two, … of the words.
      const texts = words.map((_, i) => [...words.slice(0, i + 1), ...filler(words.length - i)].join(" "));
      const hits = ask(await shardOf([documentOf(texts)]), words.join(" "), { topN: texts.length });
      expect(hits.map(({ chunk }) => chunk)).toEqual(texts.map((_, i) => texts.length - 1 - i));
    }),
  );
});

test("irrelevant passages lift no score above 1 and never overtake", async () => {
  const question = "warranty of pumps";
  const noise = Array.from({ length: 300 }, (_, i) => `Unrelated remark number ${i} on gardening.`);
  const alone = top(await shardOf([HELP]), question);
  const crowded = top(await shardOf([documentOf(noise), HELP]), question);
  expect(crowded?.document.attributes.documentId).toBe("1");
  expect(crowded?.score).toBeLessThanOrEqual(1);
  expect(Math.abs((crowded?.score ?? 0) - (alone?.score ?? 0))).toBeLessThan(0.15);
});

test("character n-grams alone never pass the default threshold, but break ties", async () => {
  const shard = await shardOf([documentOf(["Filterwechsel und Pumpenwartung", "Gartenmöbel"], "de")]);
  const hits = ask(shard, "Filterwechseln");
  expect(hits[0]).toMatchObject({ chunk: 0, lexical: 0 });
  expect(hits[0]?.score).toBeLessThan(0.25);
});

test("filters are applied before the best are chosen", async () => {
  const shard = await shardOf(
    Array.from({ length: 6 }, (_, i) => documentOf([`pump ${"pump ".repeat(6 - i)}`])),
  );
  const ids = (filter: ShardQuestion["filter"]) =>
    ask(shard, "pump", { topN: 2, filter }).map(({ document }) => document.attributes.documentId);
  expect(ids(undefined)).toEqual(["0", "1"]);
  expect(ids({ folders: ["odd"] })).toEqual(["1", "3"]);
  expect(ids({ docpaths: ["org/even/4", "org/odd/5"] })).toEqual(["4", "5"]);
  expect(ids({ documentIds: ["3"] })).toEqual(["3"]);
  expect(ids({ metadata: { number: 2 } })).toEqual(["2"]);
  expect(ids({ metadata: { number: "2" } })).toEqual([]);
  expect(ids({ metadata: { toString: null } })).toEqual([]);
  expect(ids({ languages: ["de"] })).toEqual([]);
  expect(ids({ documentIds: [] })).toEqual([]);
  expect(ids(undefined)).toEqual(["0", "1"]);
});

test("a question finds documents in each language of the workspace", async () => {
  const german = documentOf(["Die Garantien gelten für drei Jahre."], "de");
  const shard = await shardOf([HELP, german]);
  expect(top(shard, "Garantie")?.document.attributes.documentId).toBe("1");
  expect(top(shard, "warranties")?.document.attributes.documentId).toBe("0");
});

test("a document taken off the list is gone from the next search", async () => {
  const shard = await shardOf([HELP, documentOf(["Pumps and warranty, warranty and pumps."])]);
  expect(top(shard, "warranty pumps")?.document.attributes.documentId).toBe("1");
  setDocuments(shard, shard.documents.slice(0, 1));
  expect(ask(shard, "warranty pumps").every(({ document }) => document.attributes.documentId === "0")).toBe(
    true,
  );
});

const near = Float32Array.of(1, 0, 0);
const far = Float32Array.of(0, 1, 0);
const embedded = (texts: string[], values: Float32Array[], model = "m"): SegmentInput => ({
  title: "",
  language: "en",
  chunks: texts.map((text) => chunkOf(text)),
  vectors: { model, values },
});

test("with an embedding model, meaning finds what words do not", async () => {
  const shard = await shardOf([embedded(["completely different words", "more of them"], [near, far])]);
  const hits = ask(shard, "question", { queryVector: { model: "m", values: near }, threshold: 0.25 });
  expect(hits).toHaveLength(1);
  expect(hits[0]).toMatchObject({ chunk: 0, lexical: 0 });
  expect(hits[0]?.cosine).toBeCloseTo(1, 2);
});

test("vectors of another model or dimension are not compared", async () => {
  const shard = await shardOf([embedded(["pump"], [near], "old")]);
  const [hit] = ask(shard, "pump", { queryVector: { model: "new", values: near } });
  expect(hit).toMatchObject({ cosine: 0 });
  expect(hit?.score).toBe(hit?.lexical);
  const other = { model: "old", values: Float32Array.of(1, 0) };
  expect(ask(shard, "pump", { queryVector: other })[0]).toMatchObject({ cosine: 0 });
});

test("documents with and without vectors live in one workspace", async () => {
  const shard = await shardOf([embedded(["pump"], [near]), documentOf(["pump"]), embedded(["pump"], [far])]);
  const hits = ask(shard, "pump", { queryVector: { model: "m", values: near } });
  expect(hits[0]?.document.attributes.documentId).toBe("0");
  expect(hits).toHaveLength(3);
});

test("titles and headings are searched as part of every passage", async () => {
  const chunks = [chunkOf("It takes two days.", { headings: ["Shipping", "Norway"] })];
  const shard = await shardOf([{ title: "Pump manual", language: "en", chunks, vectors: null }]);
  expect(ask(shard, "shipping a pump to Norway", { threshold: 0.25 })).toHaveLength(1);
});

test("nothing is found in nothing, and an empty question asks for nothing", async () => {
  expect(ask(await shardOf([]), "pump")).toEqual([]);
  expect(ask(await shardOf([documentOf([])]), "pump")).toEqual([]);
  expect(ask(await shardOf([HELP]), "  ?! ")).toEqual([]);
});

test("a whole pasted document is a question like any other", async () => {
  const hits = ask(await shardOf([HELP]), "warranty pumps ".repeat(50_000));
  expect(hits[0]?.chunk).toBe(0);
});
