import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import {
  type EventStore,
  StreamableHTTPServerTransport,
} from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import {
  CallToolRequestSchema,
  type CallToolResult,
  type JSONRPCMessage,
  ListToolsRequestSchema,
  type Tool,
} from "@modelcontextprotocol/sdk/types.js";

export type McpSimulator = {
  port: number;
  /** The HTTP requests: method, the JSON-RPC method and the headers. */
  requests: { http: string; rpc: string | undefined; headers: IncomingMessage["headers"] }[];
  /** The calls that reached a tool. */
  calls: { name: string; arguments: unknown; sessionId: string | undefined }[];
  /** Calls that the client took back. */
  cancelled: number;
  /** Requests that are under way. */
  open(): number;
  /** Sessions that are open. */
  sessions(): number;
  /** Forgets them all, as a restart does: from then on they are answered 404. */
  forgetSessions(): void;
  /** When set, a request without `authorization: <this>` is answered 401. */
  authorization: string | null;
  tools: Tool[];
  close(): Promise<void>;
};

/** `resumable`: an answer that was interrupted can be gone on with. */
type Options = { jsonAnswers?: boolean; resumable?: boolean };
type Running = McpSimulator & { transports: Map<string, StreamableHTTPServerTransport> };

const PAGE = 2;
const text = { type: "object" as const, properties: { text: { type: "string" } }, required: ["text"] };
const nothing = { type: "object" as const, properties: {} };

const TOOLS: Tool[] = [
  { name: "echo", description: "Says it again.", inputSchema: text },
  {
    name: "add",
    inputSchema: { type: "object", properties: { a: { type: "number" }, b: { type: "number" } } },
  },
  { name: "fail", description: "Fails.", inputSchema: text },
  { name: "slow", description: "Waits until it is taken back.", inputSchema: nothing },
  { name: "picture", description: "Shows.", inputSchema: nothing },
  { name: "huge", description: "Says much.", inputSchema: nothing },
  { name: "files.read/all", description: "Has a name that models do not take.", inputSchema: nothing },
];

/** An MCP server on loopback, made with the official SDK: streamable HTTP, session ids, a list in pages. */
export async function startMcpServer(options: Options = {}): Promise<McpSimulator> {
  const transports = new Map<string, StreamableHTTPServerTransport>();
  let underWay = 0;
  const http = createServer((request, response) => {
    underWay += 1;
    response.on("close", () => {
      underWay -= 1;
    });
    answer(running, options, request, response).catch(() => response.writeHead(500).end());
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const address = http.address();
  const running: Running = {
    port: typeof address === "object" ? (address?.port ?? 0) : 0,
    requests: [],
    calls: [],
    cancelled: 0,
    open: () => underWay,
    sessions: () => transports.size,
    forgetSessions: () => transports.clear(),
    authorization: null,
    tools: [...TOOLS],
    transports,
    async close() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  return running;
}

async function answer(
  running: Running,
  options: Options,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body: unknown = chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString("utf8"));
  const rpc: unknown = Object(body).method;
  const { headers, method = "", url = "/" } = request;
  running.requests.push({ http: method, rpc: typeof rpc === "string" ? rpc : undefined, headers });
  if (url.startsWith("/redirect")) {
    response.writeHead(307, { location: decodeURIComponent(url.split("?")[1] ?? "") }).end();
    return;
  }
  if (running.authorization !== null && headers.authorization !== running.authorization) {
    response.writeHead(401).end(`not with ${headers.authorization}`);
    return;
  }
  if (url.startsWith("/broken") && rpc === "tools/call") {
    response.writeHead(200, { "content-type": "text/event-stream" }).write(": soon\n\n");
    setTimeout(() => response.socket?.destroy(), 20);
    return;
  }
  const sessionId = headers["mcp-session-id"];
  if (rpc === "initialize") {
    await (await open(running, options)).handleRequest(request, response, body);
    return;
  }
  const transport = running.transports.get(String(sessionId));
  if (transport === undefined) response.writeHead(404).end();
  else await transport.handleRequest(request, response, body);
}

async function open(running: Running, options: Options): Promise<StreamableHTTPServerTransport> {
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    enableJsonResponse: options.jsonAnswers ?? false,
    ...(options.resumable === true ? { eventStore: newEventStore(), retryInterval: 50 } : {}),
    onsessioninitialized: (id) => void running.transports.set(id, transport),
    onsessionclosed: (id) => void running.transports.delete(id),
  });
  const server = new Server({ name: "simulator", version: "1" }, { capabilities: { tools: {} } });
  server.setRequestHandler(ListToolsRequestSchema, ({ params }) => {
    const from = Number(params?.cursor ?? 0);
    const tools = running.tools.slice(from, from + PAGE);
    return from + PAGE < running.tools.length ? { tools, nextCursor: String(from + PAGE) } : { tools };
  });
  server.setRequestHandler(
    CallToolRequestSchema,
    async ({ params }, { signal, sessionId, closeSSEStream }) => {
      running.calls.push({ name: params.name, arguments: params.arguments, sessionId });
      if (params.name === "poll") {
        closeSSEStream?.();
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      return await perform(running, params.name, Object(params.arguments), signal);
    },
  );
  await server.connect(transport);
  return transport;
}

async function perform(
  running: Running,
  name: string,
  args: Record<string, unknown>,
  signal: AbortSignal,
): Promise<CallToolResult> {
  const say = (said: string): CallToolResult => ({ content: [{ type: "text", text: said }] });
  switch (name) {
    case "poll":
      return say("gone on with");
    case "echo":
      return say(String(args.text));
    case "add":
      return { content: [], structuredContent: { sum: Number(args.a) + Number(args.b) } };
    case "fail":
      return { ...say(`no ${args.text}`), isError: true };
    case "slow":
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      running.cancelled += 1;
      return say("late");
    case "picture":
      return {
        content: [
          { type: "text", text: "Look:" },
          { type: "image", data: "aGk=", mimeType: "image/png" },
        ],
      };
    case "huge":
      return say("x".repeat(Number(args.length ?? 150_000)));
    default:
      throw new Error(`there is no ${name}`);
  }
}

function newEventStore(): EventStore {
  const events: { id: string; streamId: string; message: JSONRPCMessage }[] = [];
  return {
    async storeEvent(streamId, message) {
      const id = `${streamId}_${events.length}`;
      events.push({ id, streamId, message });
      return id;
    },
    async replayEventsAfter(lastId, { send }) {
      const from = events.findIndex(({ id }) => id === lastId);
      const streamId = events[from]?.streamId ?? "";
      for (const event of events.slice(from + 1)) {
        if (event.streamId === streamId) await send(event.id, event.message);
      }
      return streamId;
    },
  };
}
