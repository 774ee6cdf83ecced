import { z } from "zod";
import { isoTime, jsonValue, nextCursor, PageQuery } from "../http/schemas.ts";

/** Stands for a stored value that is never shown. Sent back in a PATCH, it keeps what is stored. */
export const HIDDEN = "********";

const toolName = z
  .string()
  .regex(/^[a-zA-Z0-9_-]{1,64}$/, "takes 1 to 64 letters, digits, _ and -")
  .meta({ example: "order_status" });

const headers = z
  .record(
    z
      .string()
      .max(100)
      .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "is not a header name"),
    z
      .string()
      .max(4_000)
      .regex(/^[\t\x20-\x7e]*$/, "takes printable ASCII"),
  )
  .refine((record) => Object.keys(record).length <= 30, "takes at most 30 headers")
  .meta({
    description:
      `Sent with every call. Values are write-only and shown as ${HIDDEN}, but for Accept, Accept-Language, ` +
      "Content-Type and User-Agent.",
  });

const secret = z.string().min(1).max(8_000);
const credential = z.string().min(1).max(1_000);
const url = z.string().min(1).max(2_000).meta({ example: "https://api.example.com/orders/{order_id}" });

function httpAuth<S extends z.ZodType>(writeOnly: S) {
  return z.discriminatedUnion("type", [
    z.strictObject({ type: z.literal("none") }),
    z.strictObject({ type: z.literal("bearer"), token: writeOnly }),
    z.strictObject({ type: z.literal("basic"), username: credential, password: writeOnly }),
    z.strictObject({
      type: z.literal("header"),
      name: z.string().regex(/^[A-Za-z0-9-]{1,100}$/),
      value: writeOnly,
    }),
    z.strictObject({
      type: z.literal("oauth2_client_credentials"),
      token_url: url,
      client_id: credential,
      client_secret: writeOnly,
      scopes: z.array(z.string().min(1).max(200)).max(50).optional(),
      audience: credential.optional(),
    }),
  ]);
}

const HttpAuth = httpAuth(secret).meta({ id: "ToolAuth" });
export type HttpAuth = z.output<typeof HttpAuth>;
const HttpAuthChange = httpAuth(secret.optional()).meta({ id: "ToolAuthChange" });
const HttpAuthShown = httpAuth(secret.optional()).meta({ id: "ToolAuthShown" });

const httpFields = {
  method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]),
  url: url.meta({
    description: "Scheme and host are fixed; `{param}` may stand in path and query and is filled in encoded.",
  }),
  headers,
  body: jsonValue.optional().meta({
    description:
      'JSON to send. A string that is just "{param}" becomes that argument with its type. Absent on POST, PUT and ' +
      "PATCH: the arguments that the URL does not use.",
  }),
  timeout_ms: z.int().min(100).max(30_000),
  max_response_bytes: z.int().min(1).max(1_000_000),
  response_select: z.string().min(1).max(500).nullable().meta({
    description: "JSONPath (RFC 9535): the part of the answer that the assistant sees.",
    example: "$.status",
  }),
};

export const HttpTool = z.strictObject({
  ...httpFields,
  headers: headers.default({}),
  timeout_ms: httpFields.timeout_ms.default(10_000),
  max_response_bytes: httpFields.max_response_bytes.default(100_000),
  response_select: httpFields.response_select.default(null),
  auth: HttpAuth.default({ type: "none" }),
});
export type HttpTool = z.output<typeof HttpTool>;

const mcpFields = {
  url,
  headers,
  allowed_tools: z
    .array(z.string().min(1).max(200))
    .max(200)
    .nullable()
    .meta({ description: "null: all that the server offers." }),
};

export const McpTool = z.strictObject({
  ...mcpFields,
  headers: headers.default({}),
  allowed_tools: mcpFields.allowed_tools.default(null),
});
export type McpTool = z.output<typeof McpTool>;

const parameters = z
  .record(z.string(), jsonValue)
  .meta({ description: "JSON Schema (2020-12) of the arguments; its type is `object`." });

const shared = {
  name: toolName,
  description: z
    .string()
    .trim()
    .min(1, "must not be empty: the assistant decides by it")
    .max(4_000)
    .meta({ description: "What it does and when to use it, for the assistant." }),
  enabled: z.boolean().default(true),
};
const noParameters = { type: "object", properties: {} };

