import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { envelope, GraphError, type GraphFault, statusOf } from "./graph-error.ts";

export interface MetaRequest {
  method: string;
  path: string;
  query: Record<string, string>;
  headers: IncomingMessage["headers"];
  /** Parsed where it is JSON or a form, else text. */
  body: unknown;
  raw: Buffer;
  at: Date;
}

export interface MetaAnswer {
  status: number;
  headers?: Record<string, string>;
  /** An object is sent as JSON. */
  body: object | string | Buffer;
}

/**
 * - `timeout`: nothing is done, and no answer comes; `accept-then-timeout`: it is done, and no answer comes
 * - `reset`: the connection breaks before anything is done
 */
export type Failure = GraphFault | "timeout" | "accept-then-timeout" | "reset";

export interface FailureMatch {
  method?: string;
  /** A text is found anywhere in the path. */
  path: RegExp | string;
}

export interface MetaServer {
  url: string;
  requests: MetaRequest[];
  fail(match: FailureMatch, failure: Failure, times?: number): void;
  close(): Promise<void>;
}

interface Plan {
  match: FailureMatch;
  failure: Failure;
  left: number;
}

/** The part of the simulator that knows requests and no Graph. */
export async function startMetaServer(
  handle: (request: MetaRequest) => Promise<MetaAnswer> | MetaAnswer,
  rateStatus: () => 400 | 429,
  port = 0,
): Promise<MetaServer> {
  const requests: MetaRequest[] = [];
  const plans: Plan[] = [];
  const server = createServer((incoming, response) => {
    answer(incoming, response).catch((error: unknown) => {
      // A mistake of the simulator itself must be seen, not taken for one of Meta's.
      if (!response.headersSent) response.writeHead(501);
      response.end(String(error instanceof Error ? error.stack : error));
    });
  });

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await readRequest(incoming);
    requests.push(request);
    const failure = nextFailure(plans, request);
    if (failure === "reset") return void response.socket?.destroy();
    if (failure === "timeout") return;
    const planned = typeof failure === "object" ? failed(failure, rateStatus()) : undefined;
    const made = planned ?? (await attempt(() => handle(request), rateStatus()));
    if (failure !== "accept-then-timeout") send(response, made);
  }

  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" ? address?.port : port}`,
    requests,
    fail: (match, failure, times = 1) => void plans.push({ match, failure, left: times }),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function attempt(work: () => Promise<MetaAnswer> | MetaAnswer, rate: 400 | 429): Promise<MetaAnswer> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    return failed(error.fault, rate);
  }
}

function failed(fault: GraphFault, rate: 400 | 429): MetaAnswer {
  return { status: statusOf(fault, rate), body: envelope(fault) };
}

function nextFailure(plans: Plan[], request: MetaRequest): Failure | undefined {
  const plan = plans.find(
    ({ match, left }) =>
      left > 0 &&
      (match.method === undefined || match.method === request.method) &&
      (typeof match.path === "string" ? request.path.includes(match.path) : match.path.test(request.path)),
  );
  if (plan === undefined) return undefined;
  plan.left -= 1;
  return plan.failure;
}

async function readRequest(incoming: IncomingMessage): Promise<MetaRequest> {
  const url = new URL(incoming.url ?? "/", "http://graph");
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const raw = Buffer.concat(chunks);
  return {
    method: incoming.method ?? "GET",
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: incoming.headers,
    body: parse(raw, incoming.headers["content-type"] ?? ""),
    raw,
    at: new Date(),
  };
}

function parse(raw: Buffer, contentType: string): unknown {
  const text = raw.toString("utf8");
  if (contentType.startsWith("application/x-www-form-urlencoded"))
    return Object.fromEntries(new URLSearchParams(text));
  if (!contentType.startsWith("application/json")) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function send(response: ServerResponse, { status, headers, body }: MetaAnswer): void {
  const isJson = typeof body === "object" && !Buffer.isBuffer(body);
  response.writeHead(status, {
    "content-type": isJson ? "application/json; charset=UTF-8" : "text/html; charset=utf-8",
    "facebook-api-version": "v25.0",
    ...headers,
  });
  response.end(isJson ? JSON.stringify(body) : body);
}
