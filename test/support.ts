import { once } from "node:events";
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import pino from "pino";
import { openApp } from "../src/app.ts";
import { jobHandlers } from "../src/areas.ts";
import { readConfig } from "../src/config.ts";
import type { App } from "../src/context.ts";
import type { Caller } from "../src/http/caller.ts";
import type { Operation } from "../src/http/operation.ts";
import { encodeSlug } from "../src/http/schemas.ts";
import { type JobHandler, startWorker } from "../src/jobs/worker.ts";
import { createKey, type NewKey } from "../src/partners/keys.service.ts";
import { createPartner } from "../src/partners/partners.service.ts";
import { createGuardedFetch, type GuardedFetch } from "../src/providers/guarded-fetch.ts";
import { buildServer } from "../src/server.ts";
import { createWebhookFetch } from "../src/webhook-fetch.ts";
import { startDeliverer } from "../src/webhooks/deliverer.ts";
import { startWhatsAppAnswers } from "../src/whatsapp/answer.ts";
import { startWhatsAppInbox } from "../src/whatsapp/inbox-worker.ts";

/** A real server on a free port, with a real database: PGlite, or PostgreSQL when `TEST_DATABASE_URL` is set. */
export interface TestServer {
  app: App;
  url: string;
  close(): Promise<void>;
}

const TEST_LOGIN = "lumenone_test";
const SECRET_KEY = "only-for-tests-0123456789abcdef0123456789";

let shared: Promise<TestServer> | undefined;

/** The server that all test files of this worker share. Make your own partner with {@link newPartner}. */
export function testServer(): Promise<TestServer> {
  shared ??= startTestServer();
  return shared;
}

/** What a test puts in the place of the usual parts. */
export interface TestParts {
  jobHandlers?: Readonly<Record<string, JobHandler>>;
  eraseSteps?: App["eraseSteps"];
  operations?: readonly Operation[];
  channelSenders?: App["channelSenders"];
  callWaits?: App["callWaits"];
  numberLink?: App["numberLink"];
  /** Reaches what the usual one refuses, such as loopback. */
  fetchPublic?: GuardedFetch;
  /** `false`: nothing sends webhooks, so that a test can. */
  deliverer?: false;
  /** Of the answers on WhatsApp; `false`: nobody answers, so that a test can. */
  whatsapp?: Parameters<typeof startWhatsAppAnswers>[1] | false;
  /** Is given every line that is logged. */
  onLog?: (line: string) => void;
}

/** A server of one's own, for tests that change its settings or end it. */
export async function startTestServer(
  environment: Record<string, string> = {},
  parts: TestParts = {},
): Promise<TestServer> {
  const config = readConfig({
    ...(environment.DATA_DIR === undefined ? await testDatabase() : {}),
    LOG_LEVEL: "silent",
    BOOTSTRAP: "none",
    PORT: "0",
    ...environment,
  });
  const stopping = new AbortController();
  const { app: opened, close } = await openApp(config, {
    log: pino({ level: config.logLevel }, { write: parts.onLog ?? (() => undefined) }),
    onFatal: (error) => {
      throw error;
    },
  });
  // Whatever a test or chance names as a link, nobody outside is called: every name leads to this machine, and is refused.
  const fetchPublic =
    parts.fetchPublic ?? createGuardedFetch({ resolve: async () => [{ address: "127.0.0.1", family: 4 }] });
  const fetchWebhook = createWebhookFetch(config, {
    resolve: async () => [{ address: "127.0.0.1", family: 4 }],
  });
  const app = {
    ...opened,
    fetchPublic,
    fetchWebhook,
    eraseSteps: parts.eraseSteps ?? opened.eraseSteps,
    channelSenders: parts.channelSenders ?? opened.channelSenders,
    callWaits: parts.callWaits ?? opened.callWaits,
    numberLink: parts.numberLink ?? opened.numberLink,
  };
  const worker = startWorker(app, parts.jobHandlers ?? jobHandlers);
  const deliverer = parts.deliverer === false ? undefined : startDeliverer(app);
  const whatsappInbox = app.messenger === null ? undefined : startWhatsAppInbox(app);
  const whatsappAnswers = parts.whatsapp === false ? undefined : startWhatsAppAnswers(app, parts.whatsapp);
  const server = await buildServer(app, stopping.signal, parts.operations);
  await server.listen({ host: "127.0.0.1", port: 0 });
  return {
    app,
    url: `http://127.0.0.1:${portOf(server.server.address())}`,
    async close() {
      stopping.abort();
      app.queue.stopWaiting();
      await server.close();
      await worker.stop();
      await deliverer?.stop();
      await whatsappInbox?.stop();
      await whatsappAnswers?.stop();
      await close();
    },
  };
}

