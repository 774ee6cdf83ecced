import { createHash } from "node:crypto";
import type { ByteStream, PutResult } from "../ports/file-store.ts";

/** Passes bytes on and, once they have all passed, knows their number and SHA-256. */
export function hashStream(
  body: ByteStream,
  signal?: AbortSignal,
): { bytes: ByteStream; result(): PutResult } {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  async function* pass() {
    signal?.throwIfAborted();
    for await (const chunk of endedBy(body, signal)) {
      if (chunk.byteLength === 0) continue;
      hash.update(chunk);
      sizeBytes += chunk.byteLength;
      yield chunk;
    }
  }
  return { bytes: pass(), result: () => ({ sizeBytes, sha256: hash.digest("hex") }) };
}

/** A source that never gives its next chunk would otherwise outlive the signal. */
async function* endedBy(body: ByteStream, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  if (signal === undefined) {
    yield* body;
    return;
  }
  const iterator = body[Symbol.asyncIterator]();
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  aborted.promise.catch(() => {});
  signal.addEventListener("abort", onAbort, { once: true });
  let finished = false;
  try {
    while (true) {
      signal.throwIfAborted();
      const next = await Promise.race([iterator.next(), aborted.promise]);
      if (next.done) break;
      yield next.value;
    }
    finished = true;
  } finally {
    signal.removeEventListener("abort", onAbort);
    // Not awaited: a generator that hangs in `next` would hang here too.
    if (!finished) Promise.resolve(iterator.return?.()).catch(() => {});
  }
}
