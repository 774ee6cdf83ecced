import { Ajv2020 } from "ajv/dist/2020.js";
import { JSONPathEnvironment } from "json-p3";
import { Problem, type ProblemDetail } from "../http/problem.ts";
import type { HttpTool, McpTool } from "./tools.schemas.ts";

/** A tool's definition with its secrets, as it is checked and as calls will use it. */
export interface ToolDefinition {
  parameters: Record<string, unknown>;
  http: HttpTool | undefined;
  mcp: McpTool | undefined;
}

const PARAMETERS_MAX_BYTES = 64 * 1024;
const PLACEHOLDER = /\{([^{}]*)\}/g;
/** These belong to the connection, not to a tool. */
const RESERVED_HEADERS = new Set([
  "connection",
  "content-length",
  "host",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

const metaSchema = new Ajv2020({ strict: false, validateFormats: false, logger: false });
const jsonPath = new JSONPathEnvironment();

/** What the schemas cannot say: that the parts of a definition fit together. Throws one `Problem` with every place. */
export function checkDefinition(definition: ToolDefinition): void {
  const { parameters, http, mcp } = definition;
  const details = [
    ...checkParameters(parameters),
    ...(http === undefined ? [] : checkHttp(http, parameters)),
    ...(mcp === undefined
      ? []
      : [...checkUrl("body.mcp.url", mcp.url), ...checkHeaders("body.mcp.headers", mcp.headers)]),
  ];
  const [first] = details;
  if (first !== undefined)
    throw new Problem("invalid_request", `${first.path}: ${first.message}.`, { details });
}

function checkParameters(parameters: Record<string, unknown>): ProblemDetail[] {
  const path = "body.parameters";
  if (Buffer.byteLength(JSON.stringify(parameters)) > PARAMETERS_MAX_BYTES) {
    return [{ path, message: `is larger than ${PARAMETERS_MAX_BYTES} bytes` }];
  }
  if (parameters.type !== "object") return [{ path: `${path}.type`, message: 'must be "object"' }];
  const { $schema: _, ...schema } = parameters;
  if (!metaSchema.validateSchema(schema)) {
    const [error] = metaSchema.errors ?? [];
    const place = error?.instancePath.replaceAll("/", ".") ?? "";
    return [
      { path: `${path}${place}`, message: `is not JSON Schema: ${error?.message ?? "it is malformed"}` },
    ];
  }
  return remoteReferences(schema, path);
}

/** A reference to another document would make us fetch it. */
function remoteReferences(root: unknown, rootPath: string): ProblemDetail[] {
  const details: ProblemDetail[] = [];
  const stack = [{ value: root, path: rootPath }];
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    if (typeof item.value !== "object" || item.value === null) continue;
    for (const [key, value] of Object.entries(item.value)) {
      const path = `${item.path}.${key}`;
      if ((key === "$ref" || key === "$dynamicRef") && typeof value === "string" && !value.startsWith("#")) {
        details.push({ path, message: 'must stay inside the schema: begin with "#"' });
      }
      stack.push({ value, path });
    }
  }
  return details;
}

function checkHttp(http: HttpTool, parameters: Record<string, unknown>): ProblemDetail[] {
  const details = [
    ...checkUrl("body.http.url", http.url),
    ...checkHeaders("body.http.headers", http.headers),
  ];
  if (details.length === 0) details.push(...checkPlaceholders(http.url, parameters));
  if (http.body !== undefined && http.method === "GET") {
    details.push({ path: "body.http.body", message: "GET sends no body: put the arguments into the URL" });
  }
  if (http.auth.type === "oauth2_client_credentials") {
    details.push(...checkUrl("body.http.auth.token_url", http.auth.token_url, "no placeholders"));
  }
  if (http.response_select !== null) details.push(...checkSelect(http.response_select));
  return details;
}

function checkUrl(path: string, text: string, placeholders?: "no placeholders"): ProblemDetail[] {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:")) {
    return [{ path, message: "must be an absolute http or https URL" }];
  }
  if (url.username !== "" || url.password !== "")
    return [{ path, message: "must not carry credentials: use auth" }];
  if (url.hash !== "") return [{ path, message: "must not have a fragment" }];
  const origin = /^[a-z]+:\/\/[^/?#]*/i.exec(text)?.[0] ?? "";
  if (/[{}]|%7b|%7d/i.test(origin))
    return [{ path, message: "must have a fixed host: {param} goes into path and query" }];
  const misplaced = placeholders !== undefined && /[{}]/.test(text);
  return misplaced ? [{ path, message: "takes no placeholders" }] : [];
}

function checkHeaders(path: string, headers: Record<string, string>): ProblemDetail[] {
  return Object.keys(headers)
    .filter((name) => RESERVED_HEADERS.has(name.toLowerCase()))
    .map((name) => ({ path: `${path}.${name}`, message: "is set by the connection itself" }));
}

function checkPlaceholders(url: string, parameters: Record<string, unknown>): ProblemDetail[] {
  const path = "body.http.url";
  const known = isRecord(parameters.properties) ? Object.keys(parameters.properties) : [];
  const required = Array.isArray(parameters.required) ? parameters.required : [];
  const pathPart = url.split("?")[0] ?? "";
  const details: ProblemDetail[] = [];
  for (const [, name = ""] of url.matchAll(PLACEHOLDER)) {
    if (!known.includes(name)) details.push({ path, message: `{${name}} is not a property of parameters` });
    else if (pathPart.includes(`{${name}}`) && !required.includes(name)) {
      details.push({ path, message: `{${name}} stands in the path, so parameters must require it` });
    }
  }
  if (/[{}]/.test(url.replaceAll(PLACEHOLDER, ""))) details.push({ path, message: "has an unmatched brace" });
  return details;
}

function checkSelect(select: string): ProblemDetail[] {
  try {
    jsonPath.compile(select);
    return [];
  } catch {
    return [
      { path: "body.http.response_select", message: "is not a JSONPath (RFC 9535), such as $.order.status" },
    ];
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
