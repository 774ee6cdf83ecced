import type { ByteStream } from "../../ports/file-store.ts";
import { ProviderError } from "../../ports/provider-error.ts";
import { textOf } from "./read-xml.ts";
import type { S3Call } from "./s3-client.ts";

type Part = Buffer;
type UploadOptions = { key: string; partBytes: number; signal?: AbortSignal };

/**
 * Sends a stream as one PUT when it fits into one part, else as a multipart upload: one part travels while the next
 * one fills, so memory holds two. Nothing is visible under the key before the last request; a failure removes the
 * parts already sent.
 */
export async function upload(call: S3Call, body: ByteStream, options: UploadOptions): Promise<void> {
  const parts = partsOf(body, options.partBytes);
  try {
    const first = await parts.next();
    if (first.done || first.value.byteLength < options.partBytes) {
      const whole = first.done ? Buffer.alloc(0) : first.value;
      await finish(await call({ method: "PUT", key: options.key, body: whole, signal: options.signal }));
    } else {
      await uploadParts(call, first.value, parts, options);
    }
  } finally {
    await parts.return(undefined);
  }
}

async function uploadParts(
  call: S3Call,
  first: Part,
  rest: AsyncGenerator<Part>,
  { key, signal }: UploadOptions,
): Promise<void> {
  const created = await call({ method: "POST", key, query: { uploads: "" }, signal });
  const uploadId = textOf(await created.text(), "UploadId");
  if (uploadId === null) throw badAnswer("began a multipart upload without naming it");
  const etags: string[] = [];
  let travelling: Promise<string> = sendPart(call, first, 1, { key, uploadId, signal });
  try {
    for await (const part of rest) {
      etags.push(await travelling);
      travelling = sendPart(call, part, etags.length + 1, { key, uploadId, signal });
      // Awaited in the next round; this only keeps a failure before then from counting as unhandled.
      travelling.catch(() => {});
    }
    etags.push(await travelling);
    await complete(call, etags, { key, uploadId, signal });
  } catch (error) {
    await travelling.catch(() => {});
    await abandon(call, key, uploadId).catch(() => {});
    throw error;
  }
}

type PartOf = { key: string; uploadId: string; signal?: AbortSignal };

async function sendPart(call: S3Call, body: Part, number: number, part: PartOf): Promise<string> {
  const query = { partNumber: String(number), uploadId: part.uploadId };
  const answer = await call({ method: "PUT", key: part.key, query, body, signal: part.signal });
  await finish(answer);
  const etag = answer.headers.get("etag");
  if (etag === null) throw badAnswer("took a part without an ETag");
  return etag;
}

async function complete(call: S3Call, etags: string[], { key, uploadId, signal }: PartOf): Promise<void> {
  const list = etags.map((etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${etag}</ETag></Part>`);
  const xml = `<CompleteMultipartUpload>${list.join("")}</CompleteMultipartUpload>`;
  const answer = await call({ method: "POST", key, query: { uploadId }, body: Buffer.from(xml), signal });
  const text = await answer.text();
  // S3 may answer 200 first and find out afterwards that it failed.
  const code = textOf(text, "Code");
  if (code !== null) throw badAnswer(`could not put the parts together (${code})`);
}

/** Also when the caller's signal has fired, hence without it. */
export async function abandon(call: S3Call, key: string, uploadId: string): Promise<void> {
  await finish(await call({ method: "DELETE", key, query: { uploadId } }));
}

/** An answer that is not read keeps its connection busy. */
export async function finish(answer: { text(): Promise<string> }): Promise<void> {
  await answer.text();
}

/**
 * Cuts a stream into pieces of exactly `partBytes`, the last one excepted; no bytes, no pieces.
 * Two buffers take turns: whoever asks for the next piece but one is done with this one.
 */
async function* partsOf(body: ByteStream, partBytes: number): AsyncGenerator<Part, undefined> {
  let part: Part = Buffer.allocUnsafeSlow(partBytes);
  let other: Part | null = null;
  let filled = 0;
  for await (const chunk of body) {
    for (let taken = 0; taken < chunk.byteLength; ) {
      const piece = chunk.subarray(taken, taken + partBytes - filled);
      part.set(piece, filled);
      filled += piece.byteLength;
      taken += piece.byteLength;
      if (filled < partBytes) continue;
      yield part;
      [part, other] = [other ?? Buffer.allocUnsafeSlow(partBytes), part];
      filled = 0;
    }
  }
  if (filled > 0) yield part.subarray(0, filled);
  return undefined;
}

function badAnswer(what: string): ProviderError {
  return new ProviderError(`s3 ${what}.`, { provider: "s3", code: "bad_answer", retryable: true });
}
