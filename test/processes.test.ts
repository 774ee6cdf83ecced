import { existsSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, describe, expect, test } from "vitest";
import {
  endLeftovers,
  launchServer,
  lumenone,
  type ServerProcess,
  startProcess,
  waitUntil,
} from "./fault/process.ts";
import { type TcpProxy, tcpProxy } from "./fault/tcp-proxy.ts";
import { client, hex, send, testDatabase } from "./support.ts";

const onPostgres = (process.env.TEST_DATABASE_URL ?? "") !== "";
const TIMEOUT_MS = 180_000;

type Settings = Record<string, string>;

interface Bootstrap {
  partner_id: string;
  api_key: string;
  account_id: string;
  org_slug: string;
  workspace_slug: string;
  base_url: string;
}

afterAll(endLeftovers);

describe("a server process", { timeout: TIMEOUT_MS }, async () => {
  const settings = await testDatabase();
  const dataDir = settings.DATA_DIR ?? "";

  test("with BOOTSTRAP=none makes nothing", async () => {
    const bare: Settings = { ...settings, BOOTSTRAP: "none" };
    const server = await startProcess(bare);
    expect(existsSync(join(dataDir, "bootstrap.json"))).toBe(false);
    expect(await lumenone(["partners", "list", "--json"], bare)).toMatchObject({ code: 0, stdout: "[]\n" });
    expect((await server.stop("SIGINT")).code).toBe(0);
  });

  test("says in one line where it is, and in bootstrap.json how to use it", async () => {
    const server = await startProcess(settings);
    const lines = server.output.stdout.split("\n").filter((line) => line.startsWith("LumenOne"));
    expect(lines).toEqual([
      `LumenOne is ready at ${server.url} · reference: ${server.url}/docs · first request: ` +
        `curl -H "Authorization: Bearer <api_key in ${dataDir}/bootstrap.json>" ${server.url}/api/v1/auth`,
    ]);
    const made = await readBootstrap(dataDir);
    expect(made).toEqual({
      partner_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      api_key: expect.stringMatching(/^lum_/),
      account_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      org_slug: "acme",
      workspace_slug: "support",
      base_url: server.url,
    });
    expect(modeOf(join(dataDir, "bootstrap.json"))).toBe("600");
    expect(modeOf(dataDir)).toBe("700");

    const api = client(server.url, made.api_key, made.account_id);
    expect(await api.get("/v1/auth")).toMatchObject({ status: 200, body: { authenticated: true } });
    expect((await api.get(`/v1/workspace/${hex(made.workspace_slug)}`)).status).toBe(200);
    expect((await api.get(`/v1/org/${hex(made.org_slug)}`)).status).toBe(200);
    await expectHealthy(server);
    expect((await server.stop()).code).toBe(0);
  });

  test("started again makes no second demo, and stops at once although connections stand idle", async () => {
    const before = await readFile(join(dataDir, "bootstrap.json"), "utf8");
    const server = await startProcess(settings);
    expect(server.output.stdout).toContain("<api key>");
    expect(await readFile(join(dataDir, "bootstrap.json"), "utf8")).toBe(before);

    const agent = new Agent({ keepAlive: true });
    await Promise.all(Array.from({ length: 5 }, () => ask(server, agent)));
    const started = performance.now();
    const { code, stderr } = await server.stop();
    agent.destroy();
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(performance.now() - started).toBeLessThan(4_000);
  });

  test("told to stop answers what it has begun to read, then ends", async () => {
    const server = await startProcess(settings);
    const { api_key: key } = await readBootstrap(dataDir);
    const body = JSON.stringify({ name: "Sent in two halves" });
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    let answer = "";
    socket.on("data", (chunk: Buffer) => {
      answer += chunk.toString();
    });
    socket.write(
      `POST /api/v1/accounts HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\n` +
        `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body.slice(0, 10)}`,
    );
    await sleep(300);
    const started = performance.now();
    const ended = server.stop();
    await sleep(300);
    socket.write(body.slice(10));
    expect((await ended).code).toBe(0);
    expect(performance.now() - started).toBeLessThan(4_000);
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    expect(answer).toContain("Sent in two halves");
  });

  test("told to stop under load answers every request it took", async () => {
    const server = await startProcess(settings);
    const { api_key: key } = await readBootstrap(dataDir);
    const agent = new Agent({ keepAlive: true, maxSockets: 16 });
    const outcomes: (number | string)[] = [];
    let going = true;
    const loops = Array.from({ length: 16 }, async () => {
      while (going) {
        const outcome = await post(server, agent, key, { name: "Load" });
        outcomes.push(outcome);
        if (typeof outcome === "string") return;
      }
    });
    await waitUntil("some were answered", 20_000, () => outcomes.length > 100);
    const started = performance.now();
    const { code } = await server.stop();
    going = false;
    await Promise.all(loops);
    agent.destroy();
    expect(code).toBe(0);
    expect(performance.now() - started).toBeLessThan(9_000);
    // Whoever was not served could not connect any more, or its idle connection was closed under its hands.
    expect(
      outcomes.filter((outcome) => outcome !== 200 && outcome !== "ECONNREFUSED" && outcome !== "ECONNRESET"),
    ).toEqual([]);
    expect(outcomes.filter((outcome) => outcome === "ECONNRESET").length).toBeLessThanOrEqual(16);
  });

  test.runIf(!onPostgres)("keeps others from its folder, until it ends or is killed", async () => {
    const first = await startProcess(settings);
    const { api_key: key } = await readBootstrap(dataDir);
    const contenders = await Promise.all(Array.from({ length: 3 }, () => launchServer(settings).ended));
    for (const { code, stdout, stderr } of contenders) {
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toBe(
        `LumenOne cannot start. ${dataDir} is in use by process ${first.pid}. Stop that process, set ` +
          "DATA_DIR to another folder, or set DATABASE_URL to run several processes.\n",
      );
    }
    expect((await client(first.url, key).post("/v1/accounts", { name: "Still there" })).status).toBe(200);
    await first.stop("SIGKILL");

    const second = await startProcess(settings);
    const { body } = await client(second.url, key).get("/v1/accounts");
    expect(body.accounts[0].name).toBe("Still there");
    expect((await second.stop()).code).toBe(0);
  });

  test("says so when its port is taken", async () => {
    const other = createServer();
    const port = await new Promise<number>((resolve) => {
      other.listen(0, "127.0.0.1", () => resolve(Object(other.address()).port));
    });
    const { code, stdout, stderr } = await launchServer({ ...settings, PORT: String(port) }).ended;
    other.close();
    expect(code).toBe(1);
    expect(stdout).not.toContain("ready");
    expect(stderr).toBe(
      `LumenOne cannot start. Another process listens on 127.0.0.1:${port}. Set PORT to a free one.\n`,
    );
  });

  test("says so when its settings contradict each other, before it touches anything", async () => {
    const { code, stdout, stderr } = await launchServer({
      DATA_DIR: join(dataDir, "never-made"),
      DATABASE_URL: "postgres://nobody@127.0.0.1:1/none",
    }).ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^LumenOne cannot start\. DATABASE_URL needs SECRET_KEY[^\n]+\n$/);
    expect(existsSync(join(dataDir, "never-made"))).toBe(false);
  });

  test("says so when its folder cannot be made", async () => {
    const { code, stderr } = await launchServer({
      ...settings,
      DATA_DIR: join(dataDir, "bootstrap.json", "x"),
    }).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^LumenOne cannot start\. DATA_DIR [^\n]+ cannot be used: [^\n]+\n$/);
  });
});

