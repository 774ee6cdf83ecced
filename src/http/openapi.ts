import type { z } from "zod";
import { exampleOf } from "./example.ts";
import { addComponent, type Components, type Json, toJsonSchema } from "./json-schema.ts";
import { fieldsOf } from "./openapi-fields.ts";
import {
  describeProblems,
  ETAG,
  HEADERS,
  ProblemBody,
  problemExamples,
  REQUEST_ID,
} from "./openapi-problems.ts";
import { describeRoute } from "./openapi-routes.ts";
import type { Operation } from "./operation.ts";
import { PROBLEMS, type ProblemCode } from "./problem.ts";
import type { PublicRoute } from "./public-route.ts";

interface Info {
  version: string;
  serverUrl: string;
  /** What each group of operations is about, in the order in which they are shown. */
  tags: readonly { name: string; description: string }[];
}

/** The OpenAPI 3.1 document of what there is: nothing in it is written twice. */
export function buildOpenApi(
  operations: readonly Operation[],
  routes: readonly PublicRoute[],
  { version, serverUrl, tags }: Info,
): Json {
  const components: Components = new Map();
  const paths: Record<string, Json> = {};
  for (const operation of operations) {
    const path = `/api${operation.path.replace(/:(\w+)/g, "{$1}")}`;
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: describe(operation, components) };
  }
  const described = routes.flatMap((route) => (route.reference === undefined ? [] : [route.reference]));
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, "{$1}");
    const description = describeRoute(route, components);
    if (description !== undefined)
      paths[path] = { ...paths[path], [route.method.toLowerCase()]: description };
  }
  toJsonSchema(ProblemBody, "output", components);
  return {
    openapi: "3.1.0",
    info: {
      title: "LumenOne",
      version,
      summary: "Open, self-hosted platform for AI assistants.",
      description: INTRODUCTION,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: serverUrl }],
    security: [{ apiKey: [] }],
    tags: tags.filter(({ name }) => [...operations, ...described].some(({ tag }) => tag === name)),
    paths,
    components: {
      securitySchemes: SECURITY,
      schemas: Object.fromEntries([...components].sort(([a], [b]) => (a < b ? -1 : 1))),
      examples: problemExamples([
        ...operations.map(problemCodesOf),
        ...described.map(({ problems }) => problems),
      ]),
      headers: HEADERS,
    },
  };
}

const SECURITY = {
  apiKey: { type: "http", scheme: "bearer", description: "An API key." },
  pageToken: { type: "http", scheme: "bearer", description: "The token of a link to a page." },
};

const INTRODUCTION = `One API key creates **accounts** (your customers), **organizations** and **workspaces** in them.

- Send the key as \`Authorization: Bearer <key>\`, and the account as \`X-Account-Id: <uuid>\` wherever it is asked for.
- A slug in a path is in hex (\`acme\` → \`61636d65\`, the field \`slug\`); everywhere else it is the original (\`originalSlug\`).
- Lists take \`limit\` and \`cursor\` and answer \`next_cursor\`, newest first.
- A mutating POST may carry an \`Idempotency-Key\`: repeated with the same body within 24 hours it answers the stored result.
- Every error has the same shape, with a \`code\` for machines and a sentence that says what to do. A path
  that does not exist is 404 \`route_not_found\`, a method that a path does not have 405 \`method_not_allowed\`.
- Answers may gain fields: ignore those you do not know. Unknown fields in a request are refused.`;

function describe(operation: Operation, components: Components): Json {
  const { id, tag, summary, description } = operation;
  const needs = keyRule(operation);
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: description === undefined ? needs : `${description}\n\n${needs}`,
    parameters: parametersOf(operation, components),
    ...(operation.body === undefined ? {} : { requestBody: requestBodyOf(operation, components) }),
    ...(operation.multipart === undefined ? {} : { requestBody: formOf(operation.multipart, components) }),
    responses: {
      ...successesOf(operation, components),
      ...notModifiedOf(operation),
      ...describeProblems(problemCodesOf(operation)),
    },
  };
}

/** Who may call it, in a sentence. */
export function keyRule({ scope, tenant }: Operation): string {
  if (tenant === "superadmin") return "Needs a superadmin's key.";
  return scope === null ? "Any key of a partner may call it." : `Needs the scope \`${scope}\`.`;
}

