import { mkdirSync, readdirSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { endLeftovers, lumenone, type ServerProcess, startProcess } from "./fault/process.ts";
import { client, hex, send, testDatabase } from "./support.ts";

const onPostgres = (process.env.TEST_DATABASE_URL ?? "") !== "";
const TIMEOUT_MS = 180_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const NOBODY = "00000000-0000-4000-8000-000000000000";

/** What the commands were given and have made, handed from test to test. */
const given: Record<string, string> = { ...(await testDatabase()), BOOTSTRAP: "none" };
const { DATA_DIR: ownFolder = "" } = given;
let server: ServerProcess;
let partner = "";

/** Longer than a socket's path may be. */
const longFolder = join(ownFolder, ...Array.from({ length: 12 }, (_, i) => `a-long-name-${i}`));
const settings: Record<string, string> = { ...given, DATA_DIR: longFolder };
mkdirSync(longFolder, { recursive: true });

async function run(...words: string[]) {
  return lumenone(words, settings);
}

/** The answer to `--json`, of a command that must succeed. */
async function json(...words: string[]) {
  const { code, stdout, stderr } = await run(...words, "--json");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout);
}

afterAll(endLeftovers);

describe("the command line, without a server", { timeout: TIMEOUT_MS }, () => {
  test("makes the first partner and key, on a database that was not there", async () => {
    const made = await json("partners", "create", "--name", "Nördlinger & Söhne");
    expect(made).toEqual({
      id: expect.stringMatching(UUID),
      name: "Nördlinger & Söhne",
      created_at: expect.any(String),
    });
    partner = made.id;
    const key = await json("keys", "create", "--partner", partner);
    expect(key).toMatchObject({
      id: expect.stringMatching(UUID),
      key: expect.stringMatching(/^lum_/),
      scopes: null,
    });
    expect(await json("keys", "list", "--partner", partner)).toEqual([
      expect.objectContaining({ id: key.id }),
    ]);
  });

  test("explains itself, and what it does not know", async () => {
    const [plain, asked, unknown, inherited, half] = await Promise.all([
      run(),
      run("keys", "create", "--help"),
      run("keys", "sell"),
      run("constructor"),
      run("keys"),
    ]);
    expect(plain).toMatchObject({
      code: 0,
      stderr: "",
      stdout: expect.stringContaining("lumenone rotate-secrets"),
    });
    expect(asked).toEqual(plain);
    expect(unknown).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(/^There is no command "keys sell"\./),
    });
    expect(inherited).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(/^There is no command "constructor"\./),
    });
    expect(half).toMatchObject({ code: 2, stdout: "" });
  });

  const wronglyCalled: [string[], RegExp][] = [
    [["partners", "create"], /^--name is missing\.\nUsage: lumenone partners create/],
    [["partners", "create", "--name="], /^--name is missing\./],
    [["keys", "create"], /^--partner is missing\./],
    [["keys", "revoke", "--partner", NOBODY], /^--id is missing\./],
    [["partners", "list", "--all"], /Unknown option '--all'/],
    [["partners", "create", "--name"], /--name/],
    [["keys", "revoke", NOBODY, "more", "--partner", NOBODY], /^There is one word too many: "more"/],
    [["partners", "list", "all"], /all/],
  ];
  test("answers a wrong call with 2, what is wrong and how it is meant", async () => {
    const answers = await inFours(
      wronglyCalled.map(
        ([words]) =>
          () =>
            run(...words),
      ),
    );
    for (const [i, { code, stdout, stderr }] of answers.entries()) {
      const [words, sentence] = wronglyCalled[i] ?? [[], /^$/];
      expect({ words, code, stdout }).toEqual({ words, code: 2, stdout: "" });
      expect(stderr).toMatch(sentence);
      expect(stderr).toContain("Usage: lumenone ");
    }
  });

  test("answers wrong settings with 1 and a sentence", async () => {
    const { code, stdout, stderr } = await lumenone(["partners", "list"], { ...settings, PORT: "many" });
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: "",
      stderr: "PORT: is not a whole number\n",
    });
  });
});

