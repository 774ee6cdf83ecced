import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { expectNamed, expectProblem } from "../../test/expectations.ts";
import {
  client,
  hex,
  newWorld,
  type Reply,
  startTestServer,
  testServer,
  type World,
} from "../../test/support.ts";
import { readDefinition } from "./tools.service.ts";

const server = await testServer();
const HIDDEN = "********";

const http = { method: "GET", url: "https://api.example.com/status" };
const order = {
  type: "object",
  properties: { order_id: { type: "string" }, lang: { type: "string" } },
  required: ["order_id"],
};

/** Every kind of authentication, with what is shown of it. */
const AUTHS = [
  { sent: { type: "none" }, shown: { type: "none" } },
  { sent: { type: "bearer", token: "SECRET-bearer" }, shown: { type: "bearer" } },
  {
    sent: { type: "basic", username: "user", password: "SECRET-basic" },
    shown: { type: "basic", username: "user" },
  },
  {
    sent: { type: "header", name: "X-Api-Key", value: "SECRET-header" },
    shown: { type: "header", name: "X-Api-Key" },
  },
  {
    sent: {
      type: "oauth2_client_credentials",
      token_url: "https://auth.example.com/token",
      client_id: "client",
      client_secret: "SECRET-oauth",
      scopes: ["read"],
      audience: "https://api.example.com",
    },
    shown: {
      type: "oauth2_client_credentials",
      token_url: "https://auth.example.com/token",
      client_id: "client",
      scopes: ["read"],
      audience: "https://api.example.com",
    },
  },
];

function toolsOf({ api, orgSlug }: World) {
  const path = `/v1/org/${hex(orgSlug)}/tools`;
  let count = 0;
  return {
    path,
    create: (fields: object): Promise<Reply> => {
      count += 1;
      return api.post(path, { kind: "http", name: `tool_${count}`, description: "A tool.", http, ...fields });
    },
    patch: (id: string, fields: object) => api.patch(`${path}/${id}`, fields),
  };
}

/** What a call of the tool would use: the definition with its secrets. */
async function definitionOf(id: string, { app } = server) {
  const row = await app.db.asSystem("superadmin", (tx) =>
    tx.selectFrom("tools").selectAll().where("id", "=", id).executeTakeFirstOrThrow(),
  );
  return readDefinition(app, row);
}

