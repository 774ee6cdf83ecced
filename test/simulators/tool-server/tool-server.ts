import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { answerToken, newTokenEndpoint, type TokenEndpoint } from "./token-endpoint.ts";

export type ToolRequest = {
  method: string;
  /** As it came, still encoded. */
  url: string;
  headers: IncomingMessage["headers"];
  body: string;
};

export type ToolServer = {
  port: number;
  /** Every request, but for those to the token endpoint. */
  requests: ToolRequest[];
  tokens: TokenEndpoint;
  /** The most requests that were under way at once. */
  mostAtOnce(): number;
  /** Requests that are under way. */
  open(): number;
  close(): Promise<void>;
};

type Call = { url: URL; body: string; request: IncomingMessage; response: ServerResponse };
type Handler = (call: Call, server: ToolServer) => unknown;

const BOMB = Buffer.alloc(20_000_000, " ");
/** The best compression of all takes seconds. */
const FAST = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };

/** A customer's HTTP API on loopback, well-behaved and otherwise; what it does is in the path. */
export async function startToolServer(): Promise<ToolServer> {
  let open = 0;
  let most = 0;
  const failures = new Map<string, number>();
  const server = createServer(async (request, response) => {
    open += 1;
    most = Math.max(most, open);
    response.on("close", () => {
      open -= 1;
    });
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString("utf8");
    const url = new URL(request.url ?? "/", "http://tools");
    if (url.pathname === "/oauth/token") {
      await answerToken(started.tokens, request, body, response);
      return;
    }
    const { method = "", headers } = request;
    started.requests.push({ method, url: request.url ?? "", headers, body });
    const key = url.searchParams.get("fail") ?? "";
    const failed = failures.get(key) ?? 0;
    if (failed < Number(url.searchParams.get("times") ?? 0)) {
      failures.set(key, failed + 1);
      fail(url, response);
      return;
    }
    const [, name = ""] = url.pathname.split("/");
    const handler = HANDLERS[name] ?? HANDLERS.echo;
    await handler?.({ url, body, request, response }, started);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const started: ToolServer = {
    port: typeof address === "object" ? (address?.port ?? 0) : 0,
    requests: [],
    tokens: newTokenEndpoint(),
    mostAtOnce: () => most,
    open: () => open,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return started;
}

/** `?fail=<name>&times=<n>` fails the first n requests of that name, with `status` or by hanging up. */
function fail(url: URL, response: ServerResponse): void {
  const status = Number(url.searchParams.get("status") ?? 0);
  const retryAfter = url.searchParams.get("retry_after");
  if (status === 0) response.socket?.destroy();
  else {
    const headers = retryAfter === null ? {} : { "retry-after": retryAfter };
    response.writeHead(status, headers).end("try again");
  }
}

const json = (response: ServerResponse, value: unknown, status = 200) =>
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));

const HANDLERS: Readonly<Record<string, Handler>> = {
  echo: ({ url, body, request, response }) =>
    json(response, {
      method: request.method,
      url: url.pathname + url.search,
      headers: request.headers,
      body,
    }),
  answer: ({ url, response }) => {
    const type = url.searchParams.get("type");
    const headers = type === null ? {} : { "content-type": type };
    const encoding = url.searchParams.get("encoding") === "latin1" ? "latin1" : "utf8";
    response
      .writeHead(Number(url.searchParams.get("code") ?? 200), headers)
      .end(Buffer.from(url.searchParams.get("body") ?? "", encoding));
  },
  redirect: ({ url, response }) =>
    response
      .writeHead(Number(url.searchParams.get("code") ?? 302), { location: url.searchParams.get("to") ?? "/" })
      .end(),
  bomb: ({ url, response }) => {
    const encoding = url.searchParams.get("encoding") ?? "gzip";
    const packed = encoding === "br" ? brotliCompressSync(BOMB, FAST) : gzipSync(BOMB);
    response.writeHead(200, { "content-type": "text/plain", "content-encoding": encoding }).end(packed);
  },
  deep: ({ response }) =>
    response
      .writeHead(200, { "content-type": "application/json" })
      .end("[".repeat(90_000) + "]".repeat(90_000)),
  hang: () => undefined,
  drip: ({ response }) => {
    response.writeHead(200, { "content-type": "text/plain" });
    const timer = setInterval(() => response.write("."), 20);
    response.on("close", () => clearInterval(timer));
  },
  forever: ({ response }) => {
    response.writeHead(200, { "content-type": "text/plain" });
    const more = () => {
      while (!response.destroyed && response.write("x".repeat(16_384))) {}
    };
    response.on("drain", more);
    more();
  },
  slow: async ({ url, response }) => {
    await new Promise((resolve) => setTimeout(resolve, Number(url.searchParams.get("ms") ?? 50)));
    json(response, { done: true });
  },
  /** For whoever has a token of the token endpoint's. */
  protected: ({ request, response }, { tokens }) => {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
    if (tokens.valid.has(token)) json(response, { stock: 7, yourToken: token });
    else response.writeHead(401, { "www-authenticate": 'Bearer error="invalid_token"' }).end();
  },
};
