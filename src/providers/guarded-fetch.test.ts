import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { createServer as createRawServer, type Server as NetServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createGuardedFetch, type GuardedFetchOptions, type GuardedRequest } from "./guarded-fetch.ts";

const openssl = "openssl";
const hasOpenssl = spawnSync(openssl, ["version"]).status === 0;
const limits = { maxBytes: 1_000_000, timeoutMs: 5_000 };

describe("a guarded fetch", () => {
  const seen: Pick<IncomingMessage, "url" | "headers" | "method">[] = [];
  let answer: RequestListener = (_request, response) => response.end("hello");
  const listener: RequestListener = (request, response) => {
    const { url, headers, method } = request;
    seen.push({ url, headers, method });
    answer(request, response);
  };
  const open: Server[] = [];
  let port = 0;
  let otherPort = 0;
  beforeAll(async () => {
    port = await listen(open, listener);
    otherPort = await listen(open, listener);
  });
  afterAll(() => {
    for (const server of open) server.close();
  });
  beforeEach(() => {
    seen.length = 0;
    answer = (_request, response) => response.end("hello");
  });

  /** Every name leads to loopback; only `good.test` may be called. */
  const options = (): GuardedFetchOptions => ({
    resolve: async () => [{ address: "127.0.0.1", family: 4 }],
    allowHosts: [`good.test:${port}`, `other.test:${otherPort}`],
  });
  const get = (url: string, more: Partial<GuardedRequest> & GuardedFetchOptions = {}) =>
    createGuardedFetch({ ...options(), ...more })(url, { ...limits, ...more });
  const good = (path = "/") => `http://good.test:${port}${path}`;

  test("brings status, type, final address and body", async () => {
    answer = (_request, response) => {
      response.writeHead(404, { "content-type": "text/html; charset=utf-8", "x-a": "b" }).end("<p>no</p>");
    };
    const found = await get(good("/a?b=c#d"));
    expect(found).toMatchObject({
      status: 404,
      contentType: "text/html; charset=utf-8",
      url: good("/a?b=c#d"),
    });
    expect(found.headers.get("x-a")).toBe("b");
    expect(await text(found.body)).toBe("<p>no</p>");
    expect(seen).toMatchObject([{ url: "/a?b=c", method: "GET", headers: { host: `good.test:${port}` } }]);
  });

  test("sends a body and headers, but none that steer the connection", async () => {
    const bodies: string[] = [];
    answer = async (request, response) => {
      bodies.push(await text(request));
      response.end();
    };
    const headers = {
      "X-Key": "k",
      Host: "evil.test",
      Connection: "upgrade",
      "Transfer-Encoding": "chunked",
    };
    await get(good(), { method: "POST", headers, body: "größe" });
    expect(bodies).toEqual(["größe"]);
    expect(seen[0]?.headers).toMatchObject({
      "x-key": "k",
      host: `good.test:${port}`,
      "content-length": "7",
    });
    expect(seen[0]?.headers.connection).not.toBe("upgrade");
  });

  describe("refuses", () => {
    test.each([
      "http://127.0.0.1/",
      "http://127.1/",
      "http://2130706433/",
      "http://0x7f000001/",
      "http://0177.0.0.1/",
      "http://0x7f.0x0.0x0.0x1/",
      "http://127.0.0.1./",
      "http://１２７.０.０.１/",
      "http://0/",
      "http://[::1]/",
      "http://[::]/",
      "http://[::ffff:127.0.0.1]/",
      "http://[::ffff:7f00:1]/",
      "http://[64:ff9b::7f00:1]/",
      "http://[2002:7f00:1::]/",
      "http://[2001:0:4136:e378:8000:63bf:80ff:fffe]/",
      "http://[fd00:ec2::254]/",
      "http://169.254.169.254/latest/meta-data/",
      "http://100.100.100.200/",
      "http://10.1.2.3/",
      "https://192.168.0.1/",
      "http://224.0.0.1/",
      "http://255.255.255.255/",
    ])("the address %s", async (url) => {
      await expect(get(url)).rejects.toMatchObject({ code: "address_refused", retryable: false });
    });

    test.each([
      "10.0.0.1",
      "127.0.0.1",
      "169.254.169.254",
      "::1",
      "::ffff:127.0.0.1",
      "fd00::1",
      "fe80::1%lo",
    ])("a name that resolves to %s, also next to a public address", async (address) => {
      const resolve = async () => [
        { address: "93.184.215.14", family: 4 },
        { address, family: address.includes(":") ? 6 : 4 },
      ];
      await expect(get("http://evil.test/", { resolve })).rejects.toMatchObject({ code: "address_refused" });
    });

    test.each([
      ["file:///etc/passwd", /http and https/],
      ["ftp://example.com/", /http and https/],
      ["javascript:alert(1)", /http and https/],
      ["gopher://127.0.0.1:6379/_x", /http and https/],
      ["not a url", /valid URL/],
      ["http://", /valid URL/],
      ["http://[fe80::1%25eth0]/", /valid URL/],
      ["http://user@example.com/", /user name/],
      ["http://user:secret@example.com/", /user name/],
      ["http://example.com:22/", /port 22/],
      ["http://example.com:6379/", /port 6379/],
    ])("%s", async (url, message) => {
      await expect(get(url)).rejects.toMatchObject({ name: "ProviderError", code: "address_refused" });
      await expect(get(url)).rejects.toThrow(message);
    });

    test("a name without an address", async () => {
      await expect(get("http://none.test/", { resolve: async () => [] })).rejects.toMatchObject({
        code: "address_refused",
      });
      const resolve = async () => {
        throw Object.assign(new Error("getaddrinfo ENOTFOUND none.test"), { code: "ENOTFOUND" });
      };
      await expect(get("http://none.test/", { resolve })).rejects.toThrow(
        "The link's host name does not exist.",
      );
    });

    test("localhost, as the system resolves it", async () => {
      await expect(createGuardedFetch()("http://localhost/", limits)).rejects.toMatchObject({
        code: "address_refused",
      });
    });

    test("an allowed host on another port", async () => {
      const elsewhere = get(`http://good.test:${otherPort}/`, { ports: [otherPort] });
      await expect(elsewhere).rejects.toMatchObject({ code: "address_refused" });
      expect(seen).toEqual([]);
    });

    test("without telling what it found", async () => {
      const failing = get("http://inside.test/", {
        resolve: async () => [{ address: "10.1.2.3", family: 4 }],
      });
      await expect(failing).rejects.not.toThrow(/10\.1\.2\.3/);
    });
  });

  describe("against a name that changes its mind", () => {
    test("connects to the address that was checked, and asks once", async () => {
      const secrets: string[] = [];
      const inside = createServer((request, response) => {
        secrets.push(request.url ?? "");
        response.end("secret");
      });
      await new Promise<void>((resolve) => inside.listen(port, "127.0.0.2", resolve));
      let asked = 0;
      const resolve = async () => [{ address: asked++ === 0 ? "127.0.0.1" : "127.0.0.2", family: 4 }];
      const { body } = await get(good(), { resolve });
      expect(await text(body)).toBe("hello");
      expect([asked, secrets]).toEqual([1, []]);
      inside.close();
    });

    test("checks anew for every request, and keeps no connection", async () => {
      let asked = 0;
      const resolve = async () => [{ address: asked++ === 0 ? "127.0.0.1" : "10.0.0.1", family: 4 }];
      const fetch = createGuardedFetch({ ...options(), resolve });
      const first = await fetch(good(), limits);
      expect(await text(first.body)).toBe("hello");
      const strict = createGuardedFetch({ resolve, ports: [port] });
      await expect(strict(good(), limits)).rejects.toMatchObject({ code: "address_refused" });
      expect(seen).toHaveLength(1);
    });
  });

  describe("at a redirect", () => {
    const redirectTo = (location: string, status = 302) => {
      answer = (request, response) => {
        if (request.url === "/") response.writeHead(status, { location }).end("moved");
        else response.end(`at ${request.url}`);
      };
    };

    test("follows it, relative or absolute", async () => {
      redirectTo("../b?c");
      const { body, url } = await get(good("/"));
      expect([await text(body), url]).toEqual(["at /b?c", good("/b?c")]);
    });

    test.each([
      "http://127.0.0.1/x",
      "http://169.254.169.254/latest",
      "http://[::1]/x",
      "http://inside.test/x",
      "file:///etc/passwd",
      "//127.0.0.1:22/",
      "http://user:pw@good.test/",
      "http://%zz/",
      "http://2130706433/",
    ])("refuses to go to %s", async (location) => {
      redirectTo(location);
      await expect(get(good("/"))).rejects.toMatchObject({ code: "address_refused" });
      expect(seen).toHaveLength(1);
    });

    test("stops after five", async () => {
      answer = (request, response) => {
        const n = Number(request.url?.slice(1) || 0);
        if (n < 6) response.writeHead(302, { location: `/${n + 1}` }).end();
        else response.end("end");
      };
      await expect(get(good("/"))).rejects.toThrow(/more than 5 times/);
      expect(await text((await get(good("/1"))).body)).toBe("end");
    });

    test("takes no secret to another origin, whatever its name", async () => {
      redirectTo(`http://other.test:${otherPort}/there`, 307);
      const headers = { Authorization: "Bearer s", "X-Api-Key": "s", cookie: "s", "accept-language": "de" };
      await get(good("/"), { headers });
      expect(seen).toHaveLength(2);
      expect(seen[0]?.headers).toMatchObject({ authorization: "Bearer s", "x-api-key": "s" });
      expect(JSON.stringify(seen[1]?.headers)).not.toMatch(/"(Bearer )?s"/);
      expect(seen[1]?.headers).toMatchObject({ "accept-language": "de", host: `other.test:${otherPort}` });
    });

    test.each([307, 308])("with status %i takes no body to another origin", async (status) => {
      redirectTo(`http://other.test:${otherPort}/there`, status);
      const posting = get(good("/"), { method: "POST", body: "client_secret=s" });
      await expect(posting).rejects.toMatchObject({ code: "address_refused" });
      expect(seen).toHaveLength(1);
    });

    test("leaves it to the caller who asks for that", async () => {
      redirectTo("http://169.254.169.254/latest");
      const found = await get(good("/"), { redirects: "answer" });
      expect([found.status, found.headers.get("location")]).toEqual([302, "http://169.254.169.254/latest"]);
      expect(await text(found.body)).toBe("moved");
      expect(seen).toHaveLength(1);
    });

    test("keeps its headers within one origin", async () => {
      redirectTo("/there");
      await get(good("/"), { headers: { authorization: "Bearer s" } });
      expect(seen[1]?.headers.authorization).toBe("Bearer s");
    });

    test.each([
      [301, "POST", "GET", ""],
      [302, "POST", "GET", ""],
      [303, "PUT", "GET", ""],
      [307, "POST", "POST", "body"],
      [308, "PUT", "PUT", "body"],
    ] as const)("status %i turns %s into %s", async (status, method, expected, expectedBody) => {
      const bodies: string[] = [];
      answer = async (request, response) => {
        bodies.push(await text(request));
        response.writeHead(request.url === "/" ? status : 200, { location: "/b" }).end();
      };
      await get(good("/"), { method, body: "body", headers: { "content-type": "text/plain" } });
      expect([seen[1]?.method, bodies[1]]).toEqual([expected, expectedBody]);
      expect("content-type" in (seen[1]?.headers ?? {})).toBe(expectedBody !== "");
    });

    test("takes a redirect without a place to go as the answer", async () => {
      answer = (_request, response) => response.writeHead(304).end();
      expect((await get(good("/"))).status).toBe(304);
    });
  });

  test.runIf(hasOpenssl)(
    "speaks https to the pinned address and checks the certificate against the name",
    async () => {
      const { key, cert } = await selfSigned("good.test");
      const secure = createSecureServer({ key, cert }, (_request, response) => response.end("safe"));
      const securePort = await listenOn(secure);
      const allowHosts = [`good.test:${securePort}`, `bad.test:${securePort}`];
      const { body } = await get(`https://good.test:${securePort}/`, { allowHosts, ca: cert });
      expect(await text(body)).toBe("safe");
      const untrusted = get(`https://good.test:${securePort}/`, { allowHosts });
      await expect(untrusted).rejects.toMatchObject({ name: "ProviderError", code: "unavailable" });
      await expect(get(`https://bad.test:${securePort}/`, { allowHosts, ca: cert })).rejects.toThrow(
        /ALTNAME/,
      );
      secure.close();
    },
  );

  test("stops when told to, before and while reading", async () => {
    await expect(get(good(), { signal: AbortSignal.abort(new Error("late")) })).rejects.toThrow("late");
    answer = (_request, response) => response.write("begun");
    const stop = new AbortController();
    const { body } = await get(good(), { signal: stop.signal });
    setTimeout(() => stop.abort(new Error("gone")), 20);
    await expect(text(body)).rejects.toThrow("gone");
  });

  test("closes the connection when the caller drops the body", async () => {
    const closed = Promise.withResolvers<void>();
    answer = (_request, response) => {
      response.on("close", closed.resolve).write("begun");
    };
    const { body } = await get(good());
    body.destroy();
    await closed.promise;
  });

  test("calls a broken connection, and something that is no HTTP, by their names", async () => {
    answer = (_request, response) => response.socket?.destroy();
    await expect(get(good())).rejects.toMatchObject({ code: "unavailable", retryable: true });
    answer = (_request, response) => {
      response.writeHead(200, { "content-length": 100 }).write("half", () => response.socket?.destroy());
    };
    const half = await get(good());
    await expect(text(half.body)).rejects.toMatchObject({ name: "ProviderError", code: "unavailable" });
    const raw = createRawServer((socket) => socket.end("SSH-2.0-OpenSSH\r\n"));
    const rawPort = await listenOn(raw);
    const notHttp = get(`http://good.test:${rawPort}/`, { allowHosts: [`good.test:${rawPort}`] });
    await expect(notHttp).rejects.toMatchObject({ code: "bad_answer" });
    raw.close();
  });
});

async function listen(open: Server[], listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  open.push(server);
  return await listenOn(server);
}

async function listenOn(server: NetServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}

async function selfSigned(name: string): Promise<{ key: string; cert: string }> {
  const folder = await mkdtemp(join(tmpdir(), "certificate-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const request = [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-days",
    "1",
  ];
  const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
  spawnSync(openssl, [...request, "-keyout", key, "-out", cert, ...subject]);
  const made = { key: await readFile(key, "utf8"), cert: await readFile(cert, "utf8") };
  await rm(folder, { recursive: true });
  return made;
}