describe("the command line, beside a running server", { timeout: TIMEOUT_MS }, () => {
  beforeAll(async () => {
    server = await startProcess(settings);
  }, TIMEOUT_MS);
  afterAll(async () => {
    expect((await server.stop()).code).toBe(0);
    if (!onPostgres) expect(readdirSync(longFolder)).not.toContain("control.sock");
  }, TIMEOUT_MS);

  test.runIf(!onPostgres)("speaks over a socket that only its owner can reach, however long the path", () => {
    const socket = statSync(join(longFolder, "control.sock"));
    expect(socket.isSocket()).toBe(true);
    expect((socket.mode & 0o777).toString(8)).toBe("600");
    expect((statSync(longFolder).mode & 0o777).toString(8)).toBe("700");
  });

  test.runIf(!onPostgres)("nothing that is sent to the socket ends the server", async () => {
    for (const path of ["/%", "/constructor", "/__proto__", "/", "/keys%20create"]) {
      const answer = await askSocket(path, "{not json");
      expect(Object.keys(JSON.parse(answer)), path).toEqual(["problem"]);
    }
    expect((await fetch(`${server.url}/health/ready`)).status).toBe(200);
  });

  test("every command does its work, for eyes and as JSON", async () => {
    const second = await json("partners", "create", "--name", "Second");
    const listed = await json("partners", "list");
    expect(listed.map(({ id }: { id: string }) => id)).toEqual([second.id, partner]);
    expect((await run("partners", "list")).stdout).toMatch(/^id=\S+ {2}name=Second {2}created_at=\S+\nid=/);

    const issued = await run("keys", "create", "--partner", partner, "--name", "For eyes");
    expect(issued.stdout).toMatch(/^id: \S+\n/);
    expect(issued.stdout).toMatch(/^key: lum_\S+$/m);
    const keys = await run("keys", "list", "--partner", partner);
    expect(keys.stdout).toContain("name=For eyes");
    expect(keys.stdout).not.toContain(/^key: (\S+)$/m.exec(issued.stdout)?.[1]);

    const admin = await json("admin-key", "create", "--name", "Root");
    expect(admin).toEqual({ id: expect.stringMatching(UUID), key: expect.stringMatching(/^lumadmin_/) });
    expect(await json("rotate-secrets")).toEqual({
      resealed: { tools: 0, model_providers: 0, webhook_endpoints: 0, whatsapp_connections: 0 },
    });
  });

  test("a revoked key stops at once or within a second; revoking it again is no error", async () => {
    const { id, key } = await json("keys", "create", "--partner", partner);
    const api = client(server.url, key);
    expect((await api.get("/v1/auth")).status).toBe(200);
    const revoked = await json("keys", "revoke", id, "--partner", partner);
    expect(revoked).toMatchObject({ id, revoked_at: expect.any(String) });
    if (onPostgres) await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await api.get("/v1/auth")).toMatchObject({ status: 403, body: { code: "invalid_api_key" } });
    expect((await json("keys", "revoke", "--id", id, "--partner", partner)).revoked_at).toBe(
      revoked.revoked_at,
    );
  });

  test("a superadmin's key reads no partner's data", async () => {
    const { key } = await json("admin-key", "create");
    const api = client(server.url, key);
    for (const path of ["/v1/accounts", "/v1/orgs", "/v1/audit-events", "/v1/auth"]) {
      expect(await api.get(path), path).toMatchObject({ status: 403, body: { code: "insufficient_scope" } });
    }
    const asPartner = await send(server.url, "GET", "/v1/accounts", {
      authorization: `Bearer ${key}`,
      "x-account-id": partner,
      "x-partner-id": partner,
    });
    expect(asPartner.status).toBe(403);
  });

  test("a key with scopes does that and no more", async () => {
    const { key, scopes } = await json(
      "keys",
      "create",
      "--partner",
      partner,
      "--scopes",
      "accounts:read, jobs:read",
    );
    expect(scopes).toEqual(["accounts:read", "jobs:read"]);
    const api = client(server.url, key);
    expect((await api.get("/v1/accounts")).status).toBe(200);
    expect(await api.post("/v1/accounts", { name: "No" })).toMatchObject({
      status: 403,
      body: { code: "insufficient_scope", message: expect.stringContaining("accounts:write") },
    });
    expect((await api.get("/v1/orgs")).status).toBe(403);
  });

  test("a key of one account or one workspace reaches nothing beside it, and nothing while it is suspended", async () => {
    const { key: all } = await json("keys", "create", "--partner", partner);
    const world = await newAccount(all, "One");
    const beside = await newAccount(all, "Two");
    const [ofAccount, ofWorkspace] = await Promise.all([
      json("keys", "create", "--partner", partner, "--account", world.account.toUpperCase()),
      json(
        "keys",
        "create",
        "--partner",
        partner,
        "--account",
        world.account,
        "--workspace",
        world.workspace,
      ),
    ]);
    expect(ofWorkspace).toMatchObject({ account_id: world.account, workspace_id: expect.any(Number) });

    const mine = client(server.url, ofAccount.key, world.account);
    expect((await mine.get(`/v1/workspace/${hex(world.workspace)}`)).status).toBe(200);
    expect((await client(server.url, ofAccount.key).get("/v1/orgs")).body.organizations).toHaveLength(1);
    const foreign = await client(server.url, ofAccount.key, beside.account).get(
      `/v1/workspace/${hex(beside.workspace)}`,
    );
    expect(foreign).toMatchObject({ status: 403, body: { code: "account_forbidden" } });
    expect((await client(server.url, ofAccount.key).post("/v1/accounts", { name: "No" })).status).toBe(403);

    const narrow = client(server.url, ofWorkspace.key, world.account);
    expect((await narrow.get(`/v1/workspace/${hex(world.workspace)}`)).status).toBe(200);
    expect((await narrow.get(`/v1/workspace/${hex(world.secondWorkspace)}`)).status).toBe(404);
    expect((await narrow.get("/v1/orgs")).status).toBe(403);

    await client(server.url, all).post(`/v1/accounts/${world.account}/suspend`);
    for (const api of [mine, client(server.url, ofAccount.key)]) {
      expect(await api.get("/v1/orgs")).toMatchObject({ status: 403, body: { code: "account_suspended" } });
    }
  });

  test("a key with an end is refused after it", async () => {
    const inDays = await json("keys", "create", "--partner", partner, "--expires", "30d");
    expect(Date.parse(inDays.expires_at) - Date.now()).toBeCloseTo(30 * 86_400_000, -6);
    const soon = new Date(Date.now() + 4_000).toISOString();
    const { key } = await json("keys", "create", "--partner", partner, "--expires", soon);
    const api = client(server.url, key);
    expect((await api.get("/v1/auth")).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, Date.parse(soon) - Date.now() + 20));
    expect((await api.get("/v1/auth")).status).toBe(403);
  });

  test("what cannot be done is answered with 1 and a sentence, and nothing else", async () => {
    const { key } = await json("keys", "create", "--partner", partner);
    const { account, workspace } = await newAccount(key, "Three");
    const other = await json("partners", "create", "--name", "Other");
    const { key: otherKey } = await json("keys", "create", "--partner", other.id);
    const { account: foreign, workspace: foreignWorkspace } = await newAccount(
      otherKey,
      "Foreign",
      "foreign-desk",
    );
    const ofPartner = ["keys", "create", "--partner", partner];
    const cases: [string[], RegExp][] = [
      [["keys", "create", "--partner", NOBODY], /^There is no partner 0000/],
      [["keys", "list", "--partner", NOBODY], /^There is no partner 0000/],
      [["keys", "create", "--partner", "acme"], /^--partner takes a UUID, not "acme"\./],
      [
        [...ofPartner, "--scopes", "accounts:sell"],
        /^"accounts:sell" is not a scope\. There are: accounts:read, /,
      ],
      [[...ofPartner, "--scopes", ""], /^"" is not a scope\./],
      [[...ofPartner, "--account", foreign], /account/i],
      [[...ofPartner, "--account", NOBODY], /account/i],
      [[...ofPartner, "--account", "1"], /^--account takes a UUID/],
      [[...ofPartner, "--workspace", workspace], /^A workspace needs its account/],
      [[...ofPartner, "--account", account, "--workspace", foreignWorkspace], /workspace/i],
      [[...ofPartner, "--account", account, "--workspace", "none"], /workspace/i],
      [[...ofPartner, "--expires", "2001-01-01"], /^A key cannot expire in the past\./],
      [[...ofPartner, "--expires", "0d"], /^A key cannot expire in the past\./],
      [[...ofPartner, "--expires", "soon"], /^--expires takes a date such as/],
      [["keys", "revoke", NOBODY, "--partner", partner], /^This partner has no API key 0000/],
    ];
    const answers = await inFours(
      cases.map(
        ([words]) =>
          () =>
            run(...words, "--json"),
      ),
    );
    for (const [i, { code, stdout, stderr }] of answers.entries()) {
      const [words, sentence] = cases[i] ?? [[], /^$/];
      expect({ words, code, stdout }).toEqual({ words, code: 1, stdout: "" });
      expect(stderr).toMatch(sentence);
      expect(stderr.trim().split("\n")).toHaveLength(1);
    }
  });
});

