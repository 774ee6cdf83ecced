import { type FileHandle, open } from "node:fs/promises";
import type { GetOptions } from "../../ports/file-store.ts";
import { ProviderError } from "../../ports/provider-error.ts";
import { diskFailure } from "./disk-failure.ts";

type OpenRange = { handle: FileHandle; sizeBytes: number; first: number; last: number };

/** Opens a file and works out what part of it is asked for; the caller closes the handle. */
export async function openRange(path: string, { range, signal }: GetOptions): Promise<OpenRange> {
  signal?.throwIfAborted();
  const handle = await diskFailure(() => open(path, "r"));
  try {
    const found = await diskFailure(() => handle.stat());
    if (!found.isFile())
      throw new ProviderError("There is no such file.", { provider: "disk", code: "not_found" });
    const first = range?.first ?? 0;
    const last = Math.min(range?.last ?? Number.POSITIVE_INFINITY, found.size - 1);
    if (range !== undefined && (first < 0 || first > last)) {
      throw new ProviderError("The range lies outside the file.", { provider: "disk", code: "rejected" });
    }
    return { handle, sizeBytes: found.size, first, last };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

export async function readExactly(handle: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(buffer, done, length - done, position + done);
    if (bytesRead === 0)
      throw new ProviderError("The file ended early.", { provider: "disk", code: "bad_answer" });
    done += bytesRead;
  }
  return buffer;
}
