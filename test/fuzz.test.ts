import { Agent, request } from "node:http";
import { connect } from "node:net";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import type { z } from "zod";
import { operations } from "../src/areas.ts";
import type { Operation } from "../src/http/operation.ts";
import { hostileText, spoilt, valuesOf } from "./arbitrary.ts";
import { expectAnyProblem, expectSuccess } from "./expectations.ts";
import { encodeForm, fieldParts, type Part } from "./form.ts";
import { bodyOf, calls, contentOf, FILE, headersOf, newPlace, type Place, pathOf } from "./registry.ts";
import { type Reply, testServer } from "./support.ts";

/** One request as it goes over the wire; the path has been encoded, or spoilt on purpose. */
interface Shot {
  path: string;
  headers: Record<string, string>;
  body: string | Uint8Array | undefined;
}

const server = await testServer();
/** How many requests each property of each operation makes; CI takes the default, `FUZZ_RUNS=5000` an evening. */
const RUNS = Number(process.env.FUZZ_RUNS || 120);
/** The same inputs in every run of the CI; an evening's long run begins somewhere else each time. */
const SEED = Number(process.env.FUZZ_SEED || (process.env.FUZZ_RUNS ? Date.now() % 2 ** 31 : 20_261));
/** A property that is slow on a busy machine ends early rather than late. */
const LIMIT_MS = process.env.FUZZ_RUNS ? 600_000 : 300;
const shared = await newPlace(server);
const agent = new Agent({ keepAlive: true, maxSockets: 4 });

afterAll(() => agent.destroy());

describe(`with any input (repeat with FUZZ_SEED=${SEED})`, () => {
  for (const operation of operations) {
    test(`${operation.id} answers as it declares`, { timeout: 4 * LIMIT_MS + 30_000 }, async () => {
      const prepare = calls[operation.id]?.prepare;
      // Reading changes nothing.
      const place = operation.method === "GET" && prepare === undefined ? shared : await newPlace(server);
      await prepare?.(place);
      for (const shots of [
        pathsAndQueries(operation, place),
        headersOfAllKinds(operation, place),
        bodies(operation, place),
      ]) {
        if (shots !== undefined) await check(operation, shots);
      }
    });
  }
});

test("what is not even HTTP is answered in the shape of every error", async () => {
  const head = "GET /api/v1/auth HTTP/1.1\r\nHost: x\r\n";
  const shots = [
    "nonsense\r\n\r\n",
    "GET /api/v1/auth HTTP/9.9\r\n\r\n",
    `${head}X-Long: ${"x".repeat(100_000)}\r\n\r\n`,
    `${head}Bad Header: 1\r\n\r\n`,
    `${head}Content-Length: -1\r\n\r\n`,
    "POST /api/v1/accounts HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
  ];
  for (const shot of shots) {
    const answer = await rawAnswer(shot);
    const [status = "", ...headers] = answer.slice(0, answer.indexOf("\r\n\r\n")).split("\r\n");
    const reply: Reply = {
      status: Number(status.split(" ")[1]),
      headers: new Headers(
        headers.map((line): [string, string] => [line.split(": ")[0] ?? "", line.split(": ")[1] ?? ""]),
      ),
      body: JSON.parse(answer.slice(answer.indexOf("\r\n\r\n"))),
    };
    expectAnyProblem(reply);
  }
});

async function check(operation: Operation, shots: fc.Arbitrary<Shot>): Promise<void> {
  const property = fc.asyncProperty(shots, async (shot) => {
    const reply = await fire(operation.method, shot);
    if (reply.status >= 200 && reply.status < 300) expectSuccess(reply, operation);
    else {
      expect(reply.status).toBeLessThan(500);
      expectAnyProblem(reply, operation);
    }
  });
  // The first one takes the time it takes: none at all would be a failure of the machine.
  await fc.assert(property, { numRuns: 1, seed: SEED });
  const details = await fc.check(property, {
    numRuns: RUNS,
    seed: SEED,
    interruptAfterTimeLimit: LIMIT_MS,
  });
  const isTooSlow = details.interrupted && details.counterexample === null;
  if (details.failed && !isTooSlow) throw new Error(await fc.asyncDefaultReportMessage(details));
}

function pathsAndQueries(operation: Operation, place: Place): fc.Arbitrary<Shot> {
  const part = fc.oneof(
    hostileText.map((text) => encodeURIComponent(text.toWellFormed()).slice(0, 3_000)),
    hostileText.map((text) => Buffer.from(text).toString("hex").slice(0, 4_000)),
    fc.constantFrom(
      "%",
      "%zz",
      "%c3",
      "%ed%a0%80",
      "%00",
      "00",
      "..",
      ".",
      "%2e%2e",
      "%2f",
      "",
      "a%20b",
      "*",
      "61%36",
    ),
    fc.uuid(),
    fc.nat({ max: 2 ** 40 }).map(String),
  );
  const path = operation.path.includes(":")
    ? fc.oneof(
        fc.constant(pathOf(operation, place)),
        part.map((text) => operation.path.replace(/:\w+/g, text.replaceAll("$", "$$$$"))),
        part.map((text) => operation.path.replace(/:\w+$/, text.replaceAll("$", "$$$$"))),
      )
    : fc.constant<string>(operation.path);
  const own = path.filter((text) => !isListOf(operation, text));
  return fc
    .tuple(own, queries(operation))
    .map(([text, query]) => ({ ...valid(operation, place), path: text + query }));
}