describe.runIf(!onPostgres)("the embedded database", { timeout: TIMEOUT_MS }, () => {
  test("is never half made, whenever the first start is killed", async () => {
    const settings = await testDatabase();
    for (const afterMs of [250, 700, 1_100, 1_500, 2_000, 2_600]) {
      const start = launchServer(settings);
      await sleep(afterMs);
      start.kill();
      await start.ended;
    }
    const server = await startProcess(settings);
    await expectHealthy(server);
    const { api_key: key } = await readBootstrap(settings.DATA_DIR ?? "");
    expect((await client(server.url, key).get("/v1/auth")).status).toBe(200);
    expect((await server.stop()).code).toBe(0);
  });
});

describe.runIf(onPostgres)("several processes on one PostgreSQL", { timeout: TIMEOUT_MS }, () => {
  test("start and migrate at the same moment: all are ready, and the demo is made once", async () => {
    const database = await testDatabase();
    const all = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const settings = { ...(await testDatabase()), ...pick(database, "DATABASE_URL") };
        return { settings, server: await startProcess(settings) };
      }),
    );
    await Promise.all(all.map(({ server }) => expectHealthy(server)));
    const written = all.filter(({ settings }) => existsSync(join(settings.DATA_DIR ?? "", "bootstrap.json")));
    expect(written).toHaveLength(1);
    const { api_key: key } = await readBootstrap(written[0]?.settings.DATA_DIR ?? "");
    for (const { server } of all) expect((await client(server.url, key).get("/v1/auth")).status).toBe(200);
    const partners = await lumenone(["partners", "list", "--json"], database);
    expect(JSON.parse(partners.stdout)).toHaveLength(1);
    expect((await Promise.all(all.map(({ server }) => server.stop()))).map(({ code }) => code)).toEqual([
      0, 0, 0, 0,
    ]);
  });

  test("start at the same moment on several new databases with a login that has no roles yet", async () => {
    const admin = await adminClient();
    const login = `lumenone_fresh_${process.pid}`;
    await admin.query(`create role ${login} login createrole`);
    const databases = await Promise.all(Array.from({ length: 4 }, () => testDatabase()));
    for (const { DATABASE_URL: url = "" } of databases) {
      await admin.query(`alter database ${new URL(url).pathname.slice(1)} owner to ${login}`);
    }
    const results = await Promise.all(
      databases.map((settings) =>
        lumenone(["partners", "list", "--json"], {
          ...settings,
          DATABASE_URL: (settings.DATABASE_URL ?? "").replace("lumenone_test@", `${login}@`),
        }),
      ),
    );
    for (const { DATABASE_URL: url = "" } of databases) {
      await admin.query(`drop database ${new URL(url).pathname.slice(1)}`);
    }
    await admin.query(`drop role ${login}`);
    await admin.end();
    expect(results).toEqual(Array(4).fill({ code: 0, stdout: "[]\n", stderr: "" }));
  });

  test.each(["superuser", "bypassrls"])("refuse to start with a login that is %s", async (right) => {
    const admin = await adminClient();
    const login = `lumenone_unsafe_${right}_${process.pid}`;
    await admin.query(`create role ${login} login createrole ${right}`);
    const settings = await testDatabase();
    const url = (settings.DATABASE_URL ?? "").replace("lumenone_test@", `${login}@`);
    const { code, stdout, stderr } = await launchServer({ ...settings, DATABASE_URL: url }).ended;
    const tables = await queryDatabase(settings, "select from pg_tables where schemaname = 'public'");
    await admin.query(`drop role ${login}`);
    await admin.end();
    expect({ code, stdout, tables }).toEqual({ code: 1, stdout: "", tables: [] });
    expect(stderr).toBe(
      `LumenOne cannot start. DATABASE_URL logs in as "${login}", which is a superuser or has BYPASSRLS, so that ` +
        "row-level security would not hold. Use a login made by: create role lumenone login createrole password '…'.\n",
    );
  });

  test.each([
    ["does not answer", () => "postgres://lumenone@127.0.0.1:1/none", /cannot be used: .*ECONNREFUSED/],
    ["does not exist", (url: string) => `${url}_none`, /cannot be used: .*does not exist/],
  ])("say so when the database %s", async (_what, change, sentence) => {
    const settings = await testDatabase();
    const { code, stderr } = await launchServer({
      ...settings,
      DATABASE_URL: change(settings.DATABASE_URL ?? ""),
    }).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(sentence);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  test("a waiting DELETE and an open stream end at once when the process is told to stop", async () => {
    const settings: Settings = { ...(await testDatabase()), ROLES: "http" };
    const server = await startProcess(settings);
    const made = await readBootstrap(settings.DATA_DIR ?? "");
    const api = client(server.url, made.api_key, made.account_id);
    const waiting = [api.delete(`/v1/workspace/${hex("support")}`), api.delete(`/v1/org/${hex("acme")}`)];
    await sleep(600);
    const [job] = await queryDatabase<{ id: string }>(settings, "select id from jobs limit 1");
    const stream = send(server.url, "GET", `/v1/jobs/${job?.id}/events`, {
      authorization: `Bearer ${made.api_key}`,
    });
    await sleep(200);
    const started = performance.now();
    const ended = server.stop();
    const answers = await Promise.all(waiting);
    expect(performance.now() - started).toBeLessThan(1_500);
    for (const { status, body } of answers) {
      expect({ status, body }).toEqual({ status: 202, body: { success: true, job_id: expect.any(String) } });
    }
    expect((await stream).body).toContain('"status":"queued"');
    expect((await ended).code).toBe(0);
    expect(performance.now() - started).toBeLessThan(4_000);

    // Another process takes up what was promised.
    const next = await startProcess({ ...settings, ROLES: "http,worker" });
    await waitUntil("both jobs are done", 10_000, async () => {
      const [left] = await queryDatabase<{ n: number }>(
        settings,
        "select count(*)::int as n from jobs where status <> 'succeeded'",
      );
      return left?.n === 0;
    });
    expect((await next.stop()).code).toBe(0);
  });

  test("a process goes on answering while a newer one adds columns to its tables", async () => {
    const settings = await testDatabase();
    const server = await startProcess(settings);
    const made = await readBootstrap(settings.DATA_DIR ?? "");
    const api = client(server.url, made.api_key, made.account_id);
    const round = () =>
      Promise.all([
        ...Array.from({ length: 20 }, () => api.get(`/v1/workspace/${hex("support")}`)),
        ...Array.from({ length: 20 }, () => api.get("/v1/accounts")),
        ...Array.from({ length: 20 }, () => api.get("/v1/orgs")),
      ]);
    for (let i = 0; i < 3; i += 1) await round();
    await queryDatabase(
      settings,
      "alter table accounts add later text; alter table organizations add later text; alter table workspaces add later text",
    );
    const statuses = (await round()).map(({ status }) => status);
    // A read is asked again; one that is a part of something larger may be told to come back.
    expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]);
    expect((await round()).map(({ status }) => status)).toEqual(Array(60).fill(200));
    expect((await server.stop()).code).toBe(0);
  });
});

