import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { createWorkerClient } from "./worker-client.ts";

const WORKER = `
  import { parentPort } from "node:worker_threads";
  parentPort.on("message", ({ id, method }) => {
    if (method === "exit") process.exit(7);
    if (method === "throw") throw new Error("A bug outside of any call.");
    if (method === "swell") for (const heap = []; ; ) heap.push(new Array(1e5).fill({}));
    if (method === "ping") parentPort.postMessage({ kind: "answer", id, value: "pong" });
  });
`;

async function openClient() {
  const file = join(await mkdtemp(join(tmpdir(), "worker-")), "worker.mjs");
  await writeFile(file, WORKER);
  const answer = async () => null;
  return createWorkerClient({ file: pathToFileURL(file), workerData: null, answer, heapMb: 32 });
}

test.each(["exit", "throw", "swell"])(
  "after a worker's death by %s, every call in flight fails as retryable and the next is served",
  async (method) => {
    const client = await openClient();
    const retryable = { code: "worker_lost", retryable: true };
    const waiting = expect(client.call("wait for ever", null)).rejects.toMatchObject(retryable);
    await expect(client.call(method, null)).rejects.toMatchObject(retryable);
    await waiting;
    expect(await client.call("ping", null)).toBe("pong");
    await client.close();
  },
  20_000,
);

test("a worker that died ten times is started an eleventh time", async () => {
  const client = await openClient();
  for (let i = 0; i < 10; i++) await expect(client.call("exit", null)).rejects.toThrow("exit code 7");
  expect(await client.call("ping", null)).toBe("pong");
  await client.close();
}, 20_000);
