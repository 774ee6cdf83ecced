import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { StoredFile } from "../../ports/file-store.ts";
import { isFileKey } from "../file-key.ts";
import { diskFailure, errorCode } from "./disk-failure.ts";

/** Every file in `folder` (empty, or ending in a slash) and below whose key starts with `prefix`. */
export async function* walkFiles(
  root: string,
  folder: string,
  prefix: string,
  signal?: AbortSignal,
): AsyncGenerator<StoredFile> {
  for (const name of await namesIn(join(root, folder))) {
    signal?.throwIfAborted();
    const key = `${folder}${name}`;
    if (!isFileKey(key)) continue;
    if (!key.startsWith(prefix) && !prefix.startsWith(`${key}/`)) continue;
    const file = await diskFailure(() => fileAt(root, key, join(root, key)));
    if (file !== null) yield file;
    else yield* walkFiles(root, `${key}/`, prefix, signal);
  }
}

/** Nothing in a folder that is not there. */
export async function namesIn(folder: string): Promise<string[]> {
  return await diskFailure(() =>
    readdir(folder).catch((error: unknown) => {
      if (["ENOENT", "ENOTDIR"].includes(errorCode(error))) return [];
      throw error;
    }),
  );
}

/** Null for what is not there and for a folder. */
export async function fileAt(root: string, key: string, path: string): Promise<StoredFile | null> {
  const found = await stat(path).catch((error: unknown) => {
    if (["ENOENT", "ENOTDIR"].includes(errorCode(error))) return null;
    throw error;
  });
  if (found === null || !found.isFile() || path === root) return null;
  return { key, sizeBytes: found.size, modifiedAt: found.mtime };
}
