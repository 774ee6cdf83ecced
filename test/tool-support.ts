import { randomUUID } from "node:crypto";
import { afterAll } from "vitest";
import { createGuardedFetch, type GuardedFetchOptions } from "../src/providers/guarded-fetch.ts";
import { type CallContext, callTool } from "../src/tools/call-tool.ts";
import { type CallableTool, listCallableTools } from "../src/tools/callable.ts";
import { type McpSimulator, startMcpServer } from "./simulators/mcp-server/mcp-server.ts";
import { startToolServer, type ToolServer } from "./simulators/tool-server/tool-server.ts";
import { hex, newWorld, type Reply, startTestServer, type TestServer, type World } from "./support.ts";

/** A server whose tools reach the simulators as `api.test`, `other.test` and `mcp.test`, and nothing else on loopback. */
export interface ToolHouse {
  server: TestServer;
  api: ToolServer;
  other: ToolServer;
  mcp: McpSimulator;
  /** All that was logged. */
  lines: string[];
}

/** For the test file that asks for it; ended after it. */
export async function toolHouse(more: GuardedFetchOptions = {}): Promise<ToolHouse> {
  const [api, other, mcp] = await Promise.all([startToolServer(), startToolServer(), startMcpServer()]);
  const lines: string[] = [];
  const fetchPublic = createGuardedFetch({
    resolve: async () => [{ address: "127.0.0.1", family: 4 }],
    ...more,
    allowHosts: [
      `api.test:${api.port}`,
      `other.test:${other.port}`,
      `mcp.test:${mcp.port}`,
      ...(more.allowHosts ?? []),
    ],
  });
  const server = await startTestServer(
    { LOG_LEVEL: "trace" },
    { fetchPublic, onLog: (line) => lines.push(line) },
  );
  afterAll(async () => {
    await server.close();
    await Promise.all([api.close(), other.close(), mcp.close()]);
  });
  return { server, api, other, mcp, lines };
}

export interface ToolWorld extends World {
  context: CallContext;
  /** Defines a tool, attaches it, and gives what the assistant would call it by. */
  attach(definition: object): Promise<CallableTool>;
  call(tool: CallableTool, args?: unknown, signal?: AbortSignal): ReturnType<typeof callTool>;
  list(signal?: AbortSignal): ReturnType<typeof listCallableTools>;
  /** The ledger, newest first. */
  ledger(query?: string): Promise<Reply["body"]["tool_calls"]>;
}

const anything = { type: "object", properties: {} };

export async function toolWorld({ server }: ToolHouse, world?: World): Promise<ToolWorld> {
  const own = world ?? (await newWorld(server));
  const context: CallContext = {
    partnerId: own.partner.id,
    accountId: own.accountId,
    organizationId: own.organizationId,
    workspaceId: own.workspaceId,
    conversationId: null,
    turnId: randomUUID(),
    actor: { kind: "system", id: null },
    requestId: "test",
  };
  const path = `/v1/workspace/${hex(own.workspaceSlug)}`;
  const list = (signal = new AbortController().signal) => listCallableTools(server.app, context, signal);
  let count = 0;
  return {
    ...own,
    context,
    list,
    async attach(definition) {
      count += 1;
      const fields = { kind: "http", name: `tool_${count}`, description: "A tool.", ...definition };
      const made = await own.api.post(`/v1/org/${hex(own.orgSlug)}/tools`, fields);
      if (made.status !== 200) throw new Error(JSON.stringify(made.body));
      const { id, kind, name, parameters } = made.body.tool;
      await own.api.post(`${path}/tools`, { tool_id: id });
      const mcpTool = kind === "mcp" ? "echo" : null;
      return {
        chat: { name, description: "A tool.", parameters: parameters ?? anything },
        toolId: id,
        mcpTool,
        acts: true,
      };
    },
    call: (tool, args = {}, signal = new AbortController().signal) =>
      callTool(server.app, context, tool, args, signal),
    ledger: async (query = "") => (await own.api.get(`${path}/tool-calls${query}`)).body.tool_calls,
  };
}

/** The schema of arguments that are all texts. */
export function texts(...names: string[]): object {
  return {
    type: "object",
    properties: Object.fromEntries(names.map((name) => [name, { type: "string" }])),
    required: names,
  };
}
