import { beforeEach, describe, expect, test } from "vitest";
import { texts, toolHouse, toolWorld } from "../../test/tool-support.ts";

const loopback = async () => [{ address: "127.0.0.1", family: 4 }];
const dns = { resolve: loopback };
const house = await toolHouse({ resolve: () => dns.resolve() });
const { api, other } = house;
const base = `http://api.test:${api.port}`;
const world = await toolWorld(house);

/** A tool that answers `path`; `http` changes its definition, `parameters` its schema. */
function attach(path: string, http: object = {}, parameters: object = { type: "object", properties: {} }) {
  return world.attach({ parameters, http: { method: "GET", url: base + path, ...http } });
}

async function callOf(path: string, http: object = {}) {
  return world.call(await attach(path, http));
}

beforeEach(() => {
  api.requests.length = 0;
  other.requests.length = 0;
});

describe("a call of an HTTP tool", () => {
  test("sends what the definition says, with the arguments in their places", async () => {
    const tool = await attach(
      "/echo/{id}?lang={lang}&v=1",
      {
        method: "POST",
        headers: { "X-Client": "lumen", "Content-Type": "application/vnd.order+json" },
        body: { order: "{id}", note: "For {name}" },
        auth: { type: "header", name: "X-Api-Key", value: "SECRET-key-1" },
      },
      texts("id", "lang", "name"),
    );
    const outcome = await world.call(tool, { id: "A 1", lang: "it", name: "Zoë" });
    expect(outcome).toMatchObject({ status: "ok", ms: expect.any(Number), bytes: expect.any(Number) });
    expect(api.requests).toMatchObject([
      {
        method: "POST",
        url: "/echo/A%201?lang=it&v=1",
        body: '{"order":"A 1","note":"For Zoë"}',
        headers: {
          "x-client": "lumen",
          "x-api-key": "SECRET-key-1",
          "content-type": "application/vnd.order+json",
        },
      },
    ]);
  });

  test.each([
    [{ type: "none" }, undefined],
    [{ type: "bearer", token: "SECRET-bearer" }, "Bearer SECRET-bearer"],
    [
      { type: "basic", username: "usér", password: "SECRET:basic" },
      `Basic ${Buffer.from("usér:SECRET:basic").toString("base64")}`,
    ],
  ])("proves who it is with $type", async (auth, header) => {
    expect(await callOf("/echo", { auth, headers: { Accept: "text/plain" } })).toMatchObject({
      status: "ok",
    });
    expect(api.requests[0]?.headers).toMatchObject({ accept: "text/plain" });
    expect(api.requests[0]?.headers.authorization).toBe(header);
  });

  test("does not send what the schema refuses, and says so to the model", async () => {
    const tool = await attach("/echo/{id}", {}, texts("id"));
    for (const args of [{}, { id: 5 }, "{", [], { id: "../admin" }, { id: ".." }]) {
      const outcome = await world.call(tool, args);
      expect(outcome).toMatchObject({ status: "failed", code: "invalid_arguments", bytes: 0 });
      expect(outcome.content).toMatch(/^The arguments .+\./);
    }
    expect(api.requests).toEqual([]);
  });

  test("with credentials that no header can hold is not sent", async () => {
    const outcome = await callOf("/echo", { auth: { type: "bearer", token: "SECRET\r\nX: y" } });
    expect(outcome).toMatchObject({ status: "failed", code: "misconfigured" });
    expect(outcome.content).not.toContain("SECRET");
    expect(api.requests).toEqual([]);
  });
});