describe("the command rotate-secrets", { timeout: TIMEOUT_MS }, () => {
  const OLD = "the-old-key-0123456789abcdef0123456789";
  const NEW = "the-new-key-0123456789abcdef0123456789";
  const withKey = (current: string, previous?: string) => ({
    ...settings,
    SECRET_KEY: current,
    ...(previous === undefined ? {} : { SECRET_KEY_PREVIOUS: previous }),
  });

  test("moves every secret to the new key; afterwards the old one is not needed", async () => {
    let running = await startProcess(withKey(OLD));
    const { key } = await json("keys", "create", "--partner", partner);
    const { account, org } = await newAccount(key, "Secrets", "desk", running.url);
    const tools = `/v1/org/${hex(org)}/tools`;
    const api = () => client(running.url, key, account);
    const { body } = await api().post(tools, {
      name: "look_up",
      description: "Looks up an order.",
      kind: "http",
      parameters: { type: "object", properties: {} },
      http: {
        method: "GET",
        url: "https://example.com/orders",
        auth: { type: "bearer", token: "very-secret-token" },
        headers: { "X-Secret": "another-secret" },
      },
    });
    await api().post("/v1/webhook-endpoints", { url: "https://example.com/hooks" });
    const tool = `${tools}/${body.tool.id}`;
    const saved = { provider: "mistral", api_key: "third-secret" };
    expect((await api().post(`/v1/org/${hex(org)}/model-providers`, saved)).status).toBe(200);
    // Reads the stored secrets, to put them together with what is sent.
    const touch = () => api().patch(tool, { http: { timeout_ms: 5_000 } });
    const works = async () => (await touch()).status;
    expect(await works()).toBe(200);
    await running.stop();

    // Only the new key: the operator reads which one is missing; nothing is lost.
    running = await startProcess(withKey(NEW));
    expect(await works()).toBe(500);
    const refused = await lumenone(["rotate-secrets"], withKey(NEW));
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(
      /^A secret was sealed with a key \([0-9a-f]{8}\) that is not configured: set SECRET_KEY_PREVIOUS to it\.\n$/,
    );
    await running.stop();
    expect(running.output.stdout).toContain("set SECRET_KEY_PREVIOUS to it");
    expect(running.output.stdout).not.toContain("very-secret-token");

    // Both: everything works, before and after.
    running = await startProcess(withKey(NEW, OLD));
    expect(await works()).toBe(200);
    const rotated = await lumenone(["rotate-secrets", "--json"], withKey(NEW, OLD));
    expect(JSON.parse(rotated.stdout)).toEqual({
      resealed: {
        tools: expect.any(Number),
        model_providers: 1,
        webhook_endpoints: 1,
        whatsapp_connections: 0,
      },
    });
    expect(JSON.parse((await lumenone(["rotate-secrets", "--json"], withKey(NEW, OLD))).stdout)).toEqual({
      resealed: { tools: 0, model_providers: 0, webhook_endpoints: 0, whatsapp_connections: 0 },
    });
    await running.stop();

    running = await startProcess(withKey(NEW));
    expect(await works()).toBe(200);
    expect((await running.stop()).code).toBe(0);
    await rm(longFolder, { recursive: true, force: true });
  });
});

