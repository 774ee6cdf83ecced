import { z } from "zod";
import type { Route, SimulatorAnswer, SimulatorRequest } from "../simulator.ts";

const NAMES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  404: "Not Found",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** In the form of Vapi's framework, NestJS: a list of sentences for a body that it does not take, else one. */
export function errorBody(statusCode: number, message: string | string[]): object {
  return { message, error: NAMES[statusCode] ?? "Error", statusCode };
}

export function failure(status: number, message: string | string[]): SimulatorAnswer {
  return { status, body: errorBody(status, message) };
}

/** A route that lets in who knows the key. */
export function keyed(apiKey: string, route: Route): Route {
  return {
    ...route,
    handle(request) {
      const given = /^Bearer (.*)$/.exec(request.headers.authorization ?? "")?.[1];
      if (given === apiKey) return route.handle(request);
      // It shows what it was given, to prove that nobody passes it on.
      return failure(401, `Invalid Key ${given ?? ""}. Hot tip, you may be using the public key.`);
    },
  };
}

/** A body that the schema takes, or Vapi's refusal of it. */
export function readBody<T>(schema: z.ZodType<T>, { body, headers }: SimulatorRequest): T | SimulatorAnswer {
  if (!headers["content-type"]?.startsWith("application/json"))
    return failure(400, ["body must be an object"]);
  let sent: unknown;
  try {
    sent = JSON.parse(body.toString("utf8"));
  } catch {
    return failure(400, "Unexpected token in JSON");
  }
  const read = schema.safeParse(sent);
  return read.success ? read.data : failure(400, read.error.issues.flatMap(sentences));
}

export function isAnswer(value: unknown): value is SimulatorAnswer {
  return typeof value === "object" && value !== null && "status" in value && "body" in value;
}

/** `limit` and times by which a list is cut, newest first. */
const listQuery = z.strictObject({
  limit: z.coerce.number().int().min(0).max(1_000).default(100),
  createdAtGt: z.iso.datetime().optional(),
  createdAtLt: z.iso.datetime().optional(),
});

export function listOf(
  items: readonly { createdAt: string }[],
  { query }: SimulatorRequest,
): SimulatorAnswer {
  const asked = listQuery.safeParse(Object.fromEntries(query));
  if (!asked.success) return failure(400, asked.error.issues.flatMap(sentences));
  const { limit, createdAtGt, createdAtLt } = asked.data;
  const found = items
    .filter(({ createdAt }) => createdAtLt === undefined || createdAt < createdAtLt)
    .filter(({ createdAt }) => createdAtGt === undefined || createdAt > createdAtGt)
    .toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  return { status: 200, body: found.slice(0, limit) };
}

function sentences(issue: z.core.$ZodIssue): string[] {
  const place = issue.path.join(".");
  if (issue.code !== "unrecognized_keys") return [`${place}: ${issue.message}`];
  return issue.keys.map((key) => `${place === "" ? "" : `${place}.`}property ${key} should not exist`);
}
