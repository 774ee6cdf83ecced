import { beforeEach, describe, expect, test } from "vitest";
import { toolHouse, toolWorld } from "../../test/tool-support.ts";
import { callTool } from "./call-tool.ts";

const house = await toolHouse();
const { api } = house;
const { tokens } = api;
const world = await toolWorld(house);
const defaults = { ...tokens };
const base = `http://api.test:${api.port}`;

const auth = {
  type: "oauth2_client_credentials",
  token_url: `${base}/oauth/token`,
  client_id: tokens.clientId,
  client_secret: tokens.clientSecret,
  scopes: ["stock:read", "stock:write"],
  audience: "https://stock.example.com",
};
const attach = (own = world, more: object = {}) =>
  own.attach({ http: { method: "GET", url: `${base}/protected`, auth, ...more } });

beforeEach(() => {
  Object.assign(tokens, defaults, { asked: [], valid: new Set() });
  api.requests.length = 0;
});

describe("a tool that signs in with client credentials", () => {
  test("asks for a token as RFC 6749 says, and keeps it", async () => {
    const tool = await attach();
    for (let i = 0; i < 3; i += 1) expect(await world.call(tool)).toMatchObject({ status: "ok" });
    expect(tokens.asked).toEqual([
      { grant_type: "client_credentials", scope: "stock:read stock:write", audience: auth.audience },
    ]);
  });

  test("puts its credentials into the body where the server wants them there, and remembers", async () => {
    tokens.method = "post";
    tokens.expiresIn = 0;
    const tool = await attach();
    expect(await world.call(tool)).toMatchObject({ status: "ok" });
    expect(tokens.asked).toHaveLength(2);
    expect(await world.call(tool)).toMatchObject({ status: "ok" });
    expect(tokens.asked).toHaveLength(3);
    expect(tokens.asked[2]).toMatchObject({ client_id: auth.client_id, client_secret: auth.client_secret });
  });

  test("asks once for all calls that wait", async () => {
    tokens.delayMs = 100;
    const tool = await attach();
    const leaving = new AbortController();
    const first = world.call(tool, {}, leaving.signal);
    await expect.poll(() => tokens.asked.length).toBe(1);
    const others = Array.from({ length: 5 }, () => world.call(tool));
    // The one who asked first may leave; the token is for all.
    leaving.abort();
    expect(await first).toMatchObject({ code: "cancelled" });
    expect((await Promise.all(others)).map(({ status }) => status)).toEqual(Array(5).fill("ok"));
    expect(tokens.asked).toHaveLength(1);
  });

  test("gets another before the first is over, by the clock", async () => {
    tokens.expiresIn = 100;
    const tool = await attach();
    await world.call(tool);
    const { app } = house.server;
    const later = (seconds: number) => ({ ...app, now: () => new Date(Date.now() + seconds * 1_000) });
    const callAt = (seconds: number) =>
      callTool(later(seconds), world.context, tool, {}, new AbortController().signal);
    expect(await callAt(50)).toMatchObject({ status: "ok" });
    expect(tokens.asked).toHaveLength(1);
    expect(await callAt(85)).toMatchObject({ status: "ok" });
    expect(tokens.asked).toHaveLength(2);
  });

  test("gets another, once, when the service refuses the one it has", async () => {
    const tool = await attach();
    await world.call(tool);
    tokens.valid.clear();
    expect(await world.call(tool)).toMatchObject({ status: "ok" });
    expect(tokens.asked).toHaveLength(2);
    api.requests.length = 0;
    const refused = await attach(world, { url: `${base}/answer?code=401` });
    expect(await world.call(refused)).toMatchObject({ status: "failed", code: "http_error" });
    expect(api.requests).toHaveLength(2);
  });

  test("that was refused is renewed for every method, since nothing was done", async () => {
    const tool = await attach(world, { method: "POST" });
    await world.call(tool);
    tokens.valid.clear();
    expect(await world.call(tool)).toMatchObject({ status: "ok" });
  });

  test.each([
    ["another secret", { client_secret: "SECRET-wrong" }, "the token server answered 401 (invalid_client)"],
    [
      "a server that is not there",
      { token_url: "http://gone.test/token" },
      "the token server failed: its address",
    ],
    [
      "a private address",
      { token_url: "http://169.254.169.254/token" },
      "does not lead to the public internet",
    ],
    ["a redirect", { token_url: `${base}/redirect?code=307&to=http://other.test/` }, "another host"],
    ["another answer", { token_url: `${base}/answer?body=hello` }, "holds no usable access_token"],
  ])("with %s says so and sends nothing", async (_name, more, said) => {
    const tool = await attach(world, { url: `${base}/echo`, auth: { ...auth, ...more } });
    const outcome = await world.call(tool);
    expect(outcome).toMatchObject({ status: "failed", code: "sign_in_failed" });
    expect(outcome.content).toContain(said);
    expect(outcome.content).not.toContain("SECRET");
    expect(api.requests.filter(({ url }) => url === "/echo")).toEqual([]);
  });

  test.each([
    [{ status: 500, body: "SECRET-oauth/+ä" }, "answered 500"],
    [{ status: 400, body: '{"error":"invalid_scope"}' }, "answered 400 (invalid_scope)"],
    [{ status: 200, body: '{"access_token":"a b","token_type":"Bearer"}' }, "no usable access_token"],
    [{ status: 200, body: '{"access_token":"abc","token_type":"mac"}' }, "not of the type Bearer"],
  ])("that gets %j keeps no failure", async (answer, said) => {
    tokens.failNext = answer;
    const tool = await attach();
    const outcome = await world.call(tool);
    expect(outcome).toMatchObject({ status: "failed", code: "sign_in_failed" });
    expect(outcome.content).toContain(said);
    expect(outcome.content).not.toContain("SECRET");
    expect(await world.call(tool)).toMatchObject({ status: "ok" });
  });

  test("shows its token to nobody", async () => {
    const tool = await attach();
    const outcome = await world.call(tool);
    expect(outcome).toMatchObject({ status: "ok", content: '{"stock":7,"yourToken":"[redacted]"}' });
    const [row] = await world.ledger("?limit=1");
    expect(JSON.stringify(row)).not.toContain("SECRET");
    expect(house.lines.join("")).not.toContain("SECRET");
  });
});

describe("a token", () => {
  test("serves one tool only: not another tenant's, nor another tool of the same", async () => {
    const stranger = await toolWorld(house);
    const mine = await attach();
    await world.call(mine);
    const theirs = await attach(stranger);
    await stranger.call(theirs);
    await world.call(await attach());
    expect(tokens.asked).toHaveLength(3);
    const sent = api.requests.map(({ headers }) => headers.authorization);
    expect(new Set(sent).size).toBe(3);
  });

  test("ends with the secret that it was obtained by", async () => {
    const tool = await attach();
    await world.call(tool);
    const path = `/v1/org/${Buffer.from(world.orgSlug).toString("hex")}/tools/${tool.toolId}`;
    await world.api.patch(path, { http: { auth: { ...auth, client_secret: "SECRET-wrong" } } });
    expect(await world.call(tool)).toMatchObject({ status: "failed", code: "sign_in_failed" });
  });
});