describe.runIf(onPostgres)("keys and accounts, in another process", { timeout: TIMEOUT_MS }, () => {
  const kinds: [string, (bytes: Buffer) => Buffer][] = [
    ["by notification", (bytes) => bytes],
    ["by asking alone, where notifications do not arrive", withoutListen],
  ];

  test.each(kinds)("a revocation and a suspension hold within a second, %s", async (_how, change) => {
    const { settings, proxy, behind } = await behindProxy(change);
    const other = await startProcess({ ...(await testDatabase()), ...pick(settings, "DATABASE_URL") });
    const {
      partner_id: partner,
      account_id: account,
      api_key: demo,
    } = await readBootstrap(settings.DATA_DIR ?? "");

    const delays: number[] = [];
    for (let i = 0; i < 3; i += 1) {
      const issued = await lumenone(["keys", "create", "--partner", partner, "--json"], settings);
      const { id, key } = JSON.parse(issued.stdout);
      const there = client(behind.url, key);
      for (let j = 0; j < 5; j += 1) expect((await there.get("/v1/auth")).status).toBe(200);
      const revoked = await lumenone(["keys", "revoke", id, "--partner", partner], settings);
      expect(revoked.code).toBe(0);
      delays.push(await timeUntil(async () => (await there.get("/v1/auth")).status === 403));
    }
    const here = client(other.url, demo);
    const there = client(behind.url, demo, account);
    for (let i = 0; i < 3; i += 1) {
      expect((await there.get("/v1/orgs")).status).toBe(200);
      expect((await here.post(`/v1/accounts/${account}/suspend`)).status).toBe(200);
      delays.push(
        await timeUntil(async () => (await there.get("/v1/orgs")).body.code === "account_suspended"),
      );
      expect((await here.post(`/v1/accounts/${account}/resume`)).status).toBe(200);
      delays.push(await timeUntil(async () => (await there.get("/v1/orgs")).status === 200));
    }
    expect(Math.max(...delays)).toBeLessThan(1_000);
    await Promise.all([behind.stop(), other.stop()]);
    await proxy.close();
  });

  test("memory is not trusted once the database cannot be asked, and the process comes back with it", async () => {
    const { settings, proxy, behind } = await behindProxy();
    const { api_key: key } = await readBootstrap(settings.DATA_DIR ?? "");
    const api = client(behind.url, key);
    expect((await api.get("/v1/auth")).status).toBe(200);

    // Bytes stop flowing: no answer may come from memory that is older than a second.
    proxy.freeze();
    await sleep(1_100);
    const frozen = api.get("/v1/auth").then(({ status }) => status);
    expect(await Promise.race([frozen, sleep(700, "no answer")])).toBe("no answer");
    proxy.thaw();
    expect(await frozen).toBe(200);

    // Connections break and are refused, also under load.
    const before = proxy.asked;
    const load = Array.from({ length: 20 }, () => api.get("/v1/accounts"));
    proxy.cut();
    for (const { status } of await Promise.all(load)) expect([200, 503]).toContain(status);
    await sleep(1_100);
    const refused = await api.get("/v1/auth");
    expect(refused).toMatchObject({ status: 503, body: { code: "overloaded" } });
    expect(refused.headers.get("retry-after")).toBe("2");
    expect((await fetch(`${behind.url}/health/ready`)).status).toBe(503);
    expect((await fetch(`${behind.url}/health/live`)).status).toBe(200);
    await sleep(4_000);
    // Two a second for the notifications, about as many for asking, and the requests above; never a storm.
    expect(proxy.asked - before).toBeLessThan(70);

    proxy.mend();
    await waitUntil("it answers again", 5_000, async () => (await api.get("/v1/auth")).status === 200);
    expect(behind.output.stderr).toBe("");
    expect((await behind.stop()).code).toBe(0);
    await proxy.close();
  });

  test("a process whose database is away still stops in order", async () => {
    const { settings, proxy, behind } = await behindProxy();
    const { api_key: key } = await readBootstrap(settings.DATA_DIR ?? "");
    expect((await client(behind.url, key).get("/v1/auth")).status).toBe(200);
    proxy.cut();
    const started = performance.now();
    expect(await behind.stop()).toMatchObject({ code: 0, stderr: "" });
    expect(performance.now() - started).toBeLessThan(10_000);
    await proxy.close();
  });

  test("a known key costs no statement", async () => {
    const { settings, proxy, behind } = await behindProxy();
    const made = await readBootstrap(settings.DATA_DIR ?? "");
    const api = client(behind.url, made.api_key);
    expect((await api.get("/v1/auth")).status).toBe(200);
    const before = proxy.statements;
    const started = performance.now();
    for (let i = 0; i < 300; i += 1) expect((await api.get("/v1/auth")).status).toBe(200);
    // Only what asks for changes and for work goes on, whatever the number of requests.
    const rounds = (performance.now() - started) / 400 + 2;
    expect(proxy.statements - before).toBeLessThan(rounds * 8);
    await behind.stop();
    await proxy.close();
  });
});