describe("an answer", () => {
  const answer = (query: Record<string, string>, http: object = {}) =>
    callOf(`/answer?${new URLSearchParams(query)}`, http);
  const JSON_TYPE = "application/json; charset=utf-8";

  test("in JSON or in text reaches the model as it is", async () => {
    expect(await answer({ type: JSON_TYPE, body: '{"a": 1}' })).toMatchObject({
      status: "ok",
      content: '{"a": 1}',
    });
    expect(await answer({ type: "application/problem+json", body: "[1]" })).toMatchObject({ content: "[1]" });
    expect(await answer({ type: "text/csv", body: "a;b" })).toMatchObject({ content: "a;b", bytes: 3 });
    expect(await answer({ body: "plain" })).toMatchObject({ status: "ok", content: "plain" });
    const latin1 = { type: "text/plain; charset=iso-8859-1", body: "Grüße", encoding: "latin1" };
    expect(await answer(latin1)).toMatchObject({ content: "Grüße" });
    expect(await answer({ type: "text/plain", body: "a\u0000b" })).toMatchObject({ content: "ab" });
    expect(await answer({ type: "text/plain; charset=nonsense", body: "ü" })).toMatchObject({ content: "ü" });
  });

  test("that is empty is said to be", async () => {
    const content = "The request was carried out (status 204). The answer is empty.";
    expect(await answer({ code: "204" })).toMatchObject({ status: "ok", content });
  });

  test.each([
    ["$.order.status", "sent"],
    ["$.order.lines[*].sku", '["a","b"]'],
    ["$.order.lines[0]", '{"sku":"a","n":1}'],
    ["$.order.lines[?@.n > 1].sku", "b"],
    ["$.empty", ""],
    ["$.nothing", "The request was carried out (status 200). The answer holds nothing at $.nothing."],
    ["$", '{"order":{"status":"sent","lines":[{"sku":"a","n":1},{"sku":"b","n":2}]},"empty":""}'],
  ])("is cut down to %s", async (response_select, content) => {
    const body = {
      order: {
        status: "sent",
        lines: [
          { sku: "a", n: 1 },
          { sku: "b", n: 2 },
        ],
      },
      empty: "",
    };
    const outcome = await answer({ type: JSON_TYPE, body: JSON.stringify(body) }, { response_select });
    expect(outcome).toMatchObject({ status: "ok", content });
  });

  test("that takes for ever to select from is given up", async () => {
    const body = JSON.stringify([`${"a".repeat(40)}!`]);
    const http = { response_select: "$[?match(@, '(a|aa)+')]" };
    expect(await answer({ type: JSON_TYPE, body }, http)).toMatchObject({
      status: "failed",
      code: "bad_response",
      content: expect.stringContaining("but its answer takes too long to select from"),
    });
  });

  test("that is nested without end is given up", async () => {
    const tool = await attach("/deep", { response_select: "$..x", max_response_bytes: 1_000_000 });
    expect(await world.call(tool)).toMatchObject({ status: "failed", code: "bad_response" });
  });

  test("that is neither JSON nor text is a sentence", async () => {
    expect(await answer({ type: "image/png", body: "x" })).toMatchObject({
      status: "failed",
      code: "unsupported_content",
      content:
        "The request was carried out (status 200), but its answer is neither JSON nor text (image/png).",
    });
    expect(await answer({ body: "a\u0000b" })).toMatchObject({ code: "unsupported_content" });
  });

  test("in JSON that is none, or in text that is to be selected from, is a sentence", async () => {
    const broken = { status: "failed", code: "bad_response" };
    expect(await answer({ type: JSON_TYPE, body: "{" })).toMatchObject(broken);
    expect(await answer({ type: "text/plain", body: "hi" }, { response_select: "$.a" })).toMatchObject(
      broken,
    );
  });

  test.each([
    ["400", "The service answered 400 Bad Request: no such order"],
    ["404", "The service answered 404 Not Found: no such order"],
    ["500", "The service answered 500 Internal Server Error: no such order"],
    ["304", "The service answered 304 Not Modified."],
  ])("of status %s is a failure with what the service said", async (code, content) => {
    expect(await answer({ code, body: "no such order" })).toMatchObject({
      status: "failed",
      code: "http_error",
      content,
    });
  });

  test.each([
    ["/bomb?encoding=gzip", "a gzip bomb"],
    ["/bomb?encoding=br", "a brotli bomb"],
    ["/forever", "a body without end"],
  ])("%s is cut off: %s", async (path) => {
    const outcome = await callOf(path, { max_response_bytes: 1_000_000 });
    expect(outcome).toMatchObject({ status: "failed", code: "response_too_large" });
    expect(outcome.content).toBe(
      "The tool's answer is larger than the 1000000 bytes allowed. The request was carried out (status 200).",
    );
  });
});

