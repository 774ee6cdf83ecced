import { randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ByteStream } from "../../ports/file-store.ts";
import { diskFailure, errorCode } from "./disk-failure.ts";

/**
 * Writes a file below `unfinished`, syncs it and renames it to `path`: there it is whole or not at all, also after a
 * power cut. A stream that breaks leaves nothing, and its own error is thrown.
 */
export async function writeFileWhole(path: string, bytes: ByteStream, unfinished: string): Promise<void> {
  const temporary = join(unfinished, randomUUID());
  const handle = await diskFailure(() => openNew(temporary));
  try {
    await writeSynced(handle, bytes);
    await diskFailure(() => moveInto(temporary, path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** The folder is nearly always there: it is made when it turns out not to be. */
async function openNew(path: string): Promise<FileHandle> {
  try {
    return await open(path, "wx", 0o600);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    await makeFolder(dirname(path));
    return open(path, "wx", 0o600);
  }
}

async function writeSynced(handle: FileHandle, bytes: ByteStream): Promise<void> {
  try {
    for await (const chunk of bytes) await diskFailure(() => writeAll(handle, chunk));
    await diskFailure(() => handle.sync());
  } finally {
    await handle.close();
  }
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.byteLength; ) {
    done += (await handle.write(chunk, done, chunk.byteLength - done)).bytesWritten;
  }
}

/** The folder may be missing, and a delete next door may remove it again between its making and the rename. */
async function moveInto(temporary: string, path: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await rename(temporary, path);
      await syncFolder(dirname(path));
      return;
    } catch (error) {
      if (errorCode(error) !== "ENOENT" || attempt === 10) throw error;
      await makeFolder(dirname(path));
    }
  }
}

/** A new folder's name is only safe on disk when its parent is synced, up to the first one that was there before. */
async function makeFolder(path: string): Promise<void> {
  const firstMade = await mkdir(path, { recursive: true, mode: 0o700 });
  if (firstMade === undefined) return;
  for (let made = path; made.length >= firstMade.length; made = dirname(made))
    await syncFolder(dirname(made));
}

async function syncFolder(path: string): Promise<void> {
  try {
    const handle = await open(path, "r");
    await handle.sync().finally(() => handle.close());
  } catch (error) {
    // Gone again (a delete next door), or a file system that cannot sync folders: nothing to be done here.
    if (!["ENOENT", "EINVAL", "EPERM", "EISDIR"].includes(errorCode(error))) throw error;
  }
}
