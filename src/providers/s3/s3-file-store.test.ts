import { createServer } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { s3FileStore } from "./s3-file-store.ts";

/** What the server in the conformance suite cannot show: aborted uploads, sweeping, and a store that stumbles. */
describe("the S3 file store", () => {
  const partBytes = 1000;
  let requests: string[] = [];
  let answers: ((path: string) => { status: number; body?: string } | null)[] = [];
  const server = createServer((request, response) => {
    const line = `${request.method} ${request.url}`;
    request.resume().on("end", () => {
      requests.push(line);
      const { status, body = "" } = answers.map((answer) => answer(line)).find((a) => a !== null) ?? {
        status: 200,
      };
      response
        .writeHead(status, { etag: '"e"' })
        .end(line.includes("?uploads=") && status === 200 ? body || begun : body);
    });
  });
  const begun =
    "<InitiateMultipartUploadResult><UploadId>u-1&amp;x</UploadId></InitiateMultipartUploadResult>";
  let port = 0;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (typeof address === "object") port = address?.port ?? 0;
  });
  afterAll(() => {
    server.close();
  });
  beforeEach(() => {
    requests = [];
    answers = [];
  });
  const store = (more = {}) =>
    s3FileStore({
      endpoint: `http://127.0.0.1:${port}`,
      region: "us-east-1",
      bucket: "b",
      accessKeyId: "AKIDEXAMPLE",
      secretAccessKey: "wJalrXUtnFEMI",
      partBytes,
      sleep: async () => {},
      ...more,
    });

  test("sends a small stream in one request and a large one in parts", async () => {
    await store().put("small", blocks(1, 999));
    await store().put("large", blocks(25, 100));
    expect(requests).toEqual([
      "PUT /b/small",
      "POST /b/large?uploads=",
      "PUT /b/large?partNumber=1&uploadId=u-1%26x",
      "PUT /b/large?partNumber=2&uploadId=u-1%26x",
      "PUT /b/large?partNumber=3&uploadId=u-1%26x",
      "POST /b/large?uploadId=u-1%26x",
    ]);
  });

  test("takes back the parts it sent when the stream breaks", async () => {
    async function* breaking() {
      yield* blocks(15, 100);
      throw new Error("gone");
    }
    await expect(store().put("large", breaking())).rejects.toThrow("gone");
    expect(requests.at(-1)).toBe("DELETE /b/large?uploadId=u-1%26x");
    expect(requests.some((line) => line.startsWith("POST /b/large?uploadId"))).toBe(false);
  });

  test("takes back the parts when the caller gives up", async () => {
    const stop = new AbortController();
    async function* endless() {
      yield* blocks(15, 100);
      stop.abort(new Error("no longer wanted"));
      await new Promise(() => {});
    }
    await expect(store().put("large", endless(), { signal: stop.signal })).rejects.toThrow(
      "no longer wanted",
    );
    expect(requests.at(-1)).toBe("DELETE /b/large?uploadId=u-1%26x");
  });

  test("believes an error that comes with status 200 at the end", async () => {
    answers = [
      (line) =>
        line === "POST /b/large?uploadId=u-1%26x"
          ? { status: 200, body: "<Error><Code>InternalError</Code></Error>" }
          : null,
    ];
    await expect(store().put("large", blocks(20, 100))).rejects.toMatchObject({
      code: "bad_answer",
      retryable: true,
    });
    expect(requests.at(-1)).toBe("DELETE /b/large?uploadId=u-1%26x");
  });

  test("tries a part again when the store asks to slow down", async () => {
    let failures = 2;
    answers = [
      (line) =>
        line.includes("partNumber=2") && failures-- > 0
          ? { status: 503, body: "<Error><Code>SlowDown</Code></Error>" }
          : null,
    ];
    await store().put("large", blocks(20, 100));
    expect(requests.filter((line) => line.includes("partNumber=2"))).toHaveLength(3);
  });

  test("names the store's own code and never the credentials", async () => {
    const body =
      "<Error><Code>SignatureDoesNotMatch</Code><Message>for AKIDEXAMPLE wJalrXUtnFEMI</Message></Error>";
    answers = [() => ({ status: 403, body })];
    const failure = store().put("small", blocks(1, 1));
    await expect(failure).rejects.toMatchObject({ code: "unauthorized", status: 403, retryable: false });
    await expect(failure).rejects.toThrow(
      "s3 answered 403: SignatureDoesNotMatch: for [redacted] [redacted]",
    );
  });

  test("sweeps unfinished uploads that are old enough", async () => {
    const upload = (key: string, at: string) =>
      `<Upload><Key>${key}</Key><UploadId>u</UploadId><Initiated>${at}</Initiated></Upload>`;
    answers = [
      (line) =>
        line.startsWith("GET /b?uploads=")
          ? {
              status: 200,
              body: `${upload("old", "2026-01-01T00:00:00.000Z")}${upload("new", "2026-01-02T00:00:00.000Z")}`,
            }
          : null,
    ];
    const swept = await store({ now: () => Date.parse("2026-01-02T01:00:00Z") }).sweepUnfinished(3_600_000);
    expect(swept).toBe(1);
    expect(requests).toEqual(["GET /b?uploads=", "DELETE /b/old?uploadId=u"]);
  });

  test("follows a long list page by page", async () => {
    answers = [
      (line) =>
        line.includes("continuation-token")
          ? {
              status: 200,
              body: "<IsTruncated>false</IsTruncated><Contents><Key>b</Key><Size>2</Size></Contents>",
            }
          : {
              status: 200,
              body: "<IsTruncated>true</IsTruncated><NextContinuationToken>1/+=&amp;</NextContinuationToken><Contents><Key>a</Key><Size>1</Size></Contents>",
            },
    ];
    const keys: string[] = [];
    for await (const file of store().list("")) keys.push(file.key);
    expect(keys).toEqual(["a", "b"]);
    expect(requests[1]).toContain("continuation-token=1%2F%2B%3D%26");
  });

  test("asks Amazon by the bucket's own host name and everyone else by path", async () => {
    const urls: string[] = [];
    const fetch = async (url: string | URL | Request) => {
      urls.push(String(url));
      return new Response("");
    };
    await store({ endpoint: "https://s3.eu-west-1.amazonaws.com", fetch }).delete("k");
    await store({ endpoint: "https://minio.example/s3/", fetch }).delete("k");
    expect(urls).toEqual(["https://b.s3.eu-west-1.amazonaws.com/k", "https://minio.example/s3/b/k"]);
  });
});

async function* blocks(count: number, sizeBytes: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) yield Buffer.alloc(sizeBytes, "x");
}
