import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { embedText } from "./embed-text.ts";

test("the openai simulator runs as a process of its own, can be made to fail, and ends on SIGTERM", async () => {
  const script = new URL("./openai/main.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [script, "--port", "0", "--api-key", "k"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout });
  const [url] = await once(lines, "line");
  const embed = () =>
    fetch(`${url}/embeddings`, {
      method: "POST",
      headers: { authorization: "Bearer k" },
      body: JSON.stringify({ model: "text-embedding-3-small", input: "x" }),
    });
  expect((await embed()).status).toBe(200);
  await fetch(new URL("/_simulator/faults", url), {
    method: "POST",
    body: JSON.stringify({ fault: { kind: "status", status: 503 }, times: 1 }),
  });
  expect((await embed()).status).toBe(503);
  expect((await embed()).status).toBe(200);
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([0, null]);
});

test("texts that share words have similar vectors, others do not", () => {
  const similarity = (a: string, b: string) => {
    const other = embedText(b);
    return embedText(a).reduce((sum, value, i) => sum + value * (other[i] ?? 0), 0);
  };
  const price = "the price of the blue bicycle";
  expect(similarity(price, price)).toBeCloseTo(1, 5);
  expect(similarity(price, "what is the price of a bicycle?")).toBeGreaterThan(0.4);
  expect(similarity(price, "opening hours on sunday")).toBeLessThan(0.2);
  expect(embedText("").some(Number.isNaN)).toBe(false);
});