describe("an HTTP tool", () => {
  test("is filled up with the defaults", async () => {
    const { create } = toolsOf(await newWorld(server));
    const { body } = await create({ name: "order-Status_1" });
    expect(body.tool).toMatchObject({
      name: "order-Status_1",
      kind: "http",
      enabled: true,
      parameters: { type: "object", properties: {} },
      http: {
        ...http,
        headers: {},
        auth: { type: "none" },
        timeout_ms: 10_000,
        max_response_bytes: 100_000,
        response_select: null,
      },
    });
    expect(body.tool).not.toHaveProperty("mcp");
    expect(body.tool).not.toHaveProperty("secrets");
  });

  test("its name takes 1 to 64 letters, digits, _ and -", async () => {
    const { create } = toolsOf(await newWorld(server));
    for (const name of ["a", "x".repeat(64), "A-b_9"]) expect((await create({ name })).status).toBe(200);
    for (const name of ["", "x".repeat(65), "a b", "a.b", "ä", "a/b", null, "a\n"]) {
      const reply = await create({ name });
      expect(reply.status, String(name)).toBe(400);
      expectNamed(reply, "body.name");
    }
  });

  test("its name is unique in the organization, and free in another", async () => {
    const world = await newWorld(server);
    const { create, patch } = toolsOf(world);
    await create({ name: "one" });
    const again = await create({ name: "one" });
    expectProblem(again, "conflict");
    expectNamed(again, "body.name");
    const two = await create({ name: "two" });
    expectProblem(await patch(two.body.tool.id, { name: "one" }), "conflict");
    expect((await patch(two.body.tool.id, { name: "two" })).status).toBe(200);
    const other = (await world.api.post("/v1/orgs", { name: "Other" })).body.organization;
    expect((await toolsOf({ ...world, orgSlug: other.originalSlug }).create({ name: "one" })).status).toBe(
      200,
    );
  });

  test("its limits have bounds", async () => {
    const { create } = toolsOf(await newWorld(server));
    const bounds: Record<string, { good: unknown[]; bad: unknown[] }> = {
      timeout_ms: { good: [100, 30_000], bad: [99, 30_001, 1.5, "100", null] },
      max_response_bytes: { good: [1, 1_000_000], bad: [0, 1_000_001, null] },
      method: { good: ["GET", "POST", "PUT", "PATCH", "DELETE"], bad: ["get", "HEAD", "CONNECT", ""] },
      response_select: { good: [null, "$.a[0].b", "$..x"], bad: ["a.b", "$.[", "", "$[?("] },
    };
    for (const [field, { good, bad }] of Object.entries(bounds)) {
      for (const value of good) {
        const reply = await create({ http: { ...http, [field]: value } });
        expect(reply.status, `${field} ${value}`).toBe(200);
        expect(reply.body.tool.http[field]).toEqual(value);
      }
      for (const value of bad) {
        const reply = await create({ http: { ...http, [field]: value } });
        expect(reply.status, `${field} ${value}`).toBe(400);
        expectNamed(reply, `body.http.${field}`);
      }
    }
  });

  test("its URL is absolute, http or https, without credentials or fragment, and its host is fixed", async () => {
    const { create } = toolsOf(await newWorld(server));
    const wrong = [
      "/relative",
      "ftp://example.com",
      "file:///etc/passwd",
      "javascript:alert(1)",
      "https://user:pass@example.com/",
      "https://user@example.com/",
      "https://example.com/#x",
      "https://{host}/x",
      "https://{host}.example.com/x",
      "https://example.com:{port}/x",
      "https://%7bhost%7d.example.com/",
      "{url}",
      "https://",
      "http://[::1",
      "https://exa mple.com",
    ];
    for (const url of wrong) {
      const reply = await create({ parameters: order, http: { ...http, url } });
      expect(reply.status, url).toBe(400);
      expectNamed(reply, "body.http.url");
    }
  });

  test("a placeholder names a parameter, and in the path a required one", async () => {
    const { create } = toolsOf(await newWorld(server));
    const with_ = (url: string) =>
      create({ parameters: order, http: { ...http, url: `https://e.com/${url}` } });
    for (const url of [
      "o/{order_id}",
      "o/{order_id}?l={lang}",
      "o?id={order_id}&l={lang}",
      "o/a-{order_id}.json",
    ]) {
      expect((await with_(url)).status, url).toBe(200);
    }
    for (const url of [
      "o/{unknown}",
      "o/{lang}",
      "o?x={unknown}",
      "o/{",
      "o/}",
      "o/{}",
      "o/{order_id",
      "o/{{order_id}}",
      "o/{toString}",
    ]) {
      const reply = await with_(url);
      expect(reply.status, url).toBe(400);
      expectNamed(reply, "body.http.url");
    }
  });

  test("its parameters are JSON Schema of an object, without references to elsewhere", async () => {
    const { create } = toolsOf(await newWorld(server));
    const wrong: [unknown, string][] = [
      [{}, "body.parameters.type"],
      [{ type: "array" }, "body.parameters.type"],
      [{ type: "object", properties: { a: { type: "nonsense" } } }, "body.parameters"],
      [{ type: "object", required: "a" }, "body.parameters"],
      [{ type: "object", properties: [] }, "body.parameters"],
      [
        { type: "object", properties: { a: { $ref: "https://evil.example/s.json" } } },
        "body.parameters.properties.a.$ref",
      ],
      [
        { type: "object", properties: { a: { $ref: "file:///etc/passwd" } } },
        "body.parameters.properties.a.$ref",
      ],
      [{ type: "object", description: "x".repeat(65 * 1024) }, "body.parameters"],
      [[], "body.parameters"],
      ["object", "body.parameters"],
    ];
    for (const [parameters, path] of wrong) {
      const reply = await create({ parameters });
      expect(reply.status, JSON.stringify(parameters).slice(0, 80)).toBe(400);
      expectNamed(reply, path);
    }
    const local = {
      type: "object",
      properties: { a: { $ref: "#/$defs/a" } },
      $defs: { a: { type: "string" } },
    };
    expect((await create({ parameters: local })).body.tool.parameters).toEqual(local);
  });

  test("comes back as it was sent, with its keys in order", async () => {
    const { create } = toolsOf(await newWorld(server));
    const parameters = { type: "object", required: ["z"], properties: { z: {}, a: { const: 1.0 }, m: {} } };
    const body = { z: "{z}", nested: [{ b: null, a: ["{m}"] }], text: "Grüße 🍮" };
    const { tool } = (await create({ parameters, http: { method: "POST", url: "https://e.com/", body } }))
      .body;
    expect(JSON.stringify(tool.parameters)).toBe(JSON.stringify(parameters));
    expect(JSON.stringify(tool.http.body)).toBe(JSON.stringify(body));
  });

  test("GET takes no body", async () => {
    const { create, patch } = toolsOf(await newWorld(server));
    const reply = await create({ http: { ...http, body: {} } });
    expectProblem(reply, "invalid_request");
    expectNamed(reply, "body.http.body");
    const post = await create({ http: { ...http, method: "POST", body: { a: 1 } } });
    expectNamed(await patch(post.body.tool.id, { http: { method: "GET" } }), "body.http.body");
  });

  test("its headers are HTTP headers, at most 30, and none that belongs to the connection", async () => {
    const { create } = toolsOf(await newWorld(server));
    const wrong: Record<string, string>[] = [
      { Host: "internal" },
      { "content-length": "1" },
      { "Transfer-Encoding": "chunked" },
      { Connection: "close" },
      { "bad name": "x" },
      { "": "x" },
      { "X-A": "a\r\nX-B: b" },
      { "X-A": "ä" },
      Object.fromEntries(Array.from({ length: 31 }, (_, index) => [`X-${index}`, "x"])),
    ];
    for (const headers of wrong) {
      const reply = await create({ http: { ...http, headers } });
      expect(reply.status, JSON.stringify(headers)).toBe(400);
      expectNamed(reply, "body.http.headers");
    }
  });
});

