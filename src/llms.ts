import type { Json } from "./http/json-schema.ts";
import { asJson } from "./http/json-schema.ts";
import { keyRule, problemCodesOf } from "./http/openapi.ts";
import type { Operation } from "./http/operation.ts";
import { PROBLEMS } from "./http/problem.ts";
import type { PublicRoute, RouteReference } from "./http/public-route.ts";
import { describeFields, describeType } from "./schema-text.ts";

type Tags = readonly { name: string; description: string }[];

const RULES = [
  "- Base path `/api/v1`, JSON in UTF-8, times in ISO 8601 UTC. Send `Content-Type: application/json` with a body.",
  "- Authentication: `Authorization: Bearer <api key>` on every request. A bad key is answered 403 `invalid_api_key`.",
  "- `X-Account-Id: <uuid of an account>` where an operation says so. A foreign account is 403, a foreign organization, workspace or tool 404, exactly like one that does not exist.",
  '- Slugs between slashes in a path are in hex: the slug\'s UTF-8 bytes, `acme` is `61636d65` (`Buffer.from(slug).toString("hex")`, `slug.encode().hex()`). Answers carry both: `slug` is hex, `originalSlug` is not; bodies and queries take the original.',
  '- Errors: `{"success":false,"message":"what to do","code":"machine_word","request_id":"…","details":[{"path":"body.name","message":"…"}]}`; `details` only when a place is wrong. Decide by `code`.',
  "- Lists: `?limit=1..500&cursor=…`, newest first; `next_cursor` is null on the last page, else send it as `cursor`.",
  "- A POST may carry `Idempotency-Key` (1 to 255 printable ASCII characters): the same key with the same request answers the stored result for 24 h, another request with it is 409.",
  "- 429 and 503 carry `Retry-After` in seconds. `RateLimit` and `RateLimit-Policy` say how much of the minute is left. Every answer carries `X-Request-Id`.",
  "- Unknown fields in body or query are refused with 400. Answers may gain fields: ignore those you do not know.",
  "- What is deleted is out of reach at once. 200: it is erased; 202 `{job_id}`: a job goes on erasing it (`GET /api/v1/jobs/{job_id}`).",
];

/** `/llms.txt`: what there is and where to read on. */
export function llmsIndex(
  operations: readonly Operation[],
  routes: readonly PublicRoute[],
  tags: Tags,
): string {
  const lines = [
    "# LumenOne",
    "",
    "> Open, self-hosted platform for AI assistants. One API key creates accounts (customers), organizations in them, and workspaces (assistants) in those.",
    "",
    ...RULES,
    "",
    "## Reference",
    "",
    "- [Full text](/llms-full.txt): every operation with its fields, answers and errors; enough to write a client",
    "- [OpenAPI 3.1](/api/v1/openapi.json): the same for programs",
    "- [Browsable](/docs): the same for people, with try-it",
  ];
  for (const { name, description } of tags) {
    const group = operations.filter(({ tag }) => tag === name);
    lines.push("", `## ${name}`, "", description, "");
    lines.push(...group.map((one) => `- ${one.method} ${publishedPath(one)}: ${one.summary}`));
    for (const { method, path, reference } of routes)
      if (reference?.tag === name) lines.push(`- ${method} ${inBraces(path)}: ${reference.summary}`);
  }
  return `${lines.join("\n")}\n`;
}

/** `/llms-full.txt`: the whole API, so that a client can be written from this page alone. */
export function llmsFull(
  operations: readonly Operation[],
  routes: readonly PublicRoute[],
  tags: Tags,
  document: Json,
): string {
  const parts = ["# LumenOne API", "", ...RULES, "", ...FIRST_STEPS];
  for (const { name, description } of tags) {
    parts.push("", `# ${name}`, "", description);
    for (const one of operations.filter(({ tag }) => tag === name))
      parts.push("", ...operationText(one, document));
    for (const route of routes)
      if (route.reference?.tag === name) parts.push("", ...routeText(route, route.reference, document));
  }
  parts.push("", "# Errors", "");
  for (const [code, { status, meaning }] of Object.entries(PROBLEMS))
    parts.push(`- ${status} \`${code}\`: ${meaning}`);
  parts.push("", "# Types", "", "In the notation of TypeScript; comments give the limits.", "", "```ts");
  const schemas = Object.entries(asJson(asJson(document.components).schemas));
  for (const [name, schema] of schemas) parts.push(`type ${name} = ${describeType(asJson(schema))};`, "");
  return `${parts.join("\n").trimEnd()}\n\`\`\`\n`;
}

