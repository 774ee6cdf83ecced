import { CallToolResultSchema } from "@modelcontextprotocol/sdk/types.js";
import { afterAll, expect, test } from "vitest";
import { startMcpServer } from "../../test/simulators/mcp-server/mcp-server.ts";
import { createGuardedFetch } from "../providers/guarded-fetch.ts";
import { createMcpClients, type McpClients } from "./mcp-clients.ts";

const mcp = await startMcpServer();
afterAll(() => mcp.close());
const fetchPublic = createGuardedFetch({
  resolve: async () => [{ address: "127.0.0.1", family: 4 }],
  allowHosts: [`mcp.test:${mcp.port}`],
});

function say(clients: McpClients, key: string, text: string, signal = new AbortController().signal) {
  const server = {
    key,
    mcp: { url: `http://mcp.test:${mcp.port}/mcp`, headers: {}, allowed_tools: null },
    fetchPublic,
  };
  const exchange = { signal, bytes: 0, httpStatus: null, onBroken: () => undefined };
  return clients.use(server, exchange, (client) =>
    client.request(
      { method: "tools/call", params: { name: "echo", arguments: { text } } },
      CallToolResultSchema,
    ),
  );
}

test("a session that nobody uses is ended, at the server too, and opened again", async () => {
  const clients = createMcpClients({ version: "1", idleMs: 100 });
  await say(clients, "a", "one");
  expect(mcp.sessions()).toBe(1);
  await expect.poll(() => mcp.sessions()).toBe(0);
  await say(clients, "a", "two");
  expect(mcp.sessions()).toBe(1);
  await clients.close();
  expect(mcp.sessions()).toBe(0);
});

test("calls at once open one session", async () => {
  const clients = createMcpClients({ version: "1" });
  await Promise.all(Array.from({ length: 10 }, (_, n) => say(clients, "b", String(n))));
  expect(mcp.sessions()).toBe(1);
  await clients.close();
});

test("of more than two hundred sessions the one that rests longest is ended", async () => {
  const clients = createMcpClients({ version: "1" });
  for (let n = 0; n < 205; n += 1) await say(clients, `c${n}`, "x");
  await expect.poll(() => mcp.sessions()).toBe(200);
  const opened = mcp.requests.filter(({ rpc }) => rpc === "initialize").length;
  await say(clients, "c204", "x");
  expect(mcp.requests.filter(({ rpc }) => rpc === "initialize")).toHaveLength(opened);
  await say(clients, "c0", "x");
  expect(mcp.requests.filter(({ rpc }) => rpc === "initialize")).toHaveLength(opened + 1);
  await clients.close();
  expect(mcp.sessions()).toBe(0);
}, 60_000);
