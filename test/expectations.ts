import { expect } from "vitest";
import { z } from "zod";
import { problemCodesOf } from "../src/http/openapi.ts";
import type { Operation } from "../src/http/operation.ts";
import { PROBLEMS, type ProblemCode } from "../src/http/problem.ts";
import type { Reply } from "./support.ts";

const ProblemShape = z.strictObject({
  success: z.literal(false),
  message: z.string().min(1),
  code: z.enum(Object.keys(PROBLEMS)),
  request_id: z.string().min(1),
  details: z.array(z.strictObject({ path: z.string().min(1), message: z.string().min(1) })).optional(),
  error: z
    .union([
      z.literal("No valid api key found."),
      z.strictObject({
        message: z.string().min(1),
        type: z.string().min(1),
        param: z.string().nullable(),
        code: z.string().min(1),
      }),
    ])
    .optional(),
});

/** Every request that got as far as the router may meet these, whatever it was meant for. */
const EVERYWHERE: readonly string[] = ["method_not_allowed", "route_not_found"];

/** The answer is an error as the contract draws it, and one that the operation declares. */
export function expectAnyProblem(reply: Reply, operation?: Operation): void {
  const problem = ProblemShape.parse(reply.body);
  expect(reply.status).toBe(PROBLEMS[asCode(problem.code)].status);
  expect(reply.headers.get("content-type")).toBe("application/json; charset=utf-8");
  expect(reply.headers.get("x-request-id")).toBe(problem.request_id);
  if (operation !== undefined) expect([...problemCodesOf(operation), ...EVERYWHERE]).toContain(problem.code);
  // A URL or headers that cannot be read reach no operation, so nobody has looked at the key.
  const isReadable = !["url", "headers"].includes(problem.details?.[0]?.path ?? "");
  const keyIsKnown = isReadable && !["invalid_api_key", ...EVERYWHERE].includes(problem.code);
  if (keyIsKnown && operation !== undefined) expectRateLimit(reply);
}

export function expectProblem(reply: Reply, code: ProblemCode, operation?: Operation): void {
  expect(reply.body).toMatchObject({ code });
  expectAnyProblem(reply, operation);
}

/** Some place in `details` is `path` or lies beneath it. */
export function expectNamed(reply: Reply, path: string): void {
  const places: string[] = (reply.body.details ?? []).map((detail: { path: string }) => detail.path);
  expect(
    places.some((place) => place === path || place.startsWith(`${path}.`)),
    `${path} is not among the named places: ${places.join(", ")}`,
  ).toBe(true);
}

/** The answer is a success, of exactly the shape that the operation declares. */
export function expectSuccess(reply: Reply, operation: Operation): void {
  const schema = operation.response[reply.status];
  if (schema === undefined)
    expect.fail(`${operation.id} answered ${reply.status}: ${JSON.stringify(reply.body)}`);
  expect(reply.headers.get("x-request-id")).toBeTruthy();
  expectRateLimit(reply);
  if (operation.download) expectFile(reply);
  const isStream = reply.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
  if (operation.stream === "on-request" && isStream) {
    expect(String(reply.body).trimEnd().split("\n").at(-1)).toBe("data: [DONE]");
    return;
  }
  for (const body of operation.stream === true ? eventsOf(reply) : [reply.body])
    expect(schema.parse(body)).toEqual(body);
}

/** A file that a browser saves and never runs, of the size it says. */
function expectFile({ headers, body }: Reply): void {
  expect(headers.get("content-disposition")).toMatch(/^attachment; filename="[^"]*"; filename\*=UTF-8''\S+$/);
  expect(headers.get("content-security-policy")).toBe("sandbox; default-src 'none'");
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  expect(headers.get("content-length")).toBe(String(Buffer.byteLength(body)));
}

/**
 * What must be the same for a thing that is someone else's and one that does not exist: all but the request's id, and
 * what the answer repeats of the request itself.
 */
export function withoutRequestId({ status, headers, body }: Reply, sent: readonly string[] = []): unknown {
  const { request_id: _, ...rest } = Object(body);
  const changing = ["x-request-id", "ratelimit", "date", "content-length"];
  return {
    status,
    headers: [...headers].filter(([name]) => !changing.includes(name)),
    body: sent.reduce((text, word) => text.replaceAll(word, "<sent>"), JSON.stringify(rest)),
  };
}

/** The events of a stream of `data:` lines. */
export function eventsOf(reply: Reply): unknown[] {
  expect(reply.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  const lines = String(reply.body).split("\n");
  return lines
    .filter((line) => line.startsWith("data: "))
    .map((line) => JSON.parse(line.slice("data: ".length)));
}

function expectRateLimit(reply: Reply): void {
  expect(reply.headers.get("ratelimit-policy")).toMatch(/^"default";q=\d+;w=60$/);
  expect(reply.headers.get("ratelimit")).toMatch(/^"default";r=\d+;t=\d+$/);
}

/** Safe: the shape has checked that it is one of the keys. */
function asCode(code: string): ProblemCode {
  return code as ProblemCode;
}