describe("an MCP tool", () => {
  const mcp = { url: "https://mcp.example.com/" };

  test("is filled up with the defaults and has no HTTP part", async () => {
    const { create } = toolsOf(await newWorld(server));
    const { tool } = (await create({ kind: "mcp", http: undefined, mcp })).body;
    expect(tool).toMatchObject({ kind: "mcp", mcp: { ...mcp, headers: {}, allowed_tools: null } });
    expect(tool).not.toHaveProperty("http");
  });

  test("the parts of one kind do not belong to the other", async () => {
    const { create, patch } = toolsOf(await newWorld(server));
    expectNamed(await create({ kind: "mcp", mcp }), "body.http");
    expectNamed(await create({ kind: "http", mcp }), "body.mcp");
    expectNamed(await create({ kind: "http", http: undefined }), "body.http");
    expectNamed(await create({ kind: "mcp", http: undefined }), "body.mcp");
    expectNamed(await create({ kind: "grpc" }), "body.kind");
    const asHttp = (await create({})).body.tool.id;
    const asMcp = (await create({ kind: "mcp", http: undefined, mcp })).body.tool.id;
    for (const reply of [
      await patch(asHttp, { mcp }),
      await patch(asMcp, { http }),
      await patch(asMcp, { parameters: order }),
      await patch(asHttp, { kind: "mcp" }),
    ]) {
      expectProblem(reply, "invalid_request");
    }
  });

  test("its URL obeys the rules of every URL", async () => {
    const { create } = toolsOf(await newWorld(server));
    for (const url of ["ws://mcp.example.com", "https://u:p@mcp.example.com", "https://{host}/"]) {
      expectNamed(await create({ kind: "mcp", http: undefined, mcp: { url } }), "body.mcp.url");
    }
  });
});

