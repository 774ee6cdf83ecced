import type { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { type Tool as ListedTool, ListToolsResultSchema } from "@modelcontextprotocol/sdk/types.js";
import type { App } from "../context.ts";
import type { McpClients, McpServer } from "./mcp-clients.ts";

/** What an MCP server offers, under its own names. */
export type McpListing = readonly ListedTool[];

/** Lists of tools, each kept for a short time. */
export type McpListings = { get(server: McpServer): Promise<McpListing>; forget(key: string): void };

type Entry = { listing: Promise<McpListing>; staleAt: number };

const ENTRIES_MAX = 500;
const KEPT_MS = 60_000;
/** A server that is down must not make every turn wait for it. */
const FAILURE_KEPT_MS = 30_000;
const LIST_TIMEOUT_MS = 10_000;
const TOOLS_MAX = 500;
const PAGES_MAX = 50;

export function createMcpListings(clients: McpClients, now: App["now"]): McpListings {
  /** The oldest first. */
  const entries = new Map<string, Entry>();

  function begin(server: McpServer): Entry {
    const listing = listTools(clients, server);
    const entry = { listing, staleAt: Number.POSITIVE_INFINITY };
    const keepFor = (ms: number) => () => {
      entry.staleAt = now().getTime() + ms;
    };
    listing.then(keepFor(KEPT_MS), keepFor(FAILURE_KEPT_MS));
    entries.delete(server.key);
    entries.set(server.key, entry);
    const [oldest] = entries.keys();
    if (entries.size > ENTRIES_MAX && oldest !== undefined) entries.delete(oldest);
    return entry;
  }

  return {
    async get(server) {
      const known = entries.get(server.key);
      const entry = known !== undefined && now().getTime() < known.staleAt ? known : begin(server);
      return await entry.listing;
    },
    forget: (key) => void entries.delete(key),
  };
}

async function listTools(clients: McpClients, server: McpServer): Promise<McpListing> {
  const signal = AbortSignal.timeout(LIST_TIMEOUT_MS);
  const exchange = { signal, bytes: 0, httpStatus: null, onBroken: () => undefined };
  return await clients.use(server, exchange, (client) => readPages(client, signal));
}

/** Not by the SDK's own `listTools`, which compiles the schemas that the server sends. */
async function readPages(client: Client, signal: AbortSignal): Promise<McpListing> {
  const tools: ListedTool[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < PAGES_MAX && tools.length < TOOLS_MAX; page += 1) {
    const params = cursor === undefined ? {} : { cursor };
    const answer = await client.request({ method: "tools/list", params }, ListToolsResultSchema, { signal });
    tools.push(...answer.tools);
    cursor = answer.nextCursor;
    if (cursor === undefined) break;
  }
  return tools.slice(0, TOOLS_MAX);
}
