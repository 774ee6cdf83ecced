import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { startMcpServer } from "../../test/simulators/mcp-server/mcp-server.ts";
import { hex } from "../../test/support.ts";
import { type ToolWorld, toolHouse, toolWorld } from "../../test/tool-support.ts";
import type { CallableTool } from "./callable.ts";

const plain = await startMcpServer({ jsonAnswers: true });
const polling = await startMcpServer({ resumable: true });
afterAll(() => Promise.all([plain.close(), polling.close()]));
const house = await toolHouse({ allowHosts: [`mcp.test:${plain.port}`, `mcp.test:${polling.port}`] });
const { mcp, other } = house;
const base = `http://mcp.test:${mcp.port}`;
const world = await toolWorld(house);

const attach = (fields: object = {}, own = world) =>
  own.attach({ kind: "mcp", mcp: { url: `${base}/mcp`, ...fields } });
const named = (tool: CallableTool, name: string): CallableTool => ({ ...tool, mcpTool: name });

/** What the assistant would call, by the name that the model knows. */
async function find(own: ToolWorld, name: string): Promise<CallableTool> {
  const { tools } = await own.list();
  const found = tools.find(({ chat }) => chat.name === name);
  if (found === undefined) throw new Error(`${name} is not among ${tools.map(({ chat }) => chat.name)}`);
  return found;
}

beforeEach(() => {
  mcp.requests.length = 0;
  mcp.calls.length = 0;
  mcp.authorization = null;
});

