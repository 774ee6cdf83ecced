import { afterAll } from "vitest";
import { createGuardedFetch } from "../src/providers/guarded-fetch.ts";
import { type ChatServer, type ChatWorld, startChatServer } from "./chat-support.ts";
import { startToolServer, type ToolServer } from "./simulators/tool-server/tool-server.ts";
import { hex } from "./support.ts";

/** A server with a scripted model, whose tools reach a customer's API as `api.test`. */
export interface ToolChat {
  server: ChatServer;
  api: ToolServer;
  base: string;
}

/** For the test file that asks for it; ended after it. */
export async function toolChat(): Promise<ToolChat> {
  const api = await startToolServer();
  const fetchPublic = createGuardedFetch({
    resolve: async () => [{ address: "127.0.0.1", family: 4 }],
    allowHosts: [`api.test:${api.port}`],
  });
  const server = await startChatServer({}, { fetchPublic });
  afterAll(async () => {
    await server.close();
    await api.close();
  });
  return { server, api, base: `http://api.test:${api.port}` };
}

/** Defines a tool of the world's organization and attaches it to its workspace. */
export async function attachTool(world: ChatWorld, name: string, http: object, properties: object = {}) {
  const made = await world.api.post(`/v1/org/${hex(world.orgSlug)}/tools`, {
    kind: "http",
    name,
    description: `Does ${name}.`,
    parameters: {
      type: "object",
      properties,
      required: Object.keys(properties),
      additionalProperties: false,
    },
    http: { method: "GET", ...http },
  });
  if (made.status !== 200) throw new Error(JSON.stringify(made.body));
  await world.api.post(`${world.path}/tools`, { tool_id: made.body.tool.id });
}