async function inFours<T>(tasks: (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  for (let i = 0; i < tasks.length; i += 4) {
    results.push(...(await Promise.all(tasks.slice(i, i + 4).map((task) => task()))));
  }
  return results;
}

async function newAccount(key: string, name: string, slug = "desk", url = server.url) {
  const { body } = await client(url, key).post("/v1/accounts", { name });
  const account: string = body.account.id;
  const api = client(url, key, account);
  const { organization } = (await api.post("/v1/orgs", { name })).body;
  const first = await api.post(`/v1/org/${organization.slug}/workspaces`, { name: "Desk", slug });
  const second = await api.post(`/v1/org/${organization.slug}/workspaces`, { name: "Second" });
  return {
    account,
    org: String(organization.originalSlug),
    workspace: String(first.body.workspace.originalSlug),
    secondWorkspace: String(second.body.workspace.originalSlug),
  };
}

/** Through the folder's descriptor, as the path is too long for a socket. */
function askSocket(path: string, body: string): Promise<string> {
  const folder = `/proc/self/cwd`;
  const before = process.cwd();
  process.chdir(longFolder);
  return new Promise<string>((resolve, reject) => {
    request({ socketPath: `${folder}/control.sock`, method: "POST", path }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.once("end", () => resolve(text));
    })
      .once("error", reject)
      .end(body);
  }).finally(() => process.chdir(before));
}
