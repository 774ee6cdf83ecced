import { createReadStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { FileStore } from "../../ports/file-store.ts";
import { checkFileKey, checkFilePrefix } from "../file-key.ts";
import { hashStream } from "../hash-stream.ts";
import { diskFailure } from "./disk-failure.ts";
import { openRange, readExactly } from "./read-file.ts";
import { removeEmptyFolders, removeFile } from "./remove-file.ts";
import { fileAt, namesIn, walkFiles } from "./walk-files.ts";
import { writeFileWhole } from "./write-file.ts";

/** Files below one folder, unfinished ones in its `.unfinished/`. Processes may share it: a rename is atomic. */
export function diskFileStore(options: { root: string; now?: () => number }): FileStore {
  const root = resolve(options.root);
  const unfinished = join(root, ".unfinished");
  const now = options.now ?? Date.now;
  const pathOf = (key: string) => {
    checkFileKey(key);
    return join(root, key);
  };

  return {
    provider: "disk",

    async put(key, body, { signal } = {}) {
      const path = pathOf(key);
      const { bytes, result } = hashStream(body, signal);
      await writeFileWhole(path, bytes, unfinished);
      return result();
    },

    async get(key, getOptions = {}) {
      const { handle, sizeBytes, first, last } = await openRange(pathOf(key), getOptions);
      // A read stream cannot express an empty range, hence the empty file's own end.
      const end = last < first ? { start: 0, end: 0 } : { start: first, end: last };
      const body = createReadStream("", { fd: handle, ...end, autoClose: true, signal: getOptions.signal });
      return { body, sizeBytes };
    },

    async read(key, getOptions = {}) {
      const { handle, first, last } = await openRange(pathOf(key), getOptions);
      try {
        return await diskFailure(() => readExactly(handle, first, last - first + 1));
      } finally {
        await handle.close();
      }
    },

    async head(key, { signal } = {}) {
      signal?.throwIfAborted();
      return await diskFailure(() => fileAt(root, key, pathOf(key)));
    },

    async delete(key, { signal } = {}) {
      signal?.throwIfAborted();
      const path = pathOf(key);
      await diskFailure(() => removeFile(path));
      await removeEmptyFolders(dirname(path), root);
    },

    list(prefix, { signal } = {}) {
      checkFilePrefix(prefix);
      return walkFiles(root, prefix.slice(0, prefix.lastIndexOf("/") + 1), prefix, signal);
    },

    async sweepUnfinished(olderThanMs, { signal } = {}) {
      let removed = 0;
      for (const name of await namesIn(unfinished)) {
        signal?.throwIfAborted();
        const path = join(unfinished, name);
        const found = await stat(path).catch(() => null);
        if (found === null || now() - found.mtimeMs <= olderThanMs) continue;
        await diskFailure(() => rm(path, { force: true }));
        removed += 1;
      }
      return removed;
    },
  };
}
