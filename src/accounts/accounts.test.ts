import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { expectNamed, expectProblem } from "../../test/expectations.ts";
import { newPlace } from "../../test/registry.ts";
import { client, hex, newKey, newPartner, newWorld, testServer } from "../../test/support.ts";
import { checkOrigins } from "./origins.ts";

const server = await testServer();

async function newClient() {
  const partner = await newPartner(server.app);
  return { partner, api: client(server.url, partner.key) };
}

describe("accounts", () => {
  test("one is made with nothing but a name, which is trimmed", async () => {
    const { api } = await newClient();
    const { body } = await api.post("/v1/accounts", { name: "  Crème Brûlée 🍮  " });
    expect(body).toEqual({
      success: true,
      account: {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        name: "Crème Brûlée 🍮",
        external_id: null,
        allowed_origins: [],
        suspended_at: null,
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      },
    });
  });

  test("a name holds 1 to 200 characters and no control characters", async () => {
    const { api } = await newClient();
    for (const name of ["x", "x".repeat(200)]) {
      expect((await api.post("/v1/accounts", { name })).status).toBe(200);
    }
    for (const name of ["", "   ", "x".repeat(201), "a\nb", "a\u007fb"]) {
      const reply = await api.post("/v1/accounts", { name });
      expectProblem(reply, "invalid_request");
      expectNamed(reply, "body.name");
    }
  });

  test("the list is the partner's, newest first, in pages without gap or repetition", async () => {
    const { api } = await newClient();
    const made: string[] = [];
    for (const name of ["a", "b", "c", "d", "e"]) {
      made.unshift((await api.post("/v1/accounts", { name })).body.account.id);
    }
    const pages: string[][] = [];
    let next = "";
    do {
      const { body } = await api.get(`/v1/accounts?limit=2${next}`);
      pages.push(body.accounts.map(({ id }: { id: string }) => id));
      next = body.next_cursor === null ? "" : `&cursor=${body.next_cursor}`;
    } while (next !== "");
    expect(pages).toEqual([made.slice(0, 2), made.slice(2, 4), made.slice(4)]);
  });

  test("a page that is exactly full has no next one", async () => {
    const { api } = await newClient();
    for (const name of ["a", "b"]) await api.post("/v1/accounts", { name });
    expect((await api.get("/v1/accounts?limit=2")).body.next_cursor).toBeNull();
  });

  test("a change touches only what was sent", async () => {
    const { api } = await newClient();
    const { id } = (await api.post("/v1/accounts", { name: "Acme", external_id: "crm-1" })).body.account;
    await api.patch(`/v1/accounts/${id}`, { name: "Acme Ltd" });
    const { body } = await api.patch(`/v1/accounts/${id}`, { allowed_origins: ["https://a.example"] });
    expect(body.account).toMatchObject({
      name: "Acme Ltd",
      external_id: "crm-1",
      allowed_origins: ["https://a.example"],
    });
    const cleared = await api.patch(`/v1/accounts/${id}`, { external_id: null, allowed_origins: [] });
    expect(cleared.body.account).toMatchObject({ name: "Acme Ltd", external_id: null, allowed_origins: [] });
    expectProblem(await api.patch(`/v1/accounts/${id}`, {}), "invalid_request");
  });
});

describe("allowed origins", () => {
  test("exact https origins are taken, http://localhost too, and each once", async () => {
    const { api } = await newClient();
    const origins = [
      "https://app.example.com",
      "https://app.example.com:8443",
      "http://localhost",
      "http://localhost:5173",
      "https://xn--bcher-kva.example",
      "https://[::1]:8443",
    ];
    const { body } = await api.post("/v1/accounts", { name: "A", allowed_origins: [...origins, ...origins] });
    expect(body.account.allowed_origins).toEqual(origins);
  });

  test("anything but an exact origin is refused, and the message names its place", async () => {
    const { api } = await newClient();
    const wrong = [
      "https://app.example.com/",
      "https://app.example.com/path",
      "https://app.example.com?x=1",
      "https://app.example.com#x",
      "https://*.example.com",
      "https://*",
      "*",
      "https://APP.example.com",
      "https://app.example.com:443",
      "https://user@app.example.com",
      "http://app.example.com",
      "http://localhost.example.com",
      "http://127.0.0.1:3000",
      "ws://localhost",
      "app.example.com",
      "null",
      "javascript:alert(1)",
      "data:text/html,x",
      " https://app.example.com",
      "https://app.example.com; frame-ancestors *",
      "",
    ];
    for (const origin of wrong) {
      const reply = await api.post("/v1/accounts", {
        name: "A",
        allowed_origins: ["https://ok.example", origin],
      });
      expect(reply.status, origin).toBe(400);
      expectNamed(reply, "body.allowed_origins.1");
    }
    expect((await api.get("/v1/accounts")).body.accounts).toEqual([]);
  });

  test("there are at most 50", async () => {
    const { api } = await newClient();
    const origins = Array.from({ length: 51 }, (_, index) => `https://a${index}.example`);
    expectProblem(await api.post("/v1/accounts", { name: "A", allowed_origins: origins }), "invalid_request");
    expect((await api.post("/v1/accounts", { name: "A", allowed_origins: origins.slice(1) })).status).toBe(
      200,
    );
  });

  test("an installation on https takes no http://localhost", () => {
    const onHttps = { ...server.app.config, publicUrl: "https://api.example.com" };
    expect(() => checkOrigins(onHttps, ["http://localhost:5173"])).toThrow(/localhost is not allowed/);
    expect(checkOrigins(onHttps, ["https://app.example.com"])).toEqual(["https://app.example.com"]);
  });
});

