import { createHash, randomUUID } from "node:crypto";
import type { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FileStore } from "../../src/ports/file-store.ts";
import { type OpenStore, openDiskStore, openS3Store, ownBucket } from "./file-stores.ts";

const ofOwnBucket = ownBucket(process.env);
const adapters: [string, () => Promise<OpenStore>][] = [
  ["disk", openDiskStore],
  ["s3", openS3Store],
  ...(ofOwnBucket ? [["your bucket", ofOwnBucket] satisfies [string, () => Promise<OpenStore>]] : []),
];

describe.each(adapters)("the file store on %s", (_name, open) => {
  let opened: OpenStore;
  let store: FileStore;
  beforeAll(async () => {
    opened = await open();
    store = opened.store;
  });
  afterAll(() => opened.close());

  test("gives back what was put, with its size and hash", async () => {
    const key = newKey();
    const put = await store.put(key, bytesOf("a line\n", "another\n"));
    expect(put).toEqual({ sizeBytes: 15, sha256: sha256("a line\nanother\n") });
    expect(await textOf((await store.get(key)).body)).toBe("a line\nanother\n");
    expect(Buffer.from(await store.read(key)).toString()).toBe("a line\nanother\n");
  });

  test("stores a file without bytes", async () => {
    const key = newKey();
    expect(await store.put(key, bytesOf())).toEqual({ sizeBytes: 0, sha256: sha256("") });
    expect((await store.read(key)).byteLength).toBe(0);
    const { body, sizeBytes } = await store.get(key);
    expect([await textOf(body), sizeBytes]).toEqual(["", 0]);
  });

  test("stores 40 MB without holding it", { timeout: 60_000 }, async () => {
    const key = newKey();
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const put = await store.put(
      key,
      blocks(640, 64 * 1024, () => {
        most = Math.max(most, process.memoryUsage().arrayBuffers - before);
      }),
    );
    expect(put.sizeBytes).toBe(640 * 64 * 1024);
    expect(most).toBeLessThan(put.sizeBytes / 2);
    const hash = createHash("sha256");
    for await (const chunk of (await store.get(key)).body) hash.update(chunk);
    expect(hash.digest("hex")).toBe(put.sha256);
  });

  test("reads a range, and cuts one that goes past the end", async () => {
    const key = newKey();
    await store.put(key, bytesOf("0123456789"));
    expect(Buffer.from(await store.read(key, { range: { first: 2, last: 4 } })).toString()).toBe("234");
    expect(Buffer.from(await store.read(key, { range: { first: 7, last: 99 } })).toString()).toBe("789");
    const ranged = await store.get(key, { range: { first: 0, last: 1 } });
    expect([await textOf(ranged.body), ranged.sizeBytes]).toEqual(["01", 10]);
    await expect(store.read(key, { range: { first: 10, last: 12 } })).rejects.toMatchObject({
      code: "rejected",
    });
  });

  test("says not_found for what is not there", async () => {
    const key = newKey();
    await expect(store.get(key)).rejects.toMatchObject({ name: "ProviderError", code: "not_found" });
    await expect(store.read(key)).rejects.toMatchObject({ code: "not_found", retryable: false });
    expect(await store.head(key)).toBeNull();
  });

  test("knows size and time of a file", async () => {
    const key = newKey();
    await store.put(key, bytesOf("12345"));
    const head = await store.head(key);
    expect(head).toMatchObject({ key, sizeBytes: 5 });
    expect(Math.abs(Date.now() - (head?.modifiedAt.getTime() ?? 0))).toBeLessThan(60_000);
  });

  test("replaces a file", async () => {
    const key = newKey();
    await store.put(key, bytesOf("old and long"));
    await store.put(key, bytesOf("new"));
    expect(Buffer.from(await store.read(key)).toString()).toBe("new");
  });

  test("deletes a file, and one that is not there", async () => {
    const key = newKey();
    await store.put(key, bytesOf("x"));
    await store.delete(key);
    expect(await store.head(key)).toBeNull();
    await store.delete(key);
  });

  test("lists what begins with a prefix, wherever it is cut", async () => {
    const folder = `list/${randomUUID()}`;
    for (const name of ["a/1", "a/2", "ab/3", "b/4"]) await store.put(`${folder}/${name}`, bytesOf(name));
    expect(await keysOf(store, `${folder}/a`)).toEqual([`${folder}/a/1`, `${folder}/a/2`, `${folder}/ab/3`]);
    expect(await keysOf(store, `${folder}/a/`)).toEqual([`${folder}/a/1`, `${folder}/a/2`]);
    expect(await keysOf(store, `${folder}/none`)).toEqual([]);
    expect((await keysOf(store, "")).length).toBeGreaterThanOrEqual(4);
  });

  test("shows nothing of an upload before its end", async () => {
    const key = newKey();
    const { promise, resolve } = Promise.withResolvers<void>();
    async function* slow() {
      yield Buffer.alloc(1024);
      await promise;
      yield Buffer.alloc(1024);
    }
    const put = store.put(key, slow());
    expect(await store.head(key)).toBeNull();
    expect(await keysOf(store, key)).toEqual([]);
    resolve();
    await put;
    expect(await store.head(key)).toMatchObject({ sizeBytes: 2048 });
  });

  test.each([
    ["small", 1],
    ["large", 300],
  ])(
    "keeps the old file when a %s stream breaks, and throws the stream's own error",
    async (_size, count) => {
      const key = newKey();
      await store.put(key, bytesOf("old"));
      async function* breaking() {
        yield* blocks(count, 64 * 1024);
        throw new RangeError("the client went away");
      }
      await expect(store.put(key, breaking())).rejects.toThrow(new RangeError("the client went away"));
      expect(Buffer.from(await store.read(key)).toString()).toBe("old");
    },
  );

  test("stops at once when told to, even while the stream is silent", async () => {
    const key = newKey();
    const stop = new AbortController();
    async function* silent() {
      yield Buffer.from("begun");
      await new Promise(() => {});
    }
    const put = store.put(key, silent(), { signal: stop.signal });
    setTimeout(() => stop.abort(new Error("shutting down")), 50);
    await expect(put).rejects.toThrow("shutting down");
    expect(await store.head(key)).toBeNull();
  });

  test("does nothing for a signal that has fired already", async () => {
    const key = newKey();
    const signal = AbortSignal.abort(new Error("too late"));
    await expect(store.put(key, bytesOf("x"), { signal })).rejects.toThrow("too late");
    await expect(store.get(key, { signal })).rejects.toThrow("too late");
    await expect(store.head(key, { signal })).rejects.toThrow("too late");
    await expect(store.delete(key, { signal })).rejects.toThrow("too late");
    expect(await store.head(key)).toBeNull();
  });

  test("keeps 50 files apart that arrive at once", { timeout: 30_000 }, async () => {
    const keys = Array.from({ length: 50 }, newKey);
    await Promise.all(keys.map((key) => store.put(key, bytesOf(key.repeat(100)))));
    for (const key of keys) expect(Buffer.from(await store.read(key)).toString()).toBe(key.repeat(100));
  });

  test("holds one whole file when two are put under one key at once", async () => {
    const key = newKey();
    await Promise.all([store.put(key, blocks(20, 1000)), store.put(key, bytesOf("short"))]);
    expect([5, 20_000]).toContain((await store.head(key))?.sizeBytes);
  });

  test.each([
    "",
    "/a",
    "a/",
    "a//b",
    "../a",
    "a/../b",
    "a/./b",
    "A",
    ".hidden",
    "a b",
    "a\\b",
    "a\0",
    `a/${"x".repeat(201)}`,
  ])("refuses the key %j", async (key) => {
    await expect(store.put(key, bytesOf("x"))).rejects.toThrow(TypeError);
    await expect(store.get(key)).rejects.toThrow(TypeError);
    await expect(store.delete(key)).rejects.toThrow(TypeError);
  });
});

const newKey = () => `test/${randomUUID()}/original`;
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

async function* bytesOf(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function* blocks(count: number, sizeBytes: number, onBlock = () => {}): AsyncGenerator<Uint8Array> {
  const kinds = ["0", "1", "2"].map((digit) => Buffer.alloc(sizeBytes, digit));
  for (let i = 0; i < count; i++) {
    onBlock();
    yield kinds[i % kinds.length] ?? Buffer.alloc(0);
  }
}

async function textOf(body: Readable): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function keysOf(store: FileStore, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const file of store.list(prefix)) keys.push(file.key);
  return keys.sort();
}
