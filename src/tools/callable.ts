import { createHash } from "node:crypto";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { ChatTool } from "../ports/chat-model.ts";
import { describeMcpError } from "./call-mcp.ts";
import type { CallContext } from "./call-tool.ts";
import type { McpListing } from "./mcp-tools.ts";
import { redactor } from "./redact.ts";
import { tenantOf } from "./tool-calls.ts";
import { readDefinition, type ToolRow } from "./tools.service.ts";
import { unlessAborted } from "./unless-aborted.ts";

/** Something that a workspace's assistant may call now. It holds no secret and no definition: a call reads them anew. */
export type CallableTool = {
  /** As the model is told of it. */
  chat: ChatTool;
  toolId: string;
  /** The server's own name for it; `null` for an HTTP tool. */
  mcpTool: string | null;
  /** It may change something: anything but an HTTP request that only reads. */
  acts: boolean;
};

export type CallableTools = {
  tools: CallableTool[];
  /** Tools that are attached and cannot be offered now, such as an MCP server that does not answer. */
  unavailable: { name: string; reason: string }[];
};

type Offer = Omit<CallableTool, "chat"> & Omit<ChatTool, "name"> & { wanted: string };

/** Vendors take no more in one request. */
const TOOLS_MAX = 128;
const NAME_MAX_LENGTH = 64;
const DESCRIPTION_MAX_LENGTH = 4_000;
const SCHEMA_MAX_BYTES = 64 * 1024;
/** What a turn waits for a list; the list goes on being made, for the next one. */
const DISCOVERY_MAX_MS = 3_000;

/**
 * The tools that are attached to the workspace and enabled, with every tool of an MCP server as `<tool>__<its name>`.
 * Not to be called in a transaction: servers may have to be asked. Throws only when `signal` ends it.
 */
export async function listCallableTools(
  app: App,
  context: CallContext,
  signal: AbortSignal,
): Promise<CallableTools> {
  const rows = await app.db.readAsTenant<ToolRow>(tenantOf(context), (db) => selectAttached(db, context));
  const unavailable: CallableTools["unavailable"] = [];
  const offers = await Promise.all(
    rows.map(async (row) => {
      if (row.kind === "http") return [offerOf(row)];
      const listed = await discover(app, context, row, signal);
      if (!("reason" in listed)) return listed;
      unavailable.push(listed);
      return [];
    }),
  );
  return { tools: named(offers.flat().slice(0, TOOLS_MAX)), unavailable };
}

/** The row of a tool if it may be called now. */
export async function findAttachedTool(
  app: App,
  context: CallContext,
  toolId: string,
): Promise<ToolRow | undefined> {
  const [row] = await app.db.readAsTenant<ToolRow>(tenantOf(context), (db) =>
    selectAttached(db, context).where("tools.id", "=", toolId),
  );
  return row;
}

/** What is kept for a tool is kept under this: it is another one once the definition or a secret has changed. */
export function connectionKey(row: ToolRow): string {
  return createHash("sha256")
    .update(JSON.stringify([row.id, row.updated_at, row.secrets]))
    .digest("base64url");
}

function selectAttached(db: Tx, context: CallContext) {
  return db
    .selectFrom("tools")
    .innerJoin("workspace_tools", "workspace_tools.tool_id", "tools.id")
    .selectAll("tools")
    .where("workspace_tools.workspace_id", "=", context.workspaceId)
    .where("tools.organization_id", "=", context.organizationId)
    .where("tools.enabled", "=", true)
    .orderBy("tools.id");
}

function offerOf(row: ToolRow): Offer {
  const parameters: Record<string, unknown> = { ...Object(row.parameters) };
  const { method } = Object(row.http);
  const acts = method !== "GET" && method !== "HEAD";
  return { toolId: row.id, mcpTool: null, acts, wanted: row.name, description: row.description, parameters };
}

async function discover(
  app: App,
  context: CallContext,
  row: ToolRow,
  signal: AbortSignal,
): Promise<Offer[] | { name: string; reason: string }> {
  const definition = readDefinition(app, row);
  const { mcp } = definition;
  if (mcp === undefined) return [];
  const redact = redactor(definition);
  const patience = AbortSignal.any([signal, AbortSignal.timeout(DISCOVERY_MAX_MS)]);
  const server = { key: connectionKey(row), mcp, fetchPublic: app.fetchPublic };
  try {
    const listing = await unlessAborted(patience, app.tools.listings.get(server));
    const allowed = mcp.allowed_tools;
    return listing
      .filter(({ name }) => allowed === null || allowed.includes(name))
      .flatMap(toOffer(row, redact));
  } catch (error) {
    signal.throwIfAborted();
    const code = patience.aborted ? "timeout" : describeMcpError(error, redact).code;
    const { requestId, organizationId, workspaceId } = context;
    app.log.warn(
      { requestId, organizationId, workspaceId, tool: row.id, code },
      "an MCP server cannot be listed",
    );
    return { name: row.name, reason: code };
  }
}

/** Descriptions and schemas go into the prompt, so a secret that the server wrote into them is taken out. */
function toOffer(row: ToolRow, redact: (text: string) => string) {
  return ({ name, title, description, inputSchema }: McpListing[number]): Offer[] => {
    const schema = JSON.stringify(inputSchema);
    if (Buffer.byteLength(schema) > SCHEMA_MAX_BYTES) return [];
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it takes out
    const said = (description ?? title ?? row.description).replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, "");
    const wanted = `${row.name}__${name}`;
    const shown = redact(said).slice(0, DESCRIPTION_MAX_LENGTH).toWellFormed();
    const parameters: Record<string, unknown> = JSON.parse(redact(schema));
    return [{ toolId: row.id, mcpTool: name, acts: true, wanted, description: shown, parameters }];
  };
}

/** Names that every vendor takes, each once: what had to be changed or cut off is told apart by a piece of its hash. */
function named(offers: readonly Offer[]): CallableTool[] {
  const taken = new Set<string>();
  return offers.map(({ wanted, description, parameters, toolId, mcpTool, acts }) => {
    const plain = wanted.replace(/[^a-zA-Z0-9_-]/g, "_");
    const fits = plain === wanted && plain.length <= NAME_MAX_LENGTH && !taken.has(plain);
    const name = fits ? plain : `${plain.slice(0, NAME_MAX_LENGTH - 9)}_${hashOf(`${toolId} ${mcpTool}`)}`;
    taken.add(name);
    return { chat: { name, description, parameters }, toolId, mcpTool, acts };
  });
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}