export const CreateTool = z
  .discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("http"),
      ...shared,
      parameters: parameters.default(noParameters),
      http: HttpTool,
    }),
    z.strictObject({ kind: z.literal("mcp"), ...shared, mcp: McpTool }),
  ])
  .meta({ id: "CreateTool" });
export type CreateTool = z.output<typeof CreateTool>;

export const UpdateTool = z
  .strictObject({
    name: toolName.optional(),
    description: shared.description.optional(),
    enabled: z.boolean().optional(),
    parameters: parameters.optional(),
    http: z
      .strictObject({ ...httpFields, auth: HttpAuthChange })
      .partial()
      .optional()
      .meta({
        description: "Only sent fields change. `auth` of the same type may leave out its secret to keep it.",
      }),
    mcp: z.strictObject(mcpFields).partial().optional(),
  })
  .refine((fields) => Object.keys(fields).length > 0, "needs at least one field")
  .meta({ id: "UpdateTool", minProperties: 1 });
export type UpdateTool = z.output<typeof UpdateTool>;

const exampleHttp = {
  method: "GET",
  url: "https://api.example.com/orders/{order_id}",
  headers: {},
  timeout_ms: 10_000,
  max_response_bytes: 100_000,
  response_select: "$.status",
  auth: { type: "bearer" },
};

export const Tool = z
  .object({
    id: z.uuid(),
    name: z.string().meta({ example: "order_status" }),
    description: z.string().meta({ example: "Looks up where an order is." }),
    kind: z.enum(["http", "mcp"]),
    enabled: z.boolean(),
    parameters: z.record(z.string(), z.unknown()).meta({
      description: "JSON Schema of the arguments.",
      example: { type: "object", properties: { order_id: { type: "string" } }, required: ["order_id"] },
    }),
    http: z
      .object({ ...httpFields, auth: HttpAuthShown })
      .optional()
      .meta({ description: "Only when `kind` is `http`. Secrets are left out.", example: exampleHttp }),
    mcp: z.object(mcpFields).optional().meta({ description: "Only when `kind` is `mcp`." }),
    created_at: isoTime,
    updated_at: isoTime,
  })
  .meta({ id: "Tool" });
export type Tool = z.output<typeof Tool>;

const toolId = z.uuid().transform((id) => id.toLowerCase());
export const ToolId = { toolId };
export const AttachTool = z.strictObject({ tool_id: toolId }).meta({ id: "AttachTool" });

export const ToolPage = z.object({ tools: z.array(Tool), next_cursor: nextCursor }).meta({ id: "ToolPage" });
export const ToolResponse = z.object({ success: z.literal(true), tool: Tool }).meta({ id: "ToolResponse" });
export const ToolsResponse = z
  .object({ success: z.literal(true), tools: z.array(Tool) })
  .meta({ id: "ToolsResponse" });

export const ToolCall = z
  .object({
    id: z.uuid(),
    tool_id: z.uuid().nullable().meta({ description: "null: built in, or deleted since." }),
    tool_name: z.string().meta({ description: "As the model called it.", example: "order_status" }),
    conversation_id: z.uuid().nullable(),
    turn_id: z.uuid().meta({ description: "The question and answer during which it was called." }),
    arguments_sha256: z.string().meta({
      description: "SHA-256 of the arguments as canonical JSON (RFC 8785); they themselves are not kept.",
      example: "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    }),
    status: z.enum(["ok", "failed"]),
    code: z
      .string()
      .nullable()
      .meta({ description: "Why it failed; null when it did not.", example: "http_error" }),
    http_status: z.int().nullable().meta({ description: "null: no answer came.", example: 404 }),
    ms: z.int().meta({ example: 182 }),
    bytes: z.int().meta({ description: "Of the answer, decompressed.", example: 512 }),
    created_at: isoTime,
  })
  .meta({ id: "ToolCall" });
export type ToolCall = z.output<typeof ToolCall>;

export const ToolCallQuery = PageQuery.extend({
  tool_id: toolId.optional().meta({ description: "Only calls of this tool." }),
  status: z.enum(["ok", "failed"]).optional().meta({ description: "Only calls that ended like this." }),
  conversation_id: z.uuid().optional().meta({ description: "Only calls made in this conversation." }),
});
export type ToolCallQuery = z.output<typeof ToolCallQuery>;

export const ToolCallPage = z
  .object({ tool_calls: z.array(ToolCall), next_cursor: nextCursor })
  .meta({ id: "ToolCallPage" });