describe("time", () => {
  test.each(["/hang", "/drip"])("for the whole of %s is limited", async (path) => {
    const begun = performance.now();
    const outcome = await callOf(path, { method: "POST", timeout_ms: 300 });
    expect(outcome).toMatchObject({ status: "failed", code: "timeout" });
    expect(outcome.content).toMatch(/did not answer in full within \d+ ms\./);
    expect(performance.now() - begun).toBeLessThan(10_000);
    await expect.poll(() => api.open()).toBe(0);
  });

  test("that is up says what is not known", async () => {
    const unknown = "It is not known whether the request took effect.";
    expect((await callOf("/hang", { method: "POST", timeout_ms: 100 })).content).toContain(unknown);
    expect((await callOf("/hang", { timeout_ms: 100 })).content).not.toContain(unknown);
  });

  test("ends with the caller's, at the server too", async () => {
    const tool = await attach("/hang", { method: "POST" });
    const leaving = new AbortController();
    const calling = world.call(tool, {}, leaving.signal);
    await expect.poll(() => api.open()).toBe(1);
    leaving.abort();
    expect(await calling).toMatchObject({ status: "failed", code: "cancelled" });
    await expect.poll(() => api.open()).toBe(0);
    expect(await world.ledger("?limit=1")).toMatchObject([{ status: "failed", code: "cancelled" }]);
    expect(await world.call(tool, {}, AbortSignal.abort())).toMatchObject({ code: "cancelled" });
  });
});

describe("a second try", () => {
  let count = 0;
  const failing = (times: number, more: string) => {
    count += 1;
    return `/answer?body=fine&fail=f${count}&times=${times}${more}`;
  };

  test.each([
    ["GET", "&status=429"],
    ["GET", "&status=502"],
    ["PUT", "&status=503"],
    ["DELETE", "&status=504"],
    ["GET", ""],
  ])("follows when a %s fails with %s, at most two", async (method, how) => {
    expect(await callOf(failing(2, how), { method })).toMatchObject({ status: "ok", content: "fine" });
    expect(api.requests).toHaveLength(3);
    api.requests.length = 0;
    expect(await callOf(failing(3, how), { method })).toMatchObject({ status: "failed" });
    expect(api.requests).toHaveLength(3);
  });

  test.each([
    ["POST", "&status=503", "http_error"],
    ["PATCH", "&status=429", "http_error"],
    ["POST", "", "unreachable"],
    ["GET", "&status=500", "http_error"],
    ["GET", "&status=400", "http_error"],
  ])("never follows when a %s fails with %s", async (method, how, code) => {
    expect(await callOf(failing(1, how), { method })).toMatchObject({ status: "failed", code });
    expect(api.requests).toHaveLength(1);
  });

  test("waits as long as the server asks, unless that is longer than the call may take", async () => {
    const begun = performance.now();
    expect(await callOf(failing(1, "&status=429&retry_after=1"))).toMatchObject({ status: "ok" });
    expect(performance.now() - begun).toBeGreaterThan(990);
    const at = new Date(Date.now() + 2_500).toUTCString();
    const dated = performance.now();
    expect(await callOf(failing(1, `&status=429&retry_after=${encodeURIComponent(at)}`))).toMatchObject({
      status: "ok",
    });
    expect(performance.now() - dated).toBeGreaterThan(1_000);
    api.requests.length = 0;
    const soon = performance.now();
    expect(await callOf(failing(1, "&status=429&retry_after=60"))).toMatchObject({ code: "http_error" });
    expect(performance.now() - soon).toBeLessThan(20_000);
    expect(api.requests).toHaveLength(1);
  });

  test("shares the time of the first", async () => {
    const outcome = await callOf(failing(9, "&status=503&retry_after=3"), { timeout_ms: 2_900 });
    expect(outcome).toMatchObject({ status: "failed", code: "http_error" });
    expect(api.requests).toHaveLength(1);
  });
});