describe("a tool's secrets", () => {
  for (const { sent, shown } of AUTHS) {
    test(`of ${sent.type} authentication are kept and never shown`, async () => {
      const world = await newWorld(server);
      const { create, patch, path } = toolsOf(world);
      const made = await create({ http: { ...http, auth: sent } });
      const { id } = made.body.tool;
      await world.api.post(`/v1/workspace/${hex(world.workspaceSlug)}/tools`, { tool_id: id });
      const replies = [
        made,
        await world.api.get(path),
        await patch(id, { description: "Changed." }),
        await patch(id, { http: { auth: shown } }),
        await world.api.get(`/v1/workspace/${hex(world.workspaceSlug)}/tools`),
      ];
      for (const reply of replies) {
        expect(reply.status).toBe(200);
        expect((reply.body.tool ?? reply.body.tools[0]).http.auth).toEqual(shown);
        expect(JSON.stringify(reply.body)).not.toContain("SECRET");
      }
      expect((await definitionOf(id)).http?.auth).toEqual(sent);
    });
  }

  test("are needed when they are new, or when the kind of authentication changes", async () => {
    const { create, patch } = toolsOf(await newWorld(server));
    for (const { shown } of AUTHS.slice(1)) {
      const reply = await create({ http: { ...http, auth: shown } });
      expectProblem(reply, "invalid_request");
      expectNamed(reply, "body.http.auth");
    }
    const { id } = (await create({ http: { ...http, auth: AUTHS[1]?.sent } })).body.tool;
    expectNamed(await patch(id, { http: { auth: AUTHS[2]?.shown } }), "body.http.auth");
    expect((await definitionOf(id)).http?.auth).toEqual(AUTHS[1]?.sent);
    await patch(id, { http: { auth: { type: "none" } } });
    expectNamed(await patch(id, { http: { auth: AUTHS[1]?.shown } }), "body.http.auth");
  });

  test("are replaced when they are sent, and stay when anything else changes", async () => {
    const { create, patch } = toolsOf(await newWorld(server));
    const { id } = (await create({ http: { ...http, auth: AUTHS[2]?.sent } })).body.tool;
    await patch(id, { name: "renamed", http: { timeout_ms: 500, url: "https://api.example.com/v2" } });
    expect((await definitionOf(id)).http).toMatchObject({ auth: AUTHS[2]?.sent, timeout_ms: 500 });
    await patch(id, { http: { auth: { type: "basic", username: "other" } } });
    expect((await definitionOf(id)).http?.auth).toEqual({
      type: "basic",
      username: "other",
      password: "SECRET-basic",
    });
    await patch(id, { http: { auth: { type: "basic", username: "other", password: "SECRET-new" } } });
    expect((await definitionOf(id)).http?.auth).toMatchObject({ password: "SECRET-new" });
  });

  test("in headers are hidden, and a hidden value that is sent back keeps them", async () => {
    const { create, patch } = toolsOf(await newWorld(server));
    const headers = {
      "X-Secret": "SECRET-1",
      Cookie: "SECRET-2",
      Accept: "text/plain",
      "content-type": "text/x",
    };
    const shown = { "X-Secret": HIDDEN, Cookie: HIDDEN, Accept: "text/plain", "content-type": "text/x" };
    const { tool } = (await create({ http: { ...http, headers } })).body;
    expect(tool.http.headers).toEqual(shown);
    const round = await patch(tool.id, { http: tool.http });
    expect(round.body.tool.http).toEqual(tool.http);
    expect((await definitionOf(tool.id)).http?.headers).toEqual(headers);
    await patch(tool.id, { http: { headers: { "X-Secret": HIDDEN, "X-New": "SECRET-3" } } });
    expect((await definitionOf(tool.id)).http?.headers).toEqual({
      "X-Secret": "SECRET-1",
      "X-New": "SECRET-3",
    });
  });

  test("do not follow the tool to another host unless they are sent again", async () => {
    const { create, patch } = toolsOf(await newWorld(server));
    const headers = { "X-Secret": "SECRET-1" };
    const { id } = (await create({ http: { ...http, headers, auth: AUTHS[1]?.sent } })).body.tool;
    const url = "https://elsewhere.example.net/orders";
    expectNamed(await patch(id, { http: { url } }), "body.http.auth.token");
    expectNamed(await patch(id, { http: { url, auth: { type: "none" } } }), "body.http.headers.X-Secret");
    expect((await definitionOf(id)).http).toMatchObject({ auth: AUTHS[1]?.sent, headers });
    const again = { url, auth: AUTHS[1]?.sent, headers: { "X-Secret": "SECRET-1" } };
    expect((await patch(id, { http: again })).status).toBe(200);
    expect((await patch(id, { http: { url: "https://elsewhere.example.net/v2" } })).status).toBe(200);
  });

  test("a hidden value that stands for nothing stored is refused", async () => {
    const { create, patch } = toolsOf(await newWorld(server));
    const hidden = { "X-Secret": HIDDEN };
    expectNamed(await create({ http: { ...http, headers: hidden } }), "body.http.headers.X-Secret");
    const { id } = (await create({})).body.tool;
    expectNamed(await patch(id, { http: { headers: hidden } }), "body.http.headers.X-Secret");
    const mcp = { url: "https://mcp.example.com/", headers: hidden };
    expectNamed(await create({ kind: "mcp", http: undefined, mcp }), "body.mcp.headers.X-Secret");
  });

  test("stand in no table, no log line, no trail and no remembered answer", async () => {
    const lines: string[] = [];
    const own = await startTestServer({ LOG_LEVEL: "trace" }, { onLog: (line) => lines.push(line) });
    const world = await newWorld(own);
    const { path } = toolsOf(world);
    const fields = { kind: "http", description: "d" };
    for (const [index, { sent }] of AUTHS.entries()) {
      const tool = {
        ...fields,
        name: `t${index}`,
        http: { ...http, auth: sent, headers: { "X-S": "SECRET-h" } },
      };
      const made = await world.api.post(path, tool, { "idempotency-key": `k${index}` });
      expect(made.status).toBe(200);
      await world.api.patch(`${path}/${made.body.tool.id}`, { http: { auth: sent } });
      await world.api.post(path, { ...tool, http: { ...tool.http, url: "nonsense" } });
      await world.api.post(path, { ...tool, extra: true });
      await world.api.post(path, tool);
    }
    own.app.log.info("the log is heard");
    const dump = await own.app.db.asSystem("superadmin", async (tx) => {
      const rows = [];
      for (const table of ["tools", "audit_events", "idempotency_keys", "jobs"] as const) {
        rows.push(
          ...(await sql<{ row: string }>`select t::text as row from ${sql.table(table)} t`.execute(tx)).rows,
        );
      }
      return rows.map(({ row }) => row).join("\n");
    });
    await own.close();
    expect(dump).toContain("v1.");
    expect(dump).not.toContain("SECRET");
    expect(dump).not.toContain(Buffer.from("SECRET").toString("hex"));
    expect(dump).not.toContain(Buffer.from("SECRET").toString("base64").slice(0, 8));
    expect(lines.join("")).toContain("the log is heard");
    expect(lines.join("")).not.toContain("SECRET");
  });
});

