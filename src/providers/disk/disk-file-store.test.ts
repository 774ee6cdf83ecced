import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { diskFileStore } from "./disk-file-store.ts";

describe("the disk file store", () => {
  let root = "";
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "disk-store-"));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));
  const unfinished = () => readdir(join(root, ".unfinished"));

  test("leaves nothing behind when a stream breaks", async () => {
    async function* breaking() {
      yield Buffer.alloc(100_000);
      throw new Error("gone");
    }
    await expect(diskFileStore({ root }).put("a/b", breaking())).rejects.toThrow("gone");
    expect(await unfinished()).toEqual([]);
    expect(await readdir(root)).toEqual([".unfinished"]);
  });

  test("sweeps what a killed process left, once it is old enough", async () => {
    await mkdir(join(root, ".unfinished"), { recursive: true });
    for (const name of ["old", "new"]) await writeFile(join(root, ".unfinished", name), "half");
    await utimes(join(root, ".unfinished", "old"), new Date(0), new Date(0));
    expect(await diskFileStore({ root }).sweepUnfinished(3_600_000)).toBe(1);
    expect(await unfinished()).toEqual(["new"]);
    await rm(join(root, ".unfinished", "new"));
  });

  test("removes folders with their last file, and not before", async () => {
    const store = diskFileStore({ root });
    await store.put("org/doc/original", bytes("x"));
    await store.put("org/doc/text", bytes("y"));
    await store.delete("org/doc/original");
    expect(await readdir(join(root, "org/doc"))).toEqual(["text"]);
    await store.delete("org/doc/text");
    expect(await readdir(root)).toEqual([".unfinished"]);
  });

  test("puts and deletes in one folder at the same time", async () => {
    const store = diskFileStore({ root });
    await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        await store.put(`busy/${i % 4}/f${i}`, bytes("x"));
        await store.delete(`busy/${i % 4}/f${i}`);
      }),
    );
    for await (const file of store.list("busy/")) expect.unreachable(file.key);
  });

  test("keeps files from other users of the machine", async () => {
    await diskFileStore({ root }).put("private", bytes("x"));
    expect((await stat(join(root, "private"))).mode & 0o077).toBe(0);
  });

  test("says so when the folder cannot be used", async () => {
    await writeFile(join(root, "a-file"), "");
    const failing = diskFileStore({ root: join(root, "a-file") }).put("x", bytes("x"));
    await expect(failing).rejects.toMatchObject({ name: "ProviderError", provider: "disk" });
  });

  test("leaves alone what others keep in the folder", async () => {
    await writeFile(join(root, "README"), "");
    await mkdir(join(root, "lost+found"), { recursive: true });
    for await (const { key } of diskFileStore({ root }).list("")) expect(key).toMatch(/^[a-z]/);
  });

  test("lists nothing where no folder has been made yet", async () => {
    for await (const file of diskFileStore({ root: join(root, "nowhere") }).list(""))
      expect.unreachable(file.key);
  });
});

async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