const FIRST_STEPS = [
  "## First steps",
  "",
  "1. `GET /api/v1/auth` → `{authenticated: true}`: the key is good.",
  '2. `POST /api/v1/accounts` `{"name":"Acme"}` → `account.id`; send it as `X-Account-Id` from here on.',
  '3. `POST /api/v1/orgs` `{"name":"Acme"}` → `organization.slug` (hex, for paths).',
  '4. `POST /api/v1/org/{organization.slug}/workspaces` `{"name":"Support"}` → `workspace.slug` (hex, for paths).',
];

function operationText(operation: Operation, document: Json): string[] {
  const { method, summary, description, tenant } = operation;
  const path = publishedPath(operation);
  const described = asJson(asJson(asJson(document.paths)[path])[method.toLowerCase()]);
  const lines = [`## ${method} ${path}`, "", `${summary} (\`${operation.id}\`)`];
  if (description !== undefined) lines.push("", description);
  lines.push("", `- ${keyRule(operation)} X-Account-Id: ${accountRule(tenant)}.`);
  if (operation.idempotent) lines.push("- Takes Idempotency-Key.");
  for (const place of ["path", "query"] as const) {
    const fields = parametersIn(described, place);
    if (fields.length > 0) lines.push(`- ${place === "path" ? "Path" : "Query"}:`, ...fields);
  }
  const body = contentOf(described.requestBody);
  if (body !== undefined) {
    lines.push(`- Body: ${describeType(asJson(body.schema))}`);
    if (body.example !== undefined) lines.push(`  - e.g. \`${JSON.stringify(body.example)}\``);
  }
  for (const status of Object.keys(operation.response)) {
    const content = contentOf(asJson(described.responses)[status]);
    if (content === undefined) continue;
    const events = operation.stream ? ", one a `data:` line of a text/event-stream" : "";
    lines.push(`- Answers ${status}: ${describeType(asJson(content.schema))}${events}`);
    if (content.example !== undefined) lines.push(`  - e.g. \`${JSON.stringify(content.example)}\``);
  }
  const codes = problemCodesOf(operation).map((code) => `${PROBLEMS[code].status} ${code}`);
  lines.push(`- Errors: ${codes.join(", ")}`);
  return lines;
}

/** What no API key opens. */
function routeText({ id, method, path }: PublicRoute, reference: RouteReference, document: Json): string[] {
  const { summary, description, access, answers, problems } = reference;
  const described = asJson(asJson(asJson(document.paths)[inBraces(path)])[method.toLowerCase()]);
  const lines = [
    `## ${method} ${inBraces(path)}`,
    "",
    `${summary} (\`${id}\`)`,
    "",
    description,
    "",
    `- ${access}`,
  ];
  for (const place of ["path", "query"] as const) {
    const fields = parametersIn(described, place);
    if (fields.length > 0) lines.push(`- ${place === "path" ? "Path" : "Query"}:`, ...fields);
  }
  const body = contentOf(described.requestBody);
  if (body !== undefined) lines.push(`- Body: ${describeType(asJson(body.schema))}`);
  for (const [status, { type }] of Object.entries(answers)) {
    const content = contentOf(asJson(described.responses)[status]);
    if (content !== undefined)
      lines.push(`- Answers ${status}: ${describeType(asJson(content.schema))}, as ${type}`);
  }
  lines.push(`- Errors: ${problems.map((code) => `${PROBLEMS[code].status} ${code}`).join(", ")}`);
  return lines;
}

function parametersIn(described: Json, place: "path" | "query"): string[] {
  const all = Array.isArray(described.parameters) ? described.parameters.map(asJson) : [];
  const own = all.filter((parameter) => parameter.in === place);
  return describeFields(
    own.map((parameter) => ({
      name: String(parameter.name),
      required: parameter.required === true,
      schema: { ...asJson(parameter.schema), description: parameter.description },
    })),
  ).map((line) => `  - \`${line.replace(/ {2}\/\/ (.*)$/, "`: $1").replace(/^([^`]*)$/, "$1`")}`);
}

/** The one content type of a body or an answer. */
function contentOf(part: unknown): Json | undefined {
  const [content] = Object.values(asJson(asJson(part).content));
  return content === undefined ? undefined : asJson(content);
}

function publishedPath({ path }: Operation): string {
  return `/api${inBraces(path)}`;
}

function inBraces(path: string): string {
  return path.replace(/:(\w+)/g, "{$1}");
}

function accountRule(tenant: Operation["tenant"]): string {
  if (tenant === "partner" || tenant === "superadmin") return "not needed";
  return tenant === "partner-or-account" ? "optional, narrows to that account" : "required";
}
