import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import {
  StreamableHTTPClientTransport,
  StreamableHTTPError,
} from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { App } from "../context.ts";
import { createMcpFetch, currentExchange, type McpExchange } from "./mcp-fetch.ts";
import type { McpTool } from "./tools.schemas.ts";
import { unlessAborted } from "./unless-aborted.ts";

export type McpServer = {
  /** The tool in one version of its definition and secrets: nobody else's calls go over its session. */
  key: string;
  mcp: McpTool;
  fetchPublic: App["fetchPublic"];
};

export type McpClients = {
  /** Runs `work` on the server's session, opening one when there is none, and once more when the server has ended it. */
  use<T>(server: McpServer, exchange: McpExchange, work: (client: Client) => Promise<T>): Promise<T>;
  close(): Promise<void>;
};

type Session = {
  client: Client;
  transport: StreamableHTTPClientTransport;
  users: number;
  /** At least once: until then it belongs to who asked for it. */
  used: boolean;
  idle: NodeJS.Timeout | undefined;
};

const CONNECT_TIMEOUT_MS = 10_000;
const IDLE_MS = 300_000;
const SESSIONS_MAX = 200;
const CLOSE_TIMEOUT_MS = 2_000;

/** @param options.idleMs after so long without a call a session is ended, at the server too */
export function createMcpClients(options: { version: string; idleMs?: number }): McpClients {
  const sessions = new Map<string, Promise<Session>>();
  /** What ends those that nobody uses now, the one that rests longest first. */
  const resting = new Map<string, () => void>();

  function sessionOf(server: McpServer): Promise<Session> {
    const known = sessions.get(server.key);
    const opening = known ?? openSession(server, options.version);
    if (known === undefined) {
      sessions.set(server.key, opening);
      opening.then(
        // Those who asked for it may all have left meanwhile.
        (session) => rest(server.key, opening, session),
        () => forget(server.key, opening),
      );
    }
    return opening;
  }

  function forget(key: string, opening: Promise<Session>): void {
    if (sessions.get(key) === opening) sessions.delete(key);
  }

  function rest(key: string, opening: Promise<Session>, session: Session): void {
    if (session.users > 0) return;
    const end = () => {
      if (resting.get(key) === end) resting.delete(key);
      forget(key, opening);
      void endSession(session);
    };
    clearTimeout(session.idle);
    // Nobody will find it again.
    if (sessions.get(key) !== opening) {
      end();
      return;
    }
    session.idle = setTimeout(end, options.idleMs ?? IDLE_MS).unref();
    if (!session.used) return;
    resting.delete(key);
    resting.set(key, end);
    const [endLongest] = resting.values();
    if (sessions.size > SESSIONS_MAX) endLongest?.();
  }

  async function use<T>(
    server: McpServer,
    exchange: McpExchange,
    work: (client: Client) => Promise<T>,
    tries = 2,
  ): Promise<T> {
    const opening = sessionOf(server);
    const session = await unlessAborted(exchange.signal, opening);
    clearTimeout(session.idle);
    resting.delete(server.key);
    session.users += 1;
    session.used = true;
    try {
      return await exchangeWith(exchange, () => work(session.client));
    } catch (error) {
      if (!isOver(session, error)) throw error;
      forget(server.key, opening);
      if (tries === 1) throw error;
    } finally {
      session.users -= 1;
      rest(server.key, opening, session);
    }
    // The server did not look at the request, so it may be sent again whatever it does.
    return await use(server, exchange, work, tries - 1);
  }

  return {
    use,
    async close() {
      const opened = await Promise.allSettled(sessions.values());
      sessions.clear();
      resting.clear();
      await Promise.all(
        opened.map((one) => (one.status === "fulfilled" ? endSession(one.value) : undefined)),
      );
    },
  };
}

async function openSession({ mcp, fetchPublic }: McpServer, version: string): Promise<Session> {
  const client = new Client({ name: "LumenOne", version }, { capabilities: {} });
  const transport = new StreamableHTTPClientTransport(new URL(mcp.url), {
    fetch: createMcpFetch(fetchPublic, mcp.headers),
  });
  // The session is everybody's, so the one who asked first must not end with it what the others wait for.
  await currentExchange.exit(() => client.connect(transport, { timeout: CONNECT_TIMEOUT_MS }));
  return { client, transport, users: 0, used: false, idle: undefined };
}

/** Best effort: a server that is gone has no session to end. */
async function endSession({ client, transport, idle }: Session): Promise<void> {
  clearTimeout(idle);
  await withinTime(transport.terminateSession());
  await client.close().catch(() => undefined);
}

async function withinTime(work: Promise<void>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
  await Promise.race([work.catch(() => undefined), late]);
  clearTimeout(timer);
}

async function exchangeWith<T>(exchange: McpExchange, work: () => Promise<T>): Promise<T> {
  exchange.signal.throwIfAborted();
  const broken = Promise.withResolvers<never>();
  exchange.onBroken = broken.reject;
  return await unlessAborted(
    exchange.signal,
    Promise.race([currentExchange.run(exchange, work), broken.promise]),
  );
}

/**
 * A server answers 404 to a request whose session it has ended (MCP, session management), and many answer 400, after
 * which a new one is to be opened.
 */
function isOver({ transport }: Session, error: unknown): boolean {
  const refused = error instanceof StreamableHTTPError && (error.code === 404 || error.code === 400);
  return refused && transport.sessionId !== undefined;
}