/** A database, and a server that reaches it through a proxy; `settings` reach it directly. */
async function behindProxy(change?: (bytes: Buffer) => Buffer) {
  const settings = await testDatabase();
  const url = new URL(settings.DATABASE_URL ?? "");
  const proxy: TcpProxy = await tcpProxy({ host: url.hostname, port: Number(url.port || 5432) }, change);
  url.port = String(proxy.port);
  const behind = await startProcess({ ...settings, DATABASE_URL: url.href });
  return { settings, proxy, behind };
}

/** As a pooler does: LISTEN is answered and means nothing. */
function withoutListen(bytes: Buffer): Buffer {
  const text = bytes.toString("latin1");
  return text.includes('listen "lumenone"')
    ? Buffer.from(text.replace('listen "lumenone"', "select 'lumenone'"), "latin1")
    : bytes;
}

async function timeUntil(holds: () => Promise<boolean>): Promise<number> {
  const started = performance.now();
  await waitUntil("the change was noticed", 5_000, holds);
  return performance.now() - started;
}

async function expectHealthy({ url }: ServerProcess): Promise<void> {
  expect(await (await fetch(`${url}/health/live`)).json()).toEqual({ status: "live" });
  expect(await (await fetch(`${url}/health/ready`)).json()).toEqual({ status: "ready" });
  const metrics = await fetch(`${url}/metrics`);
  expect(metrics.headers.get("content-type")).toContain("text/plain");
  expect(await metrics.text()).toContain("lumenone_http_request_duration_seconds_bucket");
}

