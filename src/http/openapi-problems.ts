import { z } from "zod";
import type { Json } from "./json-schema.ts";
import { PROBLEMS, type ProblemCode } from "./problem.ts";

/** The shape of every error. */
export const ProblemBody = z
  .object({
    success: z.literal(false),
    message: z.string().meta({ description: "A sentence that says what to do." }),
    code: z.string().meta({
      description: `One of ${codeList()}. A later version may add some: go by the status then.`,
    }),
    request_id: z.string().meta({ description: "Also in the header X-Request-Id; the log has it." }),
    details: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .meta({ description: "Each place in the request that is wrong, such as `body.name`." }),
    error: z
      .union([
        z.string(),
        z.object({
          message: z.string(),
          type: z.string(),
          param: z.string().nullable(),
          code: z.string(),
        }),
      ])
      .optional()
      .meta({
        description:
          "A text with `invalid_api_key`; below `/v1/openai`, the error as OpenAI's clients read it.",
      }),
  })
  .meta({ id: "Problem" });

function codeList(): string {
  return Object.keys(PROBLEMS)
    .map((code) => `\`${code}\``)
    .join(", ");
}

export const HEADERS = {
  RequestId: { description: "Names this request, also in the log.", schema: { type: "string" } },
  ETag: { description: "Names the state of what is answered.", schema: { type: "string" } },
  RetryAfter: { description: "Seconds to wait before trying again.", schema: { type: "integer" } },
};
export const REQUEST_ID = { "X-Request-Id": { $ref: "#/components/headers/RequestId" } };
export const ETAG = { ETag: { $ref: "#/components/headers/ETag" } };
const RETRY_AFTER = { "Retry-After": { $ref: "#/components/headers/RetryAfter" } };
/** Statuses that pass by themselves. */
const PASSING = [429, 503];

/** The answers that errors are, by status. */
export function describeProblems(codes: readonly ProblemCode[]): Json {
  const byStatus = Map.groupBy(codes, (code) => PROBLEMS[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, alike]) => [
      status,
      {
        description: alike.map((code) => `\`${code}\`: ${PROBLEMS[code].meaning}`).join("\n\n"),
        headers: { ...REQUEST_ID, ...(PASSING.includes(status) ? RETRY_AFTER : {}) },
        content: {
          "application/json": {
            schema: { $ref: "#/components/schemas/Problem" },
            examples: Object.fromEntries(
              alike.map((code) => [code, { $ref: `#/components/examples/${code}` }]),
            ),
          },
        },
      },
    ]),
  );
}

/** One for each code that is used anywhere. */
export function problemExamples(codes: readonly (readonly ProblemCode[])[]): Json {
  const used = new Set(codes.flat());
  const all = Object.entries(PROBLEMS)
    .filter(([code]) => [...used].some((one) => one === code))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    all.map(([code, { meaning }]) => [
      code,
      { summary: code, value: { ...exampleProblem(code, meaning), code, request_id: "req-1f3a9c04-2s" } },
    ]),
  );
}

function exampleProblem(code: string, meaning: string): Json {
  if (code === "invalid_api_key")
    return { success: false, message: "Invalid API Key", error: "No valid api key found." };
  if (code !== "invalid_request") return { success: false, message: meaning };
  const place = { path: "body.name", message: "must not be empty" };
  return { success: false, message: `${place.path}: ${place.message}.`, details: [place] };
}