/** Settings that point a process at an empty database of its own. */
export async function testDatabase(): Promise<Record<string, string>> {
  const dataDir = await temporaryFolder();
  const admin = process.env.TEST_DATABASE_URL;
  if (admin === undefined || admin === "") return { DATA_DIR: dataDir, SECRET_KEY };
  const name = `lumenone_test_${process.pid}_${Math.random().toString(36).slice(2, 10)}`;
  const client = new pg.Client({ connectionString: admin });
  await client.connect();
  await client.query(`do $$ begin create role ${TEST_LOGIN} login createrole;
    exception when duplicate_object or unique_violation then null; end $$`);
  await client.query(`create database ${name} owner ${TEST_LOGIN}`);
  await client.end();
  const url = new URL(admin);
  url.username = TEST_LOGIN;
  url.password = "";
  url.pathname = `/${name}`;
  return { DATA_DIR: dataDir, DATABASE_URL: url.href, SECRET_KEY };
}

const temporaryFolders = new Set<string>();
process.on("exit", () => {
  for (const folder of temporaryFolders) rmSync(folder, { recursive: true, force: true });
});

/** Removed when this process ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "lumenone-test-"));
  temporaryFolders.add(folder);
  return folder;
}

/** A partner with a key that may do everything. */
export interface TestPartner {
  id: string;
  key: string;
}

export async function newPartner(app: App, name = "Partner"): Promise<TestPartner> {
  const { id } = await createPartner(app, name);
  return { id, key: await newKey(app, id) };
}

export async function newKey(app: App, partnerId: string, wanted: NewKey = {}): Promise<string> {
  const { key } = await createKey(app, operator(partnerId), wanted);
  return key;
}

export function operator(partnerId: string): Caller {
  return { partnerId, actor: { kind: "superadmin", id: null }, requestId: "test" };
}

/** An answer as a client sees it. */
export interface Reply {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers as a client without types does
  body: any;
}

export interface Client {
  get(path: string): Promise<Reply>;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
  patch(path: string, body: unknown, headers?: Record<string, string>): Promise<Reply>;
  delete(path: string, body?: unknown): Promise<Reply>;
}

/** Calls the API below `/api` with a key and, when given, an account. */
export function client(url: string, key: string, accountId?: string): Client {
  const call =
    (method: string) =>
    (path: string, body?: unknown, headers: Record<string, string> = {}) =>
      send(
        url,
        method,
        path,
        {
          authorization: `Bearer ${key}`,
          ...(accountId === undefined ? {} : { "x-account-id": accountId }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        body === undefined ? undefined : JSON.stringify(body),
      );
  return { get: call("GET"), post: call("POST"), patch: call("PATCH"), delete: call("DELETE") };
}

/** One request, as raw as it must be. */
export async function send(
  url: string,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: string | Uint8Array<ArrayBuffer>,
): Promise<Reply> {
  const response = await fetch(`${url}/api${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  const json = response.headers.get("content-type")?.startsWith("application/json") ?? false;
  return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text };
}

/** An account with an organization and a workspace in it, of a partner made for this. */
export interface World {
  partner: TestPartner;
  accountId: string;
  /** Original slugs; `hex` makes them fit for a path. */
  orgSlug: string;
  workspaceSlug: string;
  organizationId: number;
  workspaceId: number;
  api: Client;
}

export async function newWorld(server: TestServer, partner?: TestPartner): Promise<World> {
  const owner = partner ?? (await newPartner(server.app));
  const account = await client(server.url, owner.key).post("/v1/accounts", { name: "Acme" });
  const accountId = account.body.account.id;
  const api = client(server.url, owner.key, accountId);
  const org = (await api.post("/v1/orgs", { name: "Acme" })).body.organization;
  const workspace = (await api.post(`/v1/org/${org.slug}/workspaces`, { name: "Support" })).body.workspace;
  return {
    partner: owner,
    accountId,
    orgSlug: org.originalSlug,
    workspaceSlug: workspace.originalSlug,
    organizationId: org.id,
    workspaceId: workspace.id,
    api,
  };
}

export const hex = encodeSlug;

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("the test server has no port");
  return address.port;
}

/** A port that nobody listens on now, for a server whose address others must know before it starts. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  if (typeof address !== "object" || address === null) throw new Error("there is no free port");
  return address.port;
}