describe("attaching", () => {
  async function withTool() {
    const world = await newWorld(server);
    const tools = toolsOf(world);
    const { id } = (await tools.create({})).body.tool;
    const path = `/v1/workspace/${hex(world.workspaceSlug)}/tools`;
    return { ...world, tools, id, path };
  }

  test("twice is attaching once, and detaching ends it", async () => {
    const { api, id, path } = await withTool();
    for (let i = 0; i < 2; i += 1) {
      const { body } = await api.post(path, { tool_id: id });
      expect(body).toEqual({ success: true, tools: [expect.objectContaining({ id })] });
    }
    expect((await api.get(path)).body.tools).toHaveLength(1);
    expect((await api.delete(`${path}/${id}`)).body).toEqual({ success: true, tools: [] });
    expectProblem(await api.delete(`${path}/${id}`), "not_found");
    expect((await api.get(path)).body).toEqual({ tools: [], next_cursor: null });
  });

  test("by ten at once is attaching once", async () => {
    const { api, id, path } = await withTool();
    const replies = await Promise.all(Array.from({ length: 10 }, () => api.post(path, { tool_id: id })));
    expect(replies.map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect((await api.get(path)).body.tools).toHaveLength(1);
  });

  test("a tool of another organization is not found", async () => {
    const world = await withTool();
    const other = (await world.api.post("/v1/orgs", { name: "Other" })).body.organization;
    const foreign = await toolsOf({ ...world, orgSlug: other.originalSlug }).create({});
    const reply = await world.api.post(world.path, { tool_id: foreign.body.tool.id });
    expectProblem(reply, "not_found");
    expectProblem(await world.tools.patch(foreign.body.tool.id, { enabled: false }), "not_found");
    expectProblem(await world.api.delete(`${world.tools.path}/${foreign.body.tool.id}`), "not_found");
  });

  test("keeps a tool from being deleted, unless by force, which takes it from every workspace", async () => {
    const { api, id, path, tools, orgSlug } = await withTool();
    const second = (await api.post(`/v1/org/${hex(orgSlug)}/workspaces`, { name: "Second" })).body.workspace;
    await api.post(path, { tool_id: id });
    await api.post(`/v1/workspace/${second.slug}/tools`, { tool_id: id });
    const refused = await api.delete(`${tools.path}/${id}`);
    expectProblem(refused, "conflict");
    expect(refused.body.message).toContain("2 workspaces");
    expectProblem(await api.delete(`${tools.path}/${id}?force=false`), "conflict");
    for (const force of ["1", "yes", "TRUE", ""]) {
      expectNamed(await api.delete(`${tools.path}/${id}?force=${force}`), "query.force");
    }
    expect((await api.delete(`${tools.path}/${id}?force=true`)).body).toEqual({ success: true });
    expect((await api.get(path)).body.tools).toEqual([]);
    expect((await api.get(`/v1/workspace/${second.slug}/tools`)).body.tools).toEqual([]);
    expectProblem(await api.delete(`${tools.path}/${id}?force=true`), "not_found");
  });

  test("a tool that is not attached is deleted at once", async () => {
    const { api, id, tools } = await withTool();
    expect((await api.delete(`${tools.path}/${id}`)).body).toEqual({ success: true });
    expect((await api.get(tools.path)).body.tools).toEqual([]);
  });

  test("ends with the workspace, and the tool stays", async () => {
    const { api, id, path, tools, workspaceSlug } = await withTool();
    await api.post(path, { tool_id: id });
    await api.delete(`/v1/workspace/${hex(workspaceSlug)}`);
    expect((await api.get(tools.path)).body.tools).toHaveLength(1);
    expect((await api.delete(`${tools.path}/${id}`)).status).toBe(200);
  });

  test("lists go in pages, newest first", async () => {
    const { api, path, tools, id } = await withTool();
    const ids = [id];
    for (let i = 0; i < 4; i += 1) ids.unshift((await tools.create({})).body.tool.id);
    for (const tool_id of ids) await api.post(path, { tool_id });
    for (const list of [path, tools.path]) {
      const seen: string[] = [];
      let query = "?limit=2";
      while (query !== "") {
        const { body } = await api.get(list + query);
        seen.push(...body.tools.map((tool: { id: string }) => tool.id));
        query = body.next_cursor === null ? "" : `?limit=2&cursor=${body.next_cursor}`;
      }
      expect(seen).toEqual(ids);
    }
  });

  test("is seen by everyone who may read the account, and by nobody else", async () => {
    const { id, path, api, partner } = await withTool();
    await api.post(path, { tool_id: id });
    const stranger = await newWorld(server, partner);
    expect((await stranger.api.get(path)).body.tools).toEqual([]);
    expectProblem(await client(server.url, partner.key).get(path), "account_required");
  });
});
