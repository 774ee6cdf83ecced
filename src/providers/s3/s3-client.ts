import { createHash } from "node:crypto";
import { AwsV4Signer } from "aws4fetch";
import { callProvider, type Fetch, type ProviderAnswer } from "../call-provider.ts";

export type S3Options = {
  /** e.g. `https://s3.eu-central-1.amazonaws.com`, `http://minio:9000`. */
  endpoint: string;
  region: string;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** `endpoint/bucket/key` instead of `bucket.endpoint/key`. Default: true except at amazonaws.com. */
  pathStyle?: boolean;
  /** For one request; a download only has to begin within it. */
  timeoutMs?: number;
  fetch?: Fetch;
};

type S3Request = {
  method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** Absent: the bucket itself. */
  key?: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: Uint8Array;
  signal?: AbortSignal;
};

/** One signed request (AWS Signature Version 4, the body's hash included). Errors: `ProviderError`. */
export type S3Call = (request: S3Request) => Promise<ProviderAnswer>;

export function s3Client(options: S3Options): S3Call {
  const base = bucketUrl(options);
  const secrets = [options.secretAccessKey, options.accessKeyId];
  return async ({ method, key, query = {}, headers = {}, body, signal }) => {
    const url = new URL(key === undefined ? base : `${base}/${key}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const signer = new AwsV4Signer({
      method,
      url: url.href,
      headers: {
        ...headers,
        "x-amz-content-sha256": createHash("sha256")
          .update(body ?? "")
          .digest("hex"),
      },
      accessKeyId: options.accessKeyId,
      secretAccessKey: options.secretAccessKey,
      service: "s3",
      region: options.region,
    });
    const signed = await signer.sign();
    return await callProvider({
      provider: "s3",
      fetch: options.fetch ?? fetch,
      url: signed.url.href,
      method,
      headers: {
        ...Object.fromEntries(new Headers(signed.headers)),
        "accept-encoding": "identity",
        ...(body && { "content-length": String(body.byteLength) }),
      },
      body: body && streamOf(body),
      timeoutMs: options.timeoutMs ?? 60_000,
      // A whole object may be read into memory where the caller knows its size.
      maxAnswerBytes: 2 ** 31,
      signal,
      secrets,
    });
  };
}

/** fetch copies a buffer it is given, and a part is large; a stream's chunks it only passes on. */
function streamOf(body: Uint8Array): ReadableStream<Uint8Array> {
  let sent = 0;
  return new ReadableStream({
    pull(controller) {
      if (sent < body.byteLength) controller.enqueue(body.subarray(sent, sent + 64 * 1024));
      sent += 64 * 1024;
      if (sent >= body.byteLength) controller.close();
    },
  });
}

function bucketUrl({ endpoint, bucket, pathStyle }: S3Options): string {
  const url = new URL(endpoint);
  const base = url.pathname.replace(/\/+$/, "");
  if (pathStyle ?? !url.hostname.endsWith(".amazonaws.com")) return `${url.origin}${base}/${bucket}`;
  return `${url.protocol}//${bucket}.${url.host}${base}`;
}
