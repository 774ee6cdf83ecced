import { expect, test } from "vitest";
import { openaiCompatibleEmbedder } from "./openai-embedder.ts";

const document = { input: "document" } as const;

test("vectors are put into the order of their index", async () => {
  const data = [
    { index: 1, embedding: [0, 2] },
    { index: 0, embedding: [3, 0] },
  ];
  const embedder = openaiCompatibleEmbedder({ model: "m", fetch: async () => Response.json({ data }) });
  const { vectors, tokens } = await embedder.embed(["a", "b"], document);
  expect(vectors).toEqual([Float32Array.of(1, 0), Float32Array.of(0, 1)]);
  expect(tokens).toBeNull();
});

test("a server that does not know base64 is asked without it from then on", async () => {
  const bodies: string[] = [];
  const embedder = openaiCompatibleEmbedder({
    model: "m",
    fetch: async (_url, init) => {
      bodies.push(String(init?.body));
      return String(init?.body).includes("encoding_format")
        ? Response.json({ detail: "extra field encoding_format is not allowed" }, { status: 422 })
        : Response.json({ data: [{ index: 0, embedding: [1, 0] }] });
    },
  });
  await embedder.embed(["a"], document);
  await embedder.embed(["b"], document);
  expect(bodies.map((body) => body.includes("encoding_format"))).toEqual([true, false, false]);
});

test("a key is sent when there is one", async () => {
  const keys: (string | null)[] = [];
  const fetch = async (_url: unknown, init?: RequestInit) => {
    keys.push(new Headers(init?.headers).get("authorization"));
    return Response.json({ data: [{ index: 0, embedding: [1] }] });
  };
  await openaiCompatibleEmbedder({ model: "m", fetch }).embed(["a"], document);
  await openaiCompatibleEmbedder({ model: "m", apiKey: "k", fetch }).embed(["a"], document);
  expect(keys).toEqual([null, "Bearer k"]);
});

test.each([
  ["nothing", {}],
  ["vectors without data", { data: [{ index: 0 }] }],
  ["base64 of an odd length", { data: [{ index: 0, embedding: "AAAA" }] }],
  ["only zeros", { data: [{ index: 0, embedding: [0, 0] }] }],
  ["text for numbers", { data: [{ index: 0, embedding: ["1", "2"] }] }],
  ["infinity", { data: [{ index: 0, embedding: [1e200, 1] }] }],
])("%s is no embedding", async (_name, body) => {
  const embedder = openaiCompatibleEmbedder({ model: "m", fetch: async () => Response.json(body) });
  await expect(embedder.embed(["a"], document)).rejects.toMatchObject({
    name: "ProviderError",
    code: "bad_answer",
  });
});