describe("the tools of an MCP server", () => {
  test("are listed page by page, under names that models take", async () => {
    const own = await toolWorld(house);
    const { toolId } = await own.attach({ kind: "mcp", name: "crm", mcp: { url: `${base}/mcp` } });
    const { tools, unavailable } = await own.list();
    expect(unavailable).toEqual([]);
    expect(tools.map(({ mcpTool }) => mcpTool)).toEqual(mcp.tools.map(({ name }) => name));
    expect(tools[0]).toEqual({
      toolId,
      mcpTool: "echo",
      acts: true,
      chat: { name: "crm__echo", description: "Says it again.", parameters: mcp.tools[0]?.inputSchema },
    });
    expect(tools[1]?.chat.description).toBe("A tool.");
    expect(tools[6]?.chat.name).toMatch(/^crm__files_read_all_[0-9a-f]{8}$/);
    for (const { chat } of tools) expect(chat.name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    const lists = mcp.requests.filter(({ rpc }) => rpc === "tools/list");
    expect(lists).toHaveLength(4);
    await own.list();
    expect(mcp.requests.filter(({ rpc }) => rpc === "tools/list")).toHaveLength(4);
  });

  test("keep names that are too long apart", async () => {
    const own = await toolWorld(house);
    const long = "x".repeat(60);
    mcp.tools.push({ name: `${long}_one`, inputSchema: { type: "object" } });
    mcp.tools.push({ name: `${long}_two`, inputSchema: { type: "object" } });
    await own.attach({
      kind: "mcp",
      name: "crm",
      mcp: { url: `${base}/mcp`, allowed_tools: [`${long}_one`, `${long}_two`] },
    });
    const names = (await own.list()).tools.map(({ chat }) => chat.name);
    mcp.tools.splice(-2);
    expect(new Set(names).size).toBe(2);
    for (const name of names) expect(name).toHaveLength(64);
  });

  test("are those that are allowed, in the list and in a call", async () => {
    const own = await toolWorld(house);
    const tool = await own.attach({
      kind: "mcp",
      name: "crm",
      mcp: { url: `${base}/mcp`, allowed_tools: ["echo"] },
    });
    expect((await own.list()).tools.map(({ mcpTool }) => mcpTool)).toEqual(["echo"]);
    const outcome = await own.call(named(tool, "add"), { a: 1, b: 2 });
    expect(outcome).toMatchObject({ status: "failed", code: "tool_unavailable" });
    expect(mcp.calls).toEqual([]);
  });

  test("stand beside HTTP tools, and only while they are enabled and attached", async () => {
    const own = await toolWorld(house);
    const http = await own.attach({
      name: "stock",
      http: { method: "GET", url: "https://api.example.com/" },
    });
    const crm = await own.attach({
      kind: "mcp",
      name: "crm",
      mcp: { url: `${base}/mcp`, allowed_tools: ["echo"] },
    });
    const names = async () => (await own.list()).tools.map(({ chat }) => chat.name);
    expect(await names()).toEqual(["stock", "crm__echo"]);
    const path = `/v1/org/${hex(own.orgSlug)}/tools`;
    await own.api.patch(`${path}/${http.toolId}`, { enabled: false });
    expect(await names()).toEqual(["crm__echo"]);
    expect(await own.call(http)).toMatchObject({ status: "failed", code: "tool_unavailable" });
    await own.api.delete(`/v1/workspace/${hex(own.workspaceSlug)}/tools/${crm.toolId}`);
    expect(await names()).toEqual([]);
    expect(await own.call(crm, { text: "x" })).toMatchObject({ status: "failed", code: "tool_unavailable" });
    expect((await own.ledger()).map(({ code }: { code: string }) => code)).toEqual([
      "tool_unavailable",
      "tool_unavailable",
    ]);
  });

  test.each([
    ["http://169.254.169.254/mcp", "address_refused"],
    [`http://other.test:${other.port}/answer?code=500`, "http_error"],
    [`http://other.test:${other.port}/answer?type=text/plain&body=hi`, "http_error"],
    [`http://other.test:${other.port}/answer?type=application/json&body=hi`, "bad_response"],
    [`http://other.test:${other.port}/answer?type=application/json&body={}`, "bad_response"],
    [`http://other.test:${other.port}/answer?x=1&fail=m&times=9`, "unreachable"],
  ])("of a server such as %s are said to be unavailable, and the others are offered", async (url, reason) => {
    const own = await toolWorld(house);
    await own.attach({ kind: "mcp", name: "gone", mcp: { url } });
    await own.attach({ name: "stock", http: { method: "GET", url: "https://api.example.com/" } });
    const { tools, unavailable } = await own.list();
    expect(tools.map(({ chat }) => chat.name)).toEqual(["stock"]);
    expect(unavailable).toEqual([{ name: "gone", reason }]);
    const asked = other.requests.length;
    await own.list();
    expect(other.requests.length).toBe(asked);
  });

  test("that do not come are waited for so long that a turn can bear it", async () => {
    const own = await toolWorld(house);
    await own.attach({
      kind: "mcp",
      name: "hangs",
      mcp: { url: `http://other.test:${other.port}/hang?long` },
    });
    const begun = performance.now();
    expect(await own.list()).toEqual({ tools: [], unavailable: [{ name: "hangs", reason: "timeout" }] });
    expect(performance.now() - begun).toBeLessThan(9_000);
  });

  test("are not waited for by one who leaves", async () => {
    const own = await toolWorld(house);
    await own.attach({ kind: "mcp", name: "hangs", mcp: { url: `http://other.test:${other.port}/hang` } });
    await expect(own.list(AbortSignal.timeout(100))).rejects.toThrow(/abort|timeout/i);
  });
});

describe("a call of an MCP tool", () => {
  test("brings its text, over the session that is already open", async () => {
    const own = await toolWorld(house);
    await own.attach({ kind: "mcp", name: "crm", mcp: { url: `${base}/mcp` } });
    const echo = await find(own, "crm__echo");
    const before = mcp.requests.filter(({ rpc }) => rpc === "initialize").length;
    for (const text of ["Grüße 🍮", "two"]) {
      expect(await own.call(echo, { text })).toMatchObject({
        status: "ok",
        content: text,
        bytes: expect.any(Number),
      });
    }
    expect(mcp.requests.filter(({ rpc }) => rpc === "initialize")).toHaveLength(before);
    expect(new Set(mcp.calls.map(({ sessionId }) => sessionId)).size).toBe(1);
    expect(await own.ledger("?limit=1")).toMatchObject([
      { tool_name: "crm__echo", tool_id: echo.toolId, status: "ok", code: null, http_status: 200 },
    ]);
    // The stream that a server could notify us on is not held open.
    expect(mcp.requests.filter(({ http }) => http === "GET")).toEqual([]);
  });

  test("is checked against the schema that the server gave", async () => {
    const own = await toolWorld(house);
    await own.attach({ kind: "mcp", name: "crm", mcp: { url: `${base}/mcp` } });
    expect(await own.call(await find(own, "crm__echo"), { text: 5 })).toMatchObject({
      code: "invalid_arguments",
    });
    expect(mcp.calls).toEqual([]);
  });

  test.each([
    ["add", { a: 2, b: 3 }, { status: "ok", content: '{"sum":5}' }],
    ["picture", {}, { status: "ok", content: "Look:\n\n[a picture, left out]" }],
    [
      "fail",
      { text: "stock" },
      { status: "failed", code: "tool_error", content: "The tool reported an error: no stock" },
    ],
    [
      "nowhere",
      {},
      { status: "failed", code: "tool_error", content: expect.stringContaining("there is no nowhere") },
    ],
    [
      "huge",
      {},
      { status: "failed", code: "response_too_large", content: expect.stringContaining("was carried out") },
    ],
    ["huge", { length: 3_000_000 }, { status: "failed", code: "response_too_large" }],
  ])("of %s with %j", async (name, args, outcome) => {
    expect(await world.call(named(await attach(), name), args)).toMatchObject(outcome);
  });

  test("works with a server that answers in JSON", async () => {
    const tool = await attach({ url: `http://mcp.test:${plain.port}/mcp` });
    expect(await world.call(tool, { text: "hi" })).toMatchObject({ status: "ok", content: "hi" });
  });

  test("is gone on with when the server closes the stream before it answers", async () => {
    const tool = await attach({ url: `http://mcp.test:${polling.port}/mcp` });
    const outcome = await world.call(named(tool, "poll"));
    expect(outcome).toMatchObject({ status: "ok", content: "gone on with" });
    const resumed = polling.requests.filter(({ http }) => http === "GET");
    expect(resumed.length).toBeGreaterThan(0);
    expect(polling.calls).toHaveLength(1);
  });

  test("that is taken back is taken back at the server", async () => {
    const tool = named(await attach(), "slow");
    const leaving = new AbortController();
    const calling = world.call(tool, {}, leaving.signal);
    await expect.poll(() => mcp.calls.length).toBe(1);
    const { cancelled } = mcp;
    leaving.abort();
    expect(await calling).toMatchObject({ status: "failed", code: "cancelled" });
    await expect.poll(() => mcp.cancelled).toBe(cancelled + 1);
    await expect.poll(() => mcp.open()).toBe(0);
    expect(mcp.requests.at(-1)).toMatchObject({ rpc: "notifications/cancelled" });
    // The session is as good as before.
    expect(await world.call(named(tool, "echo"), { text: "still here" })).toMatchObject({
      content: "still here",
    });
  });

  test("opens a new session when the server has forgotten the old one, and is made once", async () => {
    const tool = await attach();
    await world.call(tool, { text: "one" });
    mcp.forgetSessions();
    mcp.calls.length = 0;
    expect(await world.call(tool, { text: "two" })).toMatchObject({ status: "ok", content: "two" });
    expect(mcp.calls).toHaveLength(1);
  });

  test("whose answer breaks off fails at once, and is not made again", async () => {
    const tool = await attach({ url: `${base}/broken` });
    const begun = performance.now();
    const outcome = await world.call(tool, { text: "x" });
    expect(outcome).toMatchObject({ status: "failed", code: "unreachable" });
    expect(outcome.content).toContain("It is not known whether the request took effect.");
    expect(performance.now() - begun).toBeLessThan(20_000);
    expect(mcp.requests.filter(({ rpc }) => rpc === "tools/call")).toHaveLength(1);
  });
});

describe("the secrets of an MCP tool", () => {
  test("go to its server with every request, and nowhere else", async () => {
    mcp.authorization = "Bearer SECRET-mcp-token";
    const tool = await attach({
      headers: { Authorization: "Bearer SECRET-mcp-token", "mcp-session-id": "mine" },
    });
    const outcome = await world.call(tool, { text: "you sent SECRET-mcp-token" });
    expect(outcome).toMatchObject({ status: "ok", content: "you sent [redacted]" });
    for (const { headers } of mcp.requests) expect(headers.authorization).toBe(mcp.authorization);
    const wrong = await attach({ headers: { Authorization: "Bearer SECRET-other-token" } });
    const refused = await world.call(wrong, { text: "x" });
    expect(refused).toMatchObject({
      status: "failed",
      code: "http_error",
      content: "The tool's server answered 401.",
    });
    expect(JSON.stringify(await world.ledger())).not.toContain("SECRET");
    expect(house.lines.join("")).not.toContain("SECRET");
  });

  test.each([`http://other.test:${other.port}/echo`, "http://169.254.169.254/latest", "http://127.0.0.1/"])(
    "do not follow a redirect to %s",
    async (to) => {
      other.requests.length = 0;
      const url = `${base}/redirect?${encodeURIComponent(to)}`;
      const tool = await attach({ url, headers: { Authorization: "Bearer SECRET-mcp-token" } });
      const outcome = await world.call(tool, { text: "x" });
      expect(outcome).toMatchObject({
        status: "failed",
        code: "http_error",
        content: "The tool's server answered 307.",
      });
      expect(other.requests).toEqual([]);
    },
  );
});

describe("a session", () => {
  test("is one tool's: not another tenant's, nor another tool's of the same", async () => {
    const stranger = await toolWorld(house);
    await world.call(await attach(), { text: "mine" });
    await world.call(await attach(), { text: "mine too" });
    await stranger.call(await attach({}, stranger), { text: "theirs" });
    expect(new Set(mcp.calls.map(({ sessionId }) => sessionId)).size).toBe(3);
  });

  test("ends when the definition changes, and its list too", async () => {
    const own = await toolWorld(house);
    const tool = await own.attach({ kind: "mcp", name: "crm", mcp: { url: `${base}/mcp` } });
    await own.call(tool, { text: "x" });
    expect((await own.list()).tools).toHaveLength(7);
    await own.api.patch(`/v1/org/${hex(own.orgSlug)}/tools/${tool.toolId}`, {
      mcp: { allowed_tools: ["echo"] },
    });
    expect((await own.list()).tools).toHaveLength(1);
    await own.call(tool, { text: "x" });
    expect(new Set(mcp.calls.map(({ sessionId }) => sessionId)).size).toBe(2);
  });
});
