import { rmdir, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { errorCode } from "./disk-failure.ts";

export async function removeFile(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (!["ENOENT", "ENOTDIR", "EISDIR", "EPERM"].includes(errorCode(error))) throw error;
  });
}

/** Folders only exist for their files; the first one that still holds something (or resists) ends the climb. */
export async function removeEmptyFolders(folder: string, root: string): Promise<void> {
  for (let path = folder; path !== root && path.startsWith(root); path = dirname(path)) {
    const removed = await rmdir(path).then(
      () => true,
      () => false,
    );
    if (!removed) return;
  }
}
