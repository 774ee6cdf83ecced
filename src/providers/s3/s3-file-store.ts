import { Readable } from "node:stream";
import type { ReadableStream as NodeReadableStream } from "node:stream/web";
import type { FileStore, GetOptions, StoredFile } from "../../ports/file-store.ts";
import { ProviderError } from "../../ports/provider-error.ts";
import type { ProviderAnswer } from "../call-provider.ts";
import { checkFileKey, checkFilePrefix, isFileKey } from "../file-key.ts";
import { hashStream } from "../hash-stream.ts";
import { defaultRetryPolicy, retry } from "../retry.ts";
import { elementsOf, textOf } from "./read-xml.ts";
import { type S3Call, type S3Options, s3Client } from "./s3-client.ts";
import { abandon, finish, upload } from "./upload.ts";

/** S3 takes parts from 5 MiB up; 8 MiB × 10,000 parts allow files of 78 GiB. */
const defaultPartBytes = 8 * 1024 * 1024;

const policy = { ...defaultRetryPolicy, attempts: 4, baseMs: 200, maxWaitMs: 5_000 };

/** Any S3-compatible store: AWS, MinIO, Garage, Ceph, R2, … The bucket exists already. */
export function s3FileStore(
  options: S3Options & { partBytes?: number; now?: () => number; sleep?: typeof defaultRetryPolicy.sleep },
): FileStore {
  const once = s3Client(options);
  const retries = { ...policy, sleep: options.sleep ?? policy.sleep };
  const call: S3Call = (request) => retry(() => once(request), retries, { signal: request.signal });
  const partBytes = options.partBytes ?? defaultPartBytes;
  const now = options.now ?? Date.now;

  return {
    provider: "s3",

    async put(key, body, { signal } = {}) {
      checkFileKey(key);
      const { bytes, result } = hashStream(body, signal);
      await upload(call, bytes, { key, partBytes, signal });
      return result();
    },

    async get(key, getOptions = {}) {
      const answer = await openObject(call, key, getOptions);
      answer.stopTimer();
      const body = answer.body === null ? Readable.from([]) : Readable.fromWeb(asNodeStream(answer.body));
      return { body, sizeBytes: wholeSize(answer.headers) };
    },

    async read(key, getOptions = {}) {
      return await (await openObject(call, key, getOptions)).bytes();
    },

    async head(key, { signal } = {}) {
      checkFileKey(key);
      try {
        const answer = await call({ method: "HEAD", key, signal });
        await finish(answer);
        const modifiedAt = new Date(answer.headers.get("last-modified") ?? 0);
        return { key, sizeBytes: Number(answer.headers.get("content-length")), modifiedAt };
      } catch (error) {
        if (error instanceof ProviderError && error.code === "not_found") return null;
        throw error;
      }
    },

    async delete(key, { signal } = {}) {
      checkFileKey(key);
      await removeObject(call, key, signal);
    },

    list(prefix, { signal } = {}) {
      checkFilePrefix(prefix);
      return listObjects(call, prefix, signal);
    },

    async sweepUnfinished(olderThanMs, { signal } = {}) {
      let removed = 0;
      for (const unfinished of await unfinishedUploads(call, signal)) {
        if (now() - unfinished.begunAt <= olderThanMs) continue;
        await abandon(call, unfinished.key, unfinished.uploadId);
        removed += 1;
      }
      return removed;
    },
  };
}

async function openObject(call: S3Call, key: string, { range, signal }: GetOptions): Promise<ProviderAnswer> {
  checkFileKey(key);
  if (range !== undefined && !(range.first >= 0 && range.first <= range.last)) throw outsideRange();
  const headers: Record<string, string> = range ? { range: `bytes=${range.first}-${range.last}` } : {};
  try {
    return await call({ method: "GET", key, headers, signal });
  } catch (error) {
    throw error instanceof ProviderError && error.status === 416 ? outsideRange() : error;
  }
}

function outsideRange(): ProviderError {
  return new ProviderError("The range lies outside the file.", {
    provider: "s3",
    status: 416,
    code: "rejected",
  });
}

/** `Content-Range: bytes 0-9/1234` on a part, `Content-Length` on the whole. */
function wholeSize(headers: Headers): number {
  const total = /\/(\d+)$/.exec(headers.get("content-range") ?? "")?.[1];
  return Number(total ?? headers.get("content-length"));
}

async function removeObject(call: S3Call, key: string, signal?: AbortSignal): Promise<void> {
  try {
    await finish(await call({ method: "DELETE", key, signal }));
  } catch (error) {
    // AWS answers 204 for a missing object; some others answer 404.
    if (!(error instanceof ProviderError && error.code === "not_found")) throw error;
  }
}

async function* listObjects(call: S3Call, prefix: string, signal?: AbortSignal): AsyncGenerator<StoredFile> {
  let token: string | null = null;
  do {
    const query: Record<string, string> = { "list-type": "2", prefix };
    if (token !== null) query["continuation-token"] = token;
    const xml: string = await (await call({ method: "GET", query, signal })).text();
    for (const item of elementsOf(xml, "Contents")) {
      const key = textOf(item, "Key");
      if (key === null || !isFileKey(key)) continue;
      const modifiedAt = new Date(textOf(item, "LastModified") ?? 0);
      yield { key, sizeBytes: Number(textOf(item, "Size")), modifiedAt };
    }
    token = textOf(xml, "IsTruncated") === "true" ? textOf(xml, "NextContinuationToken") : null;
  } while (token !== null);
}

type UnfinishedUpload = { key: string; uploadId: string; begunAt: number };

/** At most the first 1,000; the next sweep takes the next ones. */
async function unfinishedUploads(call: S3Call, signal?: AbortSignal): Promise<UnfinishedUpload[]> {
  const xml = await (await call({ method: "GET", query: { uploads: "" }, signal })).text();
  return elementsOf(xml, "Upload").flatMap((item) => {
    const key = textOf(item, "Key");
    const uploadId = textOf(item, "UploadId");
    const begunAt = Date.parse(textOf(item, "Initiated") ?? "");
    return key === null || uploadId === null || Number.isNaN(begunAt) ? [] : [{ key, uploadId, begunAt }];
  });
}

/** Safe: Node has one class of web streams; only its type is declared twice, and packages extend one of the two. */
function asNodeStream(body: ReadableStream<Uint8Array>): NodeReadableStream<Uint8Array> {
  return body as unknown as NodeReadableStream<Uint8Array>;
}
