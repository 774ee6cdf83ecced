import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** Stands between a server and its database, so that a test can cut, freeze, watch or change what passes. */
export interface TcpProxy {
  port: number;
  /** How many connections were ever asked for. */
  readonly asked: number;
  /** Frontend messages that carried a statement (`Q`, or `E` for execute), as PostgreSQL's protocol counts them. */
  readonly statements: number;
  /** Ends every connection and refuses new ones, until {@link TcpProxy.mend}. */
  cut(): void;
  mend(): void;
  /** Bytes stop flowing, connections stay. */
  freeze(): void;
  thaw(): void;
  close(): Promise<void>;
}

/** @param change is applied to what the server sends to the database; it must keep the length */
export async function tcpProxy(
  target: { host: string; port: number },
  change: (bytes: Buffer) => Buffer = (bytes) => bytes,
): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let isCut = false;
  let frozen = false;
  let asked = 0;
  let statements = 0;

  const server = createServer((near) => {
    asked += 1;
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect(target);
    near.setNoDelay(true);
    far.setNoDelay(true);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
      if (frozen) socket.pause();
    }
    near.on("data", (bytes: Buffer) => {
      statements += countStatements(bytes);
      far.write(change(bytes));
    });
    far.on("data", (bytes: Buffer) => near.write(bytes));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");

  return {
    port: address.port,
    get asked() {
      return asked;
    },
    get statements() {
      return statements;
    },
    cut() {
      isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    mend() {
      isCut = false;
    },
    freeze() {
      frozen = true;
      for (const socket of sockets) socket.pause();
    },
    thaw() {
      frozen = false;
      for (const socket of sockets) socket.resume();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Good enough for counting: our statements are far smaller than a packet, so that each chunk begins with a message. */
function countStatements(bytes: Buffer): number {
  let count = 0;
  for (let at = 0; at + 5 <= bytes.length; ) {
    const type = String.fromCharCode(bytes.readUInt8(at));
    if (!/[A-Za-z]/.test(type)) break;
    if (type === "Q" || type === "E") count += 1;
    at += 1 + bytes.readUInt32BE(at + 1);
  }
  return count;
}
