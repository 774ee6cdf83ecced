import type { z } from "zod";
import type { Operation, OperationInput } from "./operation.ts";
import { Problem, type ProblemDetail } from "./problem.ts";

const DEPTH_MAX = 64;
const NUL = String.fromCharCode(0);

/** The schemas of a request; what has none may not be sent. */
type Expected = Pick<Operation, "params" | "query" | "body">;

interface RawInput {
  params: unknown;
  query: unknown;
  body: unknown;
}

/** Checks a request against its operation's schemas, path first; throws one `Problem` that names every wrong place. */
export function parseInput(operation: Expected, raw: RawInput): OperationInput {
  if (takesNothing(operation) && hasNothing(raw)) return NOTHING;
  const details: ProblemDetail[] = [];
  refuseUnstorable(raw, details);
  if (details.length > 0) throw invalid(details);

  const params = check("path", operation.params, raw.params, details);
  const query = check("query", operation.query, raw.query, details);
  const body = operation.body === undefined ? undefined : check("body", operation.body, raw.body, details);
  if (operation.query === undefined) refuseKeys("query", raw.query, details);
  if (operation.body === undefined) refuseKeys("body", raw.body, details);
  if (details.length > 0) throw invalid(details);
  return { params, query, body };
}

const NOTHING: OperationInput = { params: undefined, query: undefined, body: undefined };

function takesNothing({ params, query, body }: Expected): boolean {
  return params === undefined && query === undefined && body === undefined;
}

function hasNothing({ query, body }: RawInput): boolean {
  return (body === undefined || body === null) && Object.keys({ ...Object(query) }).length === 0;
}

function invalid(details: ProblemDetail[]): Problem {
  const [first] = details;
  const more = details.length > 1 ? ` (and ${details.length - 1} more, see details)` : "";
  return new Problem("invalid_request", `${first?.path}: ${first?.message}${more}.`, { details });
}

function check(
  place: string,
  schema: z.ZodType | undefined,
  value: unknown,
  details: ProblemDetail[],
): unknown {
  if (schema === undefined) return undefined;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) details.push(...toDetails(place, issue));
  return undefined;
}

function toDetails(place: string, issue: z.core.$ZodIssue): ProblemDetail[] {
  const path = [place, ...issue.path.map(String)];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ path: [...path, key].join("."), message: "is not a known field" }));
  }
  if (issue.code === "invalid_type" && issue.message.endsWith("received undefined")) {
    const isBody = place === "body" && path.length === 1;
    return [{ path: path.join("."), message: isBody ? "is missing: send a JSON object" : "is missing" }];
  }
  return [
    { path: path.join("."), message: issue.message.replace(/^Invalid input: /, "").replace(/\.$/, "") },
  ];
}

/** An operation without a body or query takes none: a misspelt filter must not silently select everything. */
function refuseKeys(place: string, value: unknown, details: ProblemDetail[]): void {
  if (value === undefined || value === null) return;
  if (typeof value !== "object" || Array.isArray(value))
    details.push({ path: place, message: "is not expected here" });
  else
    for (const key of Object.keys(value))
      details.push({ path: `${place}.${key}`, message: "is not a known field" });
}

/** PostgreSQL stores no NUL and no lone surrogates; deeper nesting than this is an attack, not a request. */
function refuseUnstorable(root: unknown, details: ProblemDetail[]): void {
  const stack: { value: unknown; path: string; depth: number }[] = [{ value: root, path: "", depth: 0 }];
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    const { value, path, depth } = item;
    if (typeof value === "string") {
      if (value.includes(NUL) || !value.isWellFormed()) {
        details.push({ path, message: "contains a NUL character or half a surrogate pair" });
      }
    } else if (typeof value === "object" && value !== null) {
      if (depth > DEPTH_MAX) {
        details.push({ path: path.slice(0, 100), message: `is nested deeper than ${DEPTH_MAX} levels` });
        return;
      }
      for (const [key, inner] of Object.entries(value)) {
        if (key.includes(NUL) || !key.isWellFormed()) {
          details.push({ path, message: "has a field name with a NUL character or half a surrogate pair" });
        }
        stack.push({
          value: inner,
          path: path === "" ? nameOfPlace(key) : `${path}.${key}`,
          depth: depth + 1,
        });
      }
    }
  }
}

function nameOfPlace(part: string): string {
  return part === "params" ? "path" : part;
}