/** Without its last part, the path of one thing is that of all of them. */
function isListOf({ method }: Operation, path: string): boolean {
  const list = path.replace(/\/$/, "");
  return list !== path && operations.some((other) => other.method === method && other.path === list);
}

function queries(operation: Operation): fc.Arbitrary<string> {
  const names = Object.keys(operation.query?.shape ?? {});
  const name = fc.constantFrom(
    ...names,
    "surprise",
    "__proto__",
    "constructor",
    "limit[]",
    "a[b]",
    "",
    "%00",
    "%",
  );
  const value = fc.oneof(
    hostileText.map((text) => encodeURIComponent(text.toWellFormed()).slice(0, 2_000)),
    fc.constantFrom("%", "%zz", "%c3%28", "%00", "+", "1&", "=", "MQ", "MjE0NzQ4MzY0OA"),
    hostileText.map((text) => Buffer.from(text).toString("base64url").slice(0, 300)),
  );
  const pairs = fc.array(fc.tuple(name, value), { minLength: 1, maxLength: 3 });
  const junk = pairs.map((list) => `?${list.map(([key, text]) => `${key}=${text}`).join("&")}`);
  if (operation.query === undefined)
    return fc.oneof({ weight: 2, arbitrary: fc.constant("") }, { weight: 1, arbitrary: junk });
  const good = valuesOf(operation.query).map((fields) => {
    const entries = Object.entries(Object(fields)).map(([key, text]): [string, string] => [
      key,
      String(text).toWellFormed().slice(0, 2_000),
    ]);
    return `?${new URLSearchParams(entries)}`;
  });
  return fc.oneof(fc.constant(""), good, junk);
}

function headersOfAllKinds(operation: Operation, place: Place): fc.Arbitrary<Shot> {
  const value = fc.oneof(
    hostileText.map((text) =>
      Buffer.from(text)
        .toString("latin1")
        .replace(/[^\t\x20-\x7e\x80-\xff]/g, "")
        .slice(0, 3_000),
    ),
    fc.constantFrom(
      "gzip",
      "chunked",
      "*/*",
      "Bearer",
      "Bearer ",
      "null",
      "application/json;charset=utf-16",
      "multipart/form-data",
    ),
  );
  const names = [
    "authorization",
    "x-account-id",
    "idempotency-key",
    "content-type",
    "x-request-id",
    "accept",
    "accept-encoding",
    "x-forwarded-for",
    "x-forwarded-host",
    "cookie",
    "if-none-match",
    "range",
    "content-encoding",
    "x-http-method-override",
    "origin",
    "constructor",
  ];
  const spoilt = fc.dictionary(fc.constantFrom(...names), value, { minKeys: 1, maxKeys: 3 });
  return spoilt.map((headers) => {
    const shot = valid(operation, place);
    return { ...shot, headers: { ...shot.headers, ...headers } };
  });
}

function bodies(operation: Operation, place: Place): fc.Arbitrary<Shot> | undefined {
  if (operation.method === "GET") return undefined;
  if (operation.multipart !== undefined) return forms(operation, operation.multipart, place);
  const values =
    operation.body === undefined
      ? fc.jsonValue()
      : fc.oneof(
          valuesOf(operation.body),
          spoilt(valuesOf(operation.body)),
          spoilt(fc.constant(bodyOf(operation, place))),
        );
  const json = values.map((value) => JSON.stringify(value) ?? "");
  const text = fc.oneof(
    { weight: 6, arbitrary: json },
    { weight: 2, arbitrary: brokenJson(json) },
    { weight: 1, arbitrary: hostileText },
  );
  return text.map((body) => {
    const shot = valid(operation, place);
    return { ...shot, headers: { ...shot.headers, "content-type": "application/json" }, body };
  });
}