function ask(server: ServerProcess, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    request(`${server.url}/health/live`, { agent }, (response) => {
      response.resume().once("end", () => resolve(response.statusCode ?? 0));
    })
      .once("error", reject)
      .end();
  });
}

/** The status, or the code of the socket's failure. */
function post(server: ServerProcess, agent: Agent, key: string, body: object): Promise<number | string> {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    request(`${server.url}/api/v1/accounts`, { method: "POST", agent, headers }, (response) => {
      response
        .resume()
        .once("close", () => resolve(response.complete ? (response.statusCode ?? 0) : "cut off"));
    })
      .once("error", (error) => resolve("code" in error ? String(error.code) : error.message))
      .end(JSON.stringify(body));
  });
}

async function readBootstrap(dataDir: string): Promise<Bootstrap> {
  return JSON.parse(await readFile(join(dataDir, "bootstrap.json"), "utf8"));
}

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

function pick(settings: Record<string, string>, name: string): Record<string, string> {
  return { [name]: settings[name] ?? "" };
}

async function adminClient(): Promise<pg.Client> {
  const admin = new pg.Client({ connectionString: process.env.TEST_DATABASE_URL ?? "" });
  await admin.connect();
  return admin;
}

/** As the cluster's superuser, past both walls. */
async function queryDatabase<Row>(settings: Record<string, string>, text: string): Promise<Row[]> {
  const url = new URL(process.env.TEST_DATABASE_URL ?? "");
  url.pathname = new URL(settings.DATABASE_URL ?? "").pathname;
  const admin = new pg.Client({ connectionString: url.href });
  await admin.connect();
  const { rows } = await admin.query(text);
  await admin.end();
  return rows;
}
