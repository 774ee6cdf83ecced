import { createServer, type RequestListener } from "node:http";
import { text } from "node:stream/consumers";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createGuardedFetch, type GuardedFetchOptions, type GuardedRequest } from "./guarded-fetch.ts";

const limits = { maxBytes: 1_000_000, timeoutMs: 5_000 };

describe("a guarded fetch limits", () => {
  let answer: RequestListener = () => {};
  let port = 0;
  const server = createServer((request, response) => answer(request, response));
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    port = typeof address === "object" ? (address?.port ?? 0) : 0;
  });
  afterAll(() => {
    server.close();
  });
  const good = () => `http://good.test:${port}/`;
  const get = (url: string, more: Partial<GuardedRequest> & GuardedFetchOptions = {}) => {
    const resolve = async () => [{ address: "127.0.0.1", family: 4 }];
    const fetch = createGuardedFetch({ resolve, allowHosts: [`good.test:${port}`], ...more });
    return fetch(url, { ...limits, ...more });
  };

  test("a body that announces too much, before reading it", async () => {
    answer = (_request, response) => response.writeHead(200, { "content-length": 5_000_000 }).write("x");
    await expect(get(good())).rejects.toMatchObject({ code: "input_too_large" });
  });

  test("a body that never ends", async () => {
    answer = (_request, response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024))) {}
      };
      response.on("drain", more);
      more();
    };
    const { body } = await get(good());
    await expect(text(body)).rejects.toMatchObject({ name: "ProviderError", code: "input_too_large" });
  });

  test.each([
    ["gzip", gzipSync],
    ["br", brotliCompressSync],
    ["deflate", deflateSync],
    ["zstd", zstdCompressSync],
  ] as const)("a %s bomb, while it unfolds", async (encoding, compress) => {
    const bomb = compress(Buffer.alloc(60_000_000));
    expect(bomb.byteLength).toBeLessThan(limits.maxBytes);
    answer = (_request, response) => response.writeHead(200, { "content-encoding": encoding }).end(bomb);
    const before = process.memoryUsage().arrayBuffers;
    const { body } = await get(good());
    await expect(text(body)).rejects.toMatchObject({ code: "input_too_large" });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(30_000_000);
  });

  test.each([
    ["gzip", gzipSync],
    ["br", brotliCompressSync],
    ["deflate", deflateSync],
    ["zstd", zstdCompressSync],
  ] as const)("nothing that is well-behaved in %s", async (encoding, compress) => {
    answer = (_request, response) => {
      const packed = compress("a page ".repeat(1_000));
      response
        .writeHead(200, { "content-encoding": encoding, "content-length": packed.byteLength })
        .end(packed);
    };
    const { body, headers } = await get(good());
    expect(await text(body)).toBe("a page ".repeat(1_000));
    expect([headers.get("content-encoding"), headers.get("content-length")]).toEqual([null, null]);
  });

  test.each([
    ["gzip, gzip", gzipSync(gzipSync("x"))],
    ["gzip", Buffer.from("this is no gzip")],
    ["compress", Buffer.from("x")],
  ])("a body packed as %s that cannot be read", async (encoding, packed) => {
    answer = (_request, response) => response.writeHead(200, { "content-encoding": encoding }).end(packed);
    const reading = get(good()).then(({ body }) => text(body));
    await expect(reading).rejects.toMatchObject({ name: "ProviderError", code: "bad_answer" });
  });

  test.each<[string, RequestListener]>([
    ["a server that says nothing", () => {}],
    [
      "a body that drips",
      (_request, response) => {
        const drip = setInterval(() => response.write("."), 20);
        response.on("close", () => clearInterval(drip));
      },
    ],
    [
      "redirects that each take a while",
      (_request, response) => {
        setTimeout(() => response.writeHead(302, { location: "/" }).end(), 100);
      },
    ],
  ])("%s, by one clock for all of it", async (_name, slow) => {
    answer = slow;
    const begun = Date.now();
    const reading = get(good(), { timeoutMs: 250 }).then(({ body }) => text(body));
    await expect(reading).rejects.toMatchObject({ name: "ProviderError", code: "timeout" });
    expect(Date.now() - begun).toBeLessThan(1_900);
  });

  test("a resolver that does not answer", async () => {
    const resolve = () => new Promise<never>(() => {});
    await expect(get(good(), { resolve, timeoutMs: 100 })).rejects.toMatchObject({ code: "timeout" });
  });

  test("a body that nobody reads, by dropping it when the time is up", async () => {
    const closed = Promise.withResolvers<void>();
    answer = (_request, response) => {
      response.on("close", closed.resolve).write("begun");
    };
    await get(good(), { timeoutMs: 100 });
    await closed.promise;
  });
});