function parametersOf(operation: Operation, components: Components): Json[] {
  const account = {
    name: "X-Account-Id",
    in: "header",
    required: !["partner-or-account", "account-or-key"].includes(operation.tenant),
    description:
      operation.tenant === "account-or-key"
        ? "The account this is about; a key of one account needs none."
        : "The account this is about.",
    schema: { type: "string", format: "uuid" },
  };
  const idempotency = {
    name: "Idempotency-Key",
    in: "header",
    required: false,
    description: "Repeated with the same request within 24 hours, it answers the stored result.",
    schema: { type: "string", minLength: 1, maxLength: 255 },
  };
  return [
    ...(["partner", "superadmin"].includes(operation.tenant) ? [] : [account]),
    ...(operation.idempotent ? [idempotency] : []),
    ...conditionsOf(operation),
    ...fieldsOf("path", operation.params, components),
    ...fieldsOf("query", operation.query, components),
  ];
}

/** The headers that make a request depend on the state it finds. */
function conditionsOf({ etag, method }: Operation): Json[] {
  if (etag === undefined || method === "POST") return [];
  const schema = { type: "string" };
  if (method !== "GET") {
    const description = "The `ETag` it was read with: it is done only if nothing has changed since.";
    return [{ name: "If-Match", in: "header", required: false, description, schema }];
  }
  if (etag.isWhole === undefined) return [];
  const description = "The `ETag` of an earlier answer: 304 if it is still good.";
  return [{ name: "If-None-Match", in: "header", required: false, description, schema }];
}

function requestBodyOf(operation: Operation, components: Components): Json {
  if (operation.body === undefined) return {};
  return {
    required: !operation.body.safeParse(undefined).success,
    content: {
      "application/json": {
        schema: toJsonSchema(operation.body, "input", components),
        ...(operation.examples.body === undefined ? {} : { example: operation.examples.body }),
      },
    },
  };
}

/** The form's fields with its file; `title` in the fields' meta names the component. */
function formOf(fields: z.ZodObject, components: Components): Json {
  const { properties, title, ...rest } = toJsonSchema(fields, "input", components);
  const file = { type: "string", contentMediaType: "application/octet-stream", description: "The file." };
  const name = String(title);
  addComponent(components, name, {
    ...rest,
    properties: { file, ...Object(properties) },
    required: ["file"],
  });
  return {
    required: true,
    content: { "multipart/form-data": { schema: { $ref: `#/components/schemas/${name}` } } },
  };
}

function successesOf(operation: Operation, components: Components): Json {
  return Object.fromEntries(
    Object.entries(operation.response).map(([status, response]) => {
      const schema = toJsonSchema(response, "output", components);
      const given = status === "200" ? operation.examples.response : undefined;
      const example = given ?? exampleOf(schema, components);
      return [
        status,
        {
          description: { 200: "Done.", 202: "Under way.", 207: "Part of it failed." }[status] ?? "Done.",
          headers: operation.etag === undefined ? REQUEST_ID : { ...REQUEST_ID, ...ETAG },
          content: {
            [mediaTypeOf(operation)]:
              operation.stream === true || operation.download ? { schema } : { schema, example },
          },
        },
      ];
    }),
  );
}

function notModifiedOf({ etag }: Operation): Json {
  if (etag?.isWhole === undefined) return {};
  return { 304: { description: "What you have is still good.", headers: { ...REQUEST_ID, ...ETAG } } };
}

function mediaTypeOf(operation: Operation): string {
  if (operation.download) return "application/octet-stream";
  return operation.stream === true ? "text/event-stream" : "application/json";
}

/** What an operation declares, and what follows from its key, its account and its schemas. */
export function problemCodesOf(operation: Operation): ProblemCode[] {
  const codes = new Set<ProblemCode>([
    "invalid_request",
    "invalid_api_key",
    // Also where no scope is asked for: a superadmin's key opens nothing of a partner's, and the other way round.
    "insufficient_scope",
    "rate_limited",
    "internal",
    "overloaded",
  ]);
  if (!["partner", "superadmin"].includes(operation.tenant)) {
    for (const code of ["account_required", "account_forbidden", "account_suspended"] as const)
      codes.add(code);
  }
  if (/:(slug|orgSlug)\b/.test(operation.path)) codes.add("slug_not_hex");
  // Also without a body of its own: what is sent is read before it is refused.
  if (operation.method !== "GET") {
    codes.add("payload_too_large");
    codes.add("unsupported_media_type");
  }
  if (operation.idempotent) {
    codes.add("idempotency_conflict");
    codes.add("idempotency_in_flight");
  }
  for (const code of operation.problems) codes.add(code);
  return [...codes].sort((a, b) => PROBLEMS[a].status - PROBLEMS[b].status);
}