describe("the private network", () => {
  const direct = async (url: string, http: object = {}) =>
    world.call(await world.attach({ http: { method: "GET", url, ...http } }));

  test.each([
    "http://127.0.0.1/",
    "http://localhost/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://10.0.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[fd00:ec2::254]/",
    "http://[fe80::1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://rebound.test/",
    `http://127.0.0.1:${api.port}/`,
    `http://api.test:${other.port}/`,
  ])("cannot be reached as %s", async (url) => {
    expect(await direct(url)).toMatchObject({ status: "failed", code: "address_refused" });
    expect([...api.requests, ...other.requests]).toEqual([]);
  });

  test.each([
    "http://169.254.169.254/latest/meta-data/",
    "http://127.0.0.1/",
    "http://[::ffff:169.254.169.254]/",
    "http://inside.test/",
    "file:///etc/passwd",
  ])("cannot be reached by a redirect to %s", async (to) => {
    const outcome = await callOf(`/redirect?to=${encodeURIComponent(to)}`);
    expect(outcome).toMatchObject({ status: "failed", code: "address_refused" });
    expect(api.requests).toHaveLength(1);
  });

  test("cannot be reached through an argument", async () => {
    const tool = await attach("/echo/{a}", {}, texts("a"));
    for (const a of ["@127.0.0.1/", "//127.0.0.1", "http://127.0.0.1", "\\\\127.0.0.1"]) {
      await world.call(tool, { a });
    }
    for (const { url, headers } of api.requests) {
      expect([url.startsWith("/echo/"), headers.host]).toEqual([true, `api.test:${api.port}`]);
    }
  });

  test("a redirect to another host takes no secret along, and no body", async () => {
    const to = encodeURIComponent(`http://other.test:${other.port}/echo`);
    const secrets = {
      auth: { type: "header", name: "X-Api-Key", value: "SECRET-key-2" },
      headers: { Cookie: "SECRET-cookie" },
    };
    expect(await callOf(`/redirect?to=${to}`, secrets)).toMatchObject({ status: "ok" });
    expect(JSON.stringify(api.requests)).toContain("SECRET-key-2");
    expect(other.requests).toHaveLength(1);
    expect(JSON.stringify(other.requests)).not.toContain("SECRET");
    const posted = await callOf(`/redirect?code=307&to=${to}`, { ...secrets, method: "POST" });
    expect(posted).toMatchObject({ status: "failed", code: "address_refused" });
    expect(other.requests).toHaveLength(1);
  });
});

test("a name whose address changes is called where it was checked, and checked anew for each try", async () => {
  let asked = 0;
  dns.resolve = async () => {
    asked += 1;
    return [{ address: asked % 2 === 1 ? "127.0.0.1" : "127.0.0.2", family: 4 }];
  };
  expect(await callOf("/echo")).toMatchObject({ status: "ok" });
  expect(asked).toBe(1);
  expect(await callOf("/echo")).toMatchObject({ status: "ok" });
  // Nobody listens at the second address: that try fails, and the next one asks again.
  expect([asked, api.requests.length]).toEqual([3, 2]);
  dns.resolve = loopback;
});

