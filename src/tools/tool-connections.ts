import type { App } from "../context.ts";
import { type AccessTokens, createAccessTokens } from "./access-tokens.ts";
import { type CallSlots, createCallSlots } from "./call-slots.ts";
import { createMcpClients, type McpClients } from "./mcp-clients.ts";
import { createMcpListings, type McpListings } from "./mcp-tools.ts";

/** What calls of tools keep between one another in this process. Lost at its end, and nothing else is. */
export type ToolConnections = {
  slots: CallSlots;
  tokens: AccessTokens;
  clients: McpClients;
  listings: McpListings;
  /** Ends the sessions with MCP servers. */
  close(): Promise<void>;
};

export function createToolConnections(options: {
  version: string;
  now: App["now"];
  mcpIdleMs?: number;
}): ToolConnections {
  const { version, now, mcpIdleMs } = options;
  const clients = createMcpClients(mcpIdleMs === undefined ? { version } : { version, idleMs: mcpIdleMs });
  return {
    slots: createCallSlots(),
    tokens: createAccessTokens(),
    clients,
    listings: createMcpListings(clients, now),
    close: () => clients.close(),
  };
}
