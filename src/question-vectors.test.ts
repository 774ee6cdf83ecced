import { expect, test } from "vitest";
import { ProviderError } from "./ports/provider-error.ts";
import { batchQuestions, rememberQuestions } from "./question-vectors.ts";

test("a question asked again costs no second call, another one and one that failed do", async () => {
  const asked: string[] = [];
  const embed = rememberQuestions(async (text) => {
    asked.push(text);
    if (text === "fails" && asked.length < 3) throw new Error("unreachable");
    return Float32Array.of(text.length);
  });
  expect(await embed("one")).toEqual(await embed("one"));
  await expect(embed("fails")).rejects.toThrow("unreachable");
  expect(await embed("fails")).toEqual(Float32Array.of(5));
  expect(asked).toEqual(["one", "fails", "fails"]);
});

test("only the questions asked last are kept", async () => {
  let calls = 0;
  const embed = rememberQuestions(async () => {
    calls += 1;
    return Float32Array.of(1);
  });
  await embed("first");
  for (let i = 0; i < 1_000; i += 1) await embed(`question ${i}`);
  expect(calls).toBe(1_001);
  await embed("question 999");
  expect(calls).toBe(1_001);
  await embed("first");
  expect(calls).toBe(1_002);
});

test("questions that come while two calls are under way travel together, and each gets its own vector", async () => {
  const calls: string[][] = [];
  const embed = batchQuestions(async (texts) => {
    calls.push([...texts]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    return texts.map((text) => Float32Array.of(text.length));
  });
  const vectors = await Promise.all(["a", "bb", "ccc", "dddd", "eeeee"].map((text) => embed(text)));
  expect(vectors.map(([first]) => first)).toEqual([1, 2, 3, 4, 5]);
  expect(calls).toEqual([["a"], ["bb"], ["ccc", "dddd", "eeeee"]]);
});

test("a question that is refused fails alone, a provider that is down fails them all", async () => {
  const embedMany = async (texts: readonly string[]) => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (texts.includes("down")) throw new ProviderError("down", { provider: "test", code: "unavailable" });
    if (texts.includes("bad")) throw new ProviderError("bad", { provider: "test", code: "rejected" });
    return texts.map((text) => Float32Array.of(text.length));
  };
  const first = await Promise.allSettled(["x", "y", "bad", "good"].map(batchQuestions(embedMany)));
  expect(first.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled"]);
  const second = await Promise.allSettled(["x", "y", "down", "good"].map(batchQuestions(embedMany)));
  expect(second.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "rejected"]);
});
