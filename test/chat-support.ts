import {
  type OpenaiSimulator,
  simulatorKey,
  startOpenaiSimulator,
} from "./simulators/openai/openai-simulator.ts";
import { hex, newWorld, startTestServer, type TestParts, type TestServer, type World } from "./support.ts";

/** A server whose language model is scripted by the test. */
export interface ChatServer extends TestServer {
  model: OpenaiSimulator;
}

let shared: Promise<ChatServer> | undefined;

/** One for all files of a worker; scripts are the model's, so tests that use it run one after the other. */
export function chatServer(): Promise<ChatServer> {
  shared ??= startChatServer();
  return shared;
}

export async function startChatServer(
  settings: Record<string, string> = {},
  parts: TestParts = {},
): Promise<ChatServer> {
  const model = await startOpenaiSimulator();
  const server = await startTestServer(
    {
      LLM_PROVIDER: "openai-compatible",
      LLM_BASE_URL: `${model.url}/v1`,
      LLM_API_KEY: simulatorKey,
      LLM_MODEL: "gpt-4o-mini",
      ...settings,
    },
    parts,
  );
  return {
    ...server,
    model,
    async close() {
      await server.close();
      await model.close();
    },
  };
}

/** A workspace with texts in it, and ways to ask it. */
export interface ChatWorld extends World {
  path: string;
  /** The answer, or the error. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers as a client without types does
  ask(message: string, more?: object): Promise<any>;
  stream(message: string, more?: object): Promise<Streamed>;
  set(settings: object): Promise<void>;
}

export interface Streamed {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests read events as a client without types does
  events: any[];
  text: string;
  raw: string;
}

export async function newChatWorld(
  server: TestServer,
  texts: Readonly<Record<string, string>> = {},
  settings?: object,
): Promise<ChatWorld> {
  const world = await newWorld(server);
  const path = `/v1/workspace/${hex(world.workspaceSlug)}`;
  for (const [title, textContent] of Object.entries(texts)) {
    const added = await world.api.post(`/v1/org/${hex(world.orgSlug)}/document/raw-text?wait=60`, {
      textContent,
      metadata: { title },
      addToWorkspaces: world.workspaceSlug,
    });
    if (added.status !== 200) throw new Error(JSON.stringify(added.body));
  }
  const set = async (changed: object) => {
    const done = await world.api.post(`${path}/update`, changed);
    if (done.status !== 200) throw new Error(JSON.stringify(done.body));
  };
  if (settings !== undefined) await set(settings);
  return {
    ...world,
    path,
    set,
    ask: async (message, more = {}) => {
      const { status, body } = await world.api.post(`${path}/chat`, { message, ...more });
      return { status, ...body };
    },
    stream: (message, more = {}) => streamOf(server, world, `${path}/stream-chat`, { message, ...more }),
  };
}

/** Reads a stream to its end. */
export async function streamOf(
  server: TestServer,
  world: World,
  path: string,
  body: object,
  signal?: AbortSignal,
): Promise<Streamed> {
  const response = await openStream(server, world, path, body, signal);
  const raw = await response.text();
  const events = raw
    .split("\n")
    .filter((line) => line.startsWith("data: ") && line !== "data: [DONE]")
    .map((line) => JSON.parse(line.slice(6)));
  const text = events.map(({ textResponse }) => textResponse ?? "").join("");
  return { status: response.status, events, text, raw };
}

export function openStream(
  server: TestServer,
  world: World,
  path: string,
  body: object,
  signal?: AbortSignal,
): Promise<Response> {
  return fetch(`${server.url}/api${path}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${world.partner.key}`,
      "x-account-id": world.accountId,
      "content-type": "application/json",
    },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** Tries until it is so. */
export async function until(isSo: () => boolean | Promise<boolean>, withinMs = 5_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error("it did not come to be");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