describe("an external id", () => {
  test("is unique per partner, and free for every other partner", async () => {
    const first = await newClient();
    const second = await newClient();
    const account = { name: "A", external_id: "crm-4711" };
    expect((await first.api.post("/v1/accounts", account)).status).toBe(200);
    const again = await first.api.post("/v1/accounts", { ...account, name: "B" });
    expectProblem(again, "conflict");
    expectNamed(again, "body.external_id");
    expect((await second.api.post("/v1/accounts", account)).status).toBe(200);
  });

  test("of another account is refused in a change, one's own is not", async () => {
    const { api } = await newClient();
    await api.post("/v1/accounts", { name: "A", external_id: "one" });
    const { id } = (await api.post("/v1/accounts", { name: "B", external_id: "two" })).body.account;
    expectProblem(await api.patch(`/v1/accounts/${id}`, { external_id: "one" }), "conflict");
    expect((await api.patch(`/v1/accounts/${id}`, { external_id: "two" })).status).toBe(200);
  });

  test("may be missing as often as one likes", async () => {
    const { api } = await newClient();
    for (const external_id of [null, undefined, null]) {
      expect((await api.post("/v1/accounts", { name: "A", external_id })).status).toBe(200);
    }
  });

  test("is asked for by ten at once and given to one", async () => {
    const { api } = await newClient();
    const rush = Array.from({ length: 10 }, () =>
      api.post("/v1/accounts", { name: "A", external_id: "one" }),
    );
    const statuses = (await Promise.all(rush)).map(({ status }) => status).sort();
    expect(statuses).toEqual([200, ...Array(9).fill(409)]);
  });
});

describe("suspension", () => {
  test("closes all below the account, deletes nothing, and ends with resume", async () => {
    const { api, accountId, partner, workspaceSlug } = await newWorld(server);
    const own = client(server.url, partner.key);
    const suspended = await own.post(`/v1/accounts/${accountId}/suspend`);
    const since = suspended.body.account.suspended_at;
    expect(Date.parse(since)).toBeGreaterThan(Date.now() - 60_000);
    expectProblem(await api.get(`/v1/workspace/${hex(workspaceSlug)}`), "account_suspended");
    expectProblem(await api.post("/v1/orgs", { name: "New" }), "account_suspended");

    const again = await own.post(`/v1/accounts/${accountId}/suspend`);
    expect(again.body.account.suspended_at).toBe(since);
    expect((await own.get("/v1/accounts")).body.accounts[0].suspended_at).toBe(since);

    const resumed = await own.post(`/v1/accounts/${accountId}/resume`);
    expect(resumed.body.account.suspended_at).toBeNull();
    expect((await api.get(`/v1/workspace/${hex(workspaceSlug)}`)).status).toBe(200);
  });

  test("of one account leaves its neighbours open", async () => {
    const first = await newWorld(server);
    const second = await newWorld(server, first.partner);
    await client(server.url, first.partner.key).post(`/v1/accounts/${first.accountId}/suspend`);
    expect((await second.api.get("/v1/orgs")).status).toBe(200);
  });

  test("does not keep an account from being erased", async () => {
    const { accountId, partner } = await newWorld(server);
    const own = client(server.url, partner.key);
    await own.post(`/v1/accounts/${accountId}/suspend`);
    expect((await own.delete(`/v1/accounts/${accountId}`, { confirm: "Acme" })).status).toBe(200);
  });
});

