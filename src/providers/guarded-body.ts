import type { IncomingMessage } from "node:http";
import { pipeline, Readable, type Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import { ProviderError } from "../ports/provider-error.ts";

type Limit = { end(): void; reasonFor(error: unknown): unknown };

/** The answer's headers, without those that decompression made untrue. */
export function headersOf(response: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(response.headersDistinct)) {
    for (const value of values) headers.append(name, value);
  }
  if (headers.has("content-encoding")) {
    headers.delete("content-encoding");
    headers.delete("content-length");
  }
  return headers;
}

/**
 * The body, decompressed while it is read, counted on both sides of the decompressor: a few kilobytes can hold
 * gigabytes, and a reader that is slow holds the sender back.
 */
export function bodyOf(response: IncomingMessage, method: string, maxBytes: number, limit: Limit): Readable {
  const announced = Number(response.headers["content-length"] ?? 0);
  if (announced > maxBytes && method !== "HEAD") {
    response.destroy();
    throw tooLarge(maxBytes);
  }
  let decompressor: Transform | null;
  try {
    decompressor = decompressorFor(response.headers["content-encoding"]);
  } catch (error) {
    response.destroy();
    throw error;
  }
  const body = Readable.from(countedBytes(response, decompressor, maxBytes, limit), { objectMode: false });
  return body.once("close", () => {
    limit.end();
    response.destroy();
  });
}

async function* countedBytes(
  response: IncomingMessage,
  decompressor: Transform | null,
  maxBytes: number,
  limit: Limit,
): AsyncGenerator<Buffer> {
  const wire = Readable.from(countBytes(response, maxBytes), { objectMode: false });
  // The loop below hears of failures itself.
  const plain = decompressor === null ? wire : pipeline(wire, decompressor, () => {});
  try {
    yield* countBytes(plain, maxBytes);
  } catch (error) {
    throw limit.reasonFor(error);
  }
}

async function* countBytes(source: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Buffer> {
  let sizeBytes = 0;
  for await (const chunk of source) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > maxBytes) throw tooLarge(maxBytes);
    yield chunk;
  }
}

/** One encoding at most: a second layer only helps those who want to hide how large something is. */
function decompressorFor(encoding: string | undefined): Transform | null {
  switch (encoding?.trim().toLowerCase()) {
    case undefined:
    case "":
    case "identity":
      return null;
    case "gzip":
    case "x-gzip":
      return createGunzip();
    case "deflate":
      return createInflate();
    case "br":
      return createBrotliDecompress();
    case "zstd":
      return createZstdDecompress();
    default:
      throw new ProviderError("The link's answer is compressed in a way we do not read.", {
        provider: "link",
        code: "bad_answer",
      });
  }
}

function tooLarge(maxBytes: number): ProviderError {
  return new ProviderError(`The link's answer is larger than the ${maxBytes} bytes allowed.`, {
    provider: "link",
    code: "input_too_large",
  });
}