describe("a secret", () => {
  test("that the server echoes is taken out, in every form", async () => {
    const tool = await attach(
      "/echo/x",
      {
        method: "POST",
        auth: { type: "header", name: "X-Api-Key", value: "SECRET-a/b+c==" },
        headers: { "X-Sig": "sig SECRETSIG99" },
      },
      { type: "object", properties: { a: { type: "string" } } },
    );
    const forms = [
      "SECRET-a/b+c==",
      encodeURIComponent("SECRET-a/b+c=="),
      Buffer.from("SECRET-a/b+c==").toString("base64"),
      Buffer.from("SECRET-a/b+c==").toString("hex"),
    ];
    const outcome = await world.call(tool, { a: `${forms.join(" ")} SECRETSIG99 rest` });
    expect(outcome.status).toBe("ok");
    for (const form of [...forms, "SECRETSIG99"]) expect(outcome.content).not.toContain(form);
    expect(outcome.content).toContain("[redacted] rest");
    const basic = await callOf("/echo", { auth: { type: "basic", username: "u", password: "SECRET-pass" } });
    expect(basic.content).not.toContain(Buffer.from("u:SECRET-pass").toString("base64"));
    const refused = await callOf(`/answer?code=401&body=${encodeURIComponent("bad token SECRET-bearer-9")}`, {
      auth: { type: "bearer", token: "SECRET-bearer-9" },
    });
    expect(refused.content).toBe("The service answered 401 Unauthorized: bad token [redacted]");
  });

  test("that an error page holds is not cut in half", async () => {
    const http = { auth: { type: "bearer", token: "SECRET-bearer-10" } };
    const tool = await attach("/answer?code=500&body={body}", http, texts("body"));
    const outcome = await world.call(tool, { body: `${"x".repeat(1_990)} SECRET-bearer-10 more` });
    expect(outcome.content).toContain("x".repeat(1_990));
    expect(outcome.content).not.toContain("SECRET");
  });

  test("stands in no outcome, no ledger and no log", async () => {
    const secret = "SECRET-everywhere-42";
    const outcomes = [];
    for (const path of [
      "/echo",
      "/answer?code=500&body=SECRET-everywhere-42",
      "/hang",
      "/bomb",
      "/redirect?to=http://10.0.0.1/",
    ]) {
      const http = { auth: { type: "bearer", token: secret }, timeout_ms: 300, method: "POST" };
      outcomes.push(await callOf(path, http));
    }
    expect(JSON.stringify(outcomes)).not.toContain(secret);
    expect(JSON.stringify(await world.ledger())).not.toContain("SECRET");
    expect(house.lines.join("")).toContain("a tool was called");
    expect(house.lines.join("")).not.toContain("SECRET");
  });
});

describe("many calls at once", () => {
  test("to one host are eight at a time, and all are made", async () => {
    const tool = await attach("/slow?ms=300");
    const outcomes = await Promise.all(Array.from({ length: 30 }, () => world.call(tool)));
    expect(outcomes.map(({ status }) => status)).toEqual(Array(30).fill("ok"));
    expect(api.mostAtOnce()).toBe(8);
  });

  test("do not hold up another organization's, and one that gets no place in its time says so", async () => {
    const tool = await attach("/hang", { timeout_ms: 30_000 });
    const leaving = new AbortController();
    const hanging = Array.from({ length: 8 }, () => world.call(tool, {}, leaving.signal));
    await expect.poll(() => api.open()).toBe(8);
    const late = await attach("/echo", { timeout_ms: 200 });
    expect(await world.call(late)).toMatchObject({ status: "failed", code: "busy", bytes: 0 });
    const stranger = await toolWorld(house);
    const theirs = await stranger.attach({ http: { method: "GET", url: `${base}/echo` } });
    expect(await stranger.call(theirs)).toMatchObject({ status: "ok" });
    leaving.abort();
    const outcomes = await Promise.all(hanging);
    const codes = outcomes.map((outcome) => (outcome.status === "failed" ? outcome.code : "ok"));
    expect(codes).toEqual(Array(8).fill("cancelled"));
    expect(await world.call(late)).toMatchObject({ status: "ok" });
  });
});