/** Fields and files with any names and contents, in any number and order, and forms that are broken as such. */
function forms(operation: Operation, schema: z.ZodObject, place: Place): fc.Arbitrary<Shot> {
  const good = fc.constant(Object(bodyOf(operation, place)));
  const fields = fc
    .oneof(good, valuesOf(schema), spoilt(good), spoilt(valuesOf(schema)))
    .map((values) => fieldParts(Object(values)));
  const name = fc.oneof(
    fc.constantFrom("file", "metadata", "surprise", "__proto__", "constructor", "toString", ""),
    hostileText,
  );
  const type = fc.constantFrom(
    undefined,
    "text/plain",
    "application/json",
    "application/octet-stream",
    "text/plain; charset=utf-16",
    "nonsense",
    "multipart/mixed; boundary=y",
  );
  const fileName = fc.oneof(
    fc.constantFrom("a.txt", "a.md", "a.json", "a.csv", "a.html", "a.eml", "a.pdf", "a.docx", "a.png", "a"),
    fc.constantFrom(
      "../../a.txt",
      "C:\\a\\b.txt",
      "a\u0000b.txt",
      "\u0001.txt",
      ".txt",
      "..",
      "a.txt/",
      "ü\u0308.txt",
    ),
    hostileText,
    hostileText.map((text) => `${text}.txt`),
  );
  const content = fc.oneof(
    { weight: 4, arbitrary: hostileText },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom("", "{", "<", "%PDF-1.7\n", "PK\u0003\u0004", "a,b\n1", "\ufeffa"),
    },
  );
  const file = fc
    .record({ fileName, type, content })
    .map(
      (part): Part => ({ name: "file", fileName: part.fileName, content: part.content, ...typed(part.type) }),
    );
  const junk = fc.record({ name, type, content, fileName: fc.option(fileName) }).map(
    (part): Part => ({
      name: part.name,
      content: part.content,
      ...typed(part.type),
      ...(part.fileName === null ? {} : { fileName: part.fileName }),
    }),
  );
  const parts = fc.oneof(
    fc.tuple(fields, fc.oneof(fc.constant(FILE), file)).map(([some, one]) => [...some, one]),
    fc.tuple(fields, file).map(([some, one]) => [one, ...some]),
    fc.tuple(fields, fc.array(junk, { maxLength: 3 })).map(([some, more]) => [...some, ...more, FILE]),
    fc.array(fc.oneof(file, junk), { maxLength: 25 }),
  );
  const cut = fc.option(fc.nat(), { freq: 6 });
  return fc.tuple(parts, cut).map(([list, at]) => {
    const shot = valid(operation, place);
    const form = encodeForm(list);
    const data = Buffer.from(form.data);
    const body = at === null ? data : data.subarray(0, at % (data.length + 1));
    return { ...shot, headers: { ...shot.headers, "content-type": form.type }, body };
  });
}

function typed(type: string | undefined): { type?: string } {
  return type === undefined ? {} : { type };
}

/** JSON whose text was tampered with, where no value could say it: huge numbers, repeated and forbidden keys. */
function brokenJson(json: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const tampering = fc.constantFrom<(text: string, at: number) => string>(
    (text) => text.replace(/:("[^"]*"|\d+|null|true|false)/, ":1e999"),
    (text) => text.replace(/:("[^"]*"|\d+|null|true|false)/, ":-1e999"),
    (text) => text.replace(/:("[^"]*"|\d+|null|true|false)/, `:${"9".repeat(400)}`),
    (text) => text.replace("{", '{"__proto__":{"admin":true},'),
    (text) => text.replace("{", '{"constructor":{"prototype":{"admin":true}},'),
    (text) => text.replace("{", '{"name":"first","name":["second"],'),
    (text, at) => text.slice(0, at % (text.length + 1)),
    (text, at) => `${text.slice(0, at % (text.length + 1))}\\u0000${text.slice(at % (text.length + 1))}`,
    (text) => `${"[".repeat(50_000)}${text}`,
    (text) => `${"[".repeat(20_000)}${text}${"]".repeat(20_000)}`,
    (text) => `\ufeff${text}`,
  );
  return fc.tuple(json, tampering, fc.nat()).map(([text, tamper, at]) => tamper(text, at));
}

function valid(operation: Operation, place: Place): Shot {
  const content = contentOf(operation, bodyOf(operation, place));
  return {
    path: pathOf(operation, place),
    headers: {
      ...headersOf(operation, place),
      ...(content === undefined ? {} : { "content-type": content.type }),
    },
    body: content?.data,
  };
}

/** Unlike `fetch`, this sends a path as it is. */
function fire(method: string, { path, headers, body }: Shot): Promise<Reply> {
  const { port } = new URL(server.url);
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { port, method, path: `/api${path}`, agent, headers: { ...headers, ...length } },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("error", reject);
        incoming.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          const answered = new Headers(
            Object.entries(incoming.headers).map(([name, value]): [string, string] => [name, String(value)]),
          );
          const json = answered.get("content-type")?.startsWith("application/json") ?? false;
          resolve({
            status: incoming.statusCode ?? 0,
            headers: answered,
            body: json ? JSON.parse(text) : text,
          });
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

function rawAnswer(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1", () => socket.write(text));
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", reject);
    socket.on("close", () => resolve(Buffer.concat(chunks).toString()));
  });
}