describe("erasing an account", () => {
  test("needs its name to the letter, else nothing happens", async () => {
    const { api, accountId, partner, orgSlug } = await newWorld(server);
    for (const confirm of ["acme", "Acme ", "", "Other"]) {
      const reply = await client(server.url, partner.key).delete(`/v1/accounts/${accountId}`, { confirm });
      expectProblem(reply, "invalid_request");
      expectNamed(reply, "body.confirm");
    }
    expect((await api.get(`/v1/org/${hex(orgSlug)}`)).status).toBe(200);
  });

  test("puts it out of reach: 403 as an account, 404 as a thing, gone from the list", async () => {
    const { api, accountId, partner } = await newWorld(server);
    const own = client(server.url, partner.key);
    expect((await own.delete(`/v1/accounts/${accountId}`, { confirm: "Acme" })).body).toEqual({
      success: true,
    });
    expectProblem(await api.get("/v1/orgs"), "account_forbidden");
    expectProblem(await own.patch(`/v1/accounts/${accountId}`, { name: "X" }), "not_found");
    expectProblem(await own.delete(`/v1/accounts/${accountId}`, { confirm: "Acme" }), "not_found");
    expect((await own.get("/v1/accounts")).body.accounts).toEqual([]);
  });

  test("frees its external id, and ends the keys that were limited to it", async () => {
    const { partner, api } = await newClient();
    const { id } = (await api.post("/v1/accounts", { name: "A", external_id: "one" })).body.account;
    const key = await newKey(server.app, partner.id, { accountId: id });
    expect((await client(server.url, key).get("/v1/auth")).status).toBe(200);
    await api.delete(`/v1/accounts/${id}`, { confirm: "A" });
    expectProblem(await client(server.url, key).get("/v1/auth"), "invalid_api_key");
    expect((await api.post("/v1/accounts", { name: "A", external_id: "one" })).status).toBe(200);
  });

  test("leaves no row of it in any table but the trail and the jobs, and its names in none at all", async () => {
    const partner = await newPartner(server.app, "Owner");
    const own = client(server.url, partner.key);
    const accountName = `Account to be forgotten ${partner.id}`;
    const remembered = { "idempotency-key": "create" };
    const made = await own.post("/v1/accounts", { name: accountName, external_id: accountName }, remembered);
    const accountId = made.body.account.id;
    const place = await newPlace(server, { partner, accountId, accountName });
    const path = `/v1/workspace/${hex(place.workspaceSlug)}/tools`;
    await place.api.post(path, { tool_id: place.toolId }, { "idempotency-key": "attach" });
    await newKey(server.app, partner.id, {
      accountId,
      name: place.marker,
      workspace: { id: place.workspaceId, organization: { id: place.organizationId } },
    });
    const before = await traces(accountId, [place.marker, accountName]);
    for (const table of ["accounts", "organizations", "workspaces", "tools", "workspace_tools", "api_keys"]) {
      expect(before.get(table), table).toBeGreaterThan(0);
    }
    expect(before.get("idempotency_keys")).toBeGreaterThan(1);

    await own.delete(`/v1/accounts/${accountId}`, { confirm: accountName });
    const after = await traces(accountId, [place.marker, accountName]);
    expect([...after.keys()].filter((table) => table !== "audit_events" && table !== "jobs")).toEqual([]);
    expect(await traces(null, [place.marker, accountName])).toEqual(new Map());
  });
});

/** How many rows of each table carry the account's id or one of the texts. */
async function traces(accountId: string | null, texts: string[]): Promise<Map<string, number>> {
  return server.app.db.asSystem("superadmin", async (tx) => {
    const tables = await sql<{ name: string }>`select relname as name from pg_class
      where relnamespace = 'public'::regnamespace and relkind = 'r' and has_table_privilege(oid, 'select')`.execute(
      tx,
    );
    const found = new Map<string, number>();
    for (const { name } of tables.rows) {
      const wanted = [...texts, ...(accountId === null ? [] : [accountId])].map((text) => `%${text}%`);
      const { rows } = await sql<{ count: number }>`
        select count(*)::int as count from ${sql.table(name)} t where t::text like any (${wanted})`.execute(
        tx,
      );
      if ((rows[0]?.count ?? 0) > 0) found.set(name, rows[0]?.count ?? 0);
    }
    return found;
  });
}
