import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { CutConnection } from "./chat-script.ts";
import { type Fault, type FaultPlan, faultPlan, type PlannedFault, plannedFaultSchema } from "./faults.ts";

export type SimulatorRequest = {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage["headers"];
  body: Buffer;
  /** The named groups of the route's path. */
  params: Record<string, string>;
  /** The faults that only the vendor's own answer can show. */
  fault: Fault | null;
  /** Aborted when the client hangs up before the answer is over. */
  closed: AbortSignal;
};

export type SimulatorAnswer = {
  status: number;
  headers?: Record<string, string>;
  /** An object is sent as JSON, a stream chunk by chunk (server-sent events), a list all at once as such chunks. */
  body: object | string | AsyncIterable<string> | readonly string[];
};

export type Route = {
  method: string;
  path: RegExp;
  handle(request: SimulatorRequest): SimulatorAnswer | Promise<SimulatorAnswer>;
};

export type SimulatorOptions = {
  routes: Route[];
  /** An error in the vendor's own format. */
  errorBody(status: number, message: string): object;
  port?: number;
  /** Default true. */
  record?: boolean;
};

export type Simulator = {
  /** `http://127.0.0.1:port`, without a path. */
  url: string;
  /** Every request so far, but for the simulator's own endpoints. */
  requests: SimulatorRequest[];
  /** The most requests that were under way at once. */
  mostAtOnce(): number;
  fail(planned: PlannedFault): void;
  recover(): void;
  close(): Promise<void>;
};

/**
 * A stand-in for a vendor on loopback. Beside the vendor's routes it has `POST /_simulator/faults` (a `PlannedFault`)
 * and `DELETE /_simulator/faults`, so that a stand-alone process can be made to fail, too.
 */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const plan = faultPlan();
  const requests: SimulatorRequest[] = [];
  let atOnce = 0;
  let most = 0;
  const server = createServer((incoming, response) => {
    atOnce += 1;
    most = Math.max(most, atOnce);
    response.on("close", () => {
      atOnce -= 1;
    });
    const record = (request: SimulatorRequest) => void ((options.record ?? true) && requests.push(request));
    answer(incoming, response, { options, plan, record }).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : options.port;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    mostAtOnce: () => most,
    fail: plan.add,
    recover: plan.clear,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type Running = { options: SimulatorOptions; plan: FaultPlan; record(request: SimulatorRequest): void };

async function answer(incoming: IncomingMessage, response: ServerResponse, running: Running): Promise<void> {
  const url = new URL(incoming.url ?? "/", "http://simulator");
  const method = incoming.method ?? "GET";
  const path = url.pathname;
  const body = await readBody(incoming);
  if (path === "/_simulator/faults") {
    if (method === "DELETE") running.plan.clear();
    else running.plan.add(plannedFaultSchema.parse(JSON.parse(body.toString())));
    response.writeHead(204).end();
    return;
  }
  const fault = running.plan.next(path);
  const request = {
    method,
    path,
    query: url.searchParams,
    headers: incoming.headers,
    body,
    params: {},
    fault,
    closed: closedSignal(response),
  };
  running.record(request);
  await send(response, await choose(request, running.options), fault);
}

async function choose(request: SimulatorRequest, options: SimulatorOptions): Promise<SimulatorAnswer> {
  const { fault, method, path } = request;
  if (fault?.kind === "status") {
    const { status, message = "simulated failure", headers } = fault;
    return { status, headers, body: options.errorBody(status, message) };
  }
  if (fault?.kind === "html") return { status: 200, body: "<html>502 Bad Gateway</html>" };
  // Who hung up meanwhile gets no answer, and uses up none that another test has planned.
  if (fault?.kind === "slow") await sleep(fault.ms, undefined, { signal: request.closed });
  const found = options.routes.find((route) => route.method === method && route.path.test(path));
  if (found === undefined) return { status: 404, body: options.errorBody(404, `no route ${method} ${path}`) };
  return await found.handle({ ...request, params: found.path.exec(path)?.groups ?? {} });
}

function closedSignal(response: ServerResponse): AbortSignal {
  const closed = new AbortController();
  response.on("close", () => {
    if (!response.writableFinished) closed.abort();
  });
  return closed.signal;
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function send(response: ServerResponse, answer: SimulatorAnswer, fault: Fault | null): Promise<void> {
  if (fault?.kind === "reset") {
    response.socket?.destroy();
    return;
  }
  const { status, headers, body } = answer;
  const chunks = piecesOf(body);
  if (chunks !== undefined) {
    response.writeHead(status, headers);
    for (const chunk of chunks) response.write(chunk);
    response.end();
    return;
  }
  if (typeof body === "object" && Symbol.asyncIterator in body) {
    response.writeHead(status, { "content-type": "text/event-stream", ...headers });
    await sendStream(response, body);
    return;
  }
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const type = typeof body === "string" ? "text/html" : "application/json";
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(text), ...headers });
  if (fault?.kind !== "partial") {
    response.end(text);
    return;
  }
  response.write(text.slice(0, text.length / 2), () => response.socket?.destroy());
}

/** Texts or bytes to be written one by one; any other list is JSON. */
function piecesOf(body: SimulatorAnswer["body"]): readonly (string | Uint8Array)[] | undefined {
  const isPieces =
    Array.isArray(body) &&
    body.length > 0 &&
    body.every((piece) => typeof piece === "string" || piece instanceof Uint8Array);
  return isPieces ? body : undefined;
}

async function sendStream(response: ServerResponse, body: AsyncIterable<string>): Promise<void> {
  response.flushHeaders();
  try {
    for await (const chunk of body) response.write(chunk);
    response.end();
  } catch (error) {
    if (!(error instanceof CutConnection)) throw error;
    response.socket?.destroy();
  }
}
