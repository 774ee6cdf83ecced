import { chmod, open, rm } from "node:fs/promises";
import { createServer, request } from "node:http";
import { basename, dirname, join } from "node:path";
import { json } from "node:stream/consumers";
import type { CommandInput } from "./command-input.ts";
import { commands } from "./commands.ts";
import { ConfigError } from "./config.ts";
import type { App } from "./context.ts";
import { Problem } from "./http/problem.ts";

/** What came of a command that a running server carried out. */
export type ControlAnswer = { result: unknown } | { problem: string };

/** A socket's path is limited to 107 bytes; a longer one is reached through its folder's descriptor. */
const SOCKET_PATH_MAX = 100;

/**
 * The embedded database has one owner, so the command line asks it: over `DATA_DIR/control.sock`, which only the
 * folder's owner can reach (folder 0700, socket 0600).
 *
 * @returns the function that closes it
 */
export async function openControlSocket(app: App): Promise<() => Promise<void>> {
  const server = createServer(async (incoming, response) => {
    const answer = await carryOut(app, incoming.url ?? "", await json(incoming).catch(() => ({})));
    response.setHeader("content-type", "application/json").end(JSON.stringify(answer));
  });
  const file = socketFile(app.config.dataDir);
  // Whoever holds the lock of the folder owns the socket: a file that is left here is a dead process's.
  await rm(file, { force: true });
  await withShortPath(file, async (path) => {
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(path, resolve));
    await chmod(path, 0o600);
  });
  return async () => {
    await new Promise((resolve) => server.close(resolve));
    await rm(file, { force: true });
  };
}

/** Asks the server that owns `dataDir`. `undefined`: none is running there. */
export async function askControlSocket(
  dataDir: string,
  name: string,
  input: CommandInput,
): Promise<ControlAnswer | undefined> {
  return withShortPath(
    socketFile(dataDir),
    (socketPath) =>
      new Promise<ControlAnswer | undefined>((resolve, reject) => {
        const outgoing = request(
          { socketPath, method: "POST", path: `/${encodeURIComponent(name)}` },
          (incoming) => {
            json(incoming).then((answer) => resolve(asControlAnswer(answer)), reject);
          },
        );
        outgoing.on("error", (error) => {
          const nobody = "code" in error && (error.code === "ENOENT" || error.code === "ECONNREFUSED");
          if (nobody) resolve(undefined);
          else reject(error);
        });
        outgoing.end(JSON.stringify(input));
      }),
  );
}

async function carryOut(app: App, url: string, input: unknown): Promise<ControlAnswer> {
  const name = decodeName(url);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined)
    return { problem: `The running server does not know "${name}"; it may be older. Restart it.` };
  try {
    return { result: await command.run(app, { ...Object(input) }) };
  } catch (error) {
    if (error instanceof Problem || error instanceof ConfigError) return { problem: error.message };
    app.log.error({ error, command: name }, "a command failed");
    return { problem: "The server could not do it; its log says why." };
  }
}

/** Empty when it is no name at all: whatever is sent here must not end the server. */
function decodeName(url: string): string {
  try {
    return decodeURIComponent(url.slice(1));
  } catch {
    return "";
  }
}

function socketFile(dataDir: string): string {
  return join(dataDir, "control.sock");
}

async function withShortPath<T>(file: string, use: (path: string) => Promise<T>): Promise<T> {
  if (Buffer.byteLength(file) <= SOCKET_PATH_MAX || process.platform !== "linux") return use(file);
  const folder = await open(dirname(file), "r");
  try {
    return await use(`/proc/self/fd/${folder.fd}/${basename(file)}`);
  } finally {
    await folder.close();
  }
}

/** Written by {@link carryOut} of the same version, or of one that the command line says to restart. */
function asControlAnswer(answer: unknown): ControlAnswer {
  return answer as ControlAnswer;
}
