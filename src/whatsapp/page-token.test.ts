import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  finished,
  mintToken,
  newConnectedWorld,
  postOnboard,
  startWhatsAppServer,
  type WhatsAppServer,
  whatsappPath,
} from "../../test/onboard-support.ts";
import { client, hex, newKey, newWorld, operator, send, testServer, type World } from "../../test/support.ts";
import { createKey, revokeKey } from "../partners/keys.service.ts";
import { hashPageToken, viewPageToken } from "./page-token.ts";

let whatsapp: WhatsAppServer;

beforeAll(async () => {
  whatsapp = await startWhatsAppServer({ PUBLIC_URL: "https://lumenone.example.com" });
});
afterAll(() => whatsapp.close());

const OURS = { origin: "https://lumenone.example.com" };
const view = (world: World, token: string, options?: { rendered?: boolean }, now?: Date) =>
  viewPageToken(
    now === undefined ? whatsapp.server.app : { ...whatsapp.server.app, now: () => now },
    hex(world.workspaceSlug),
    token,
    options,
  );
const stateOf = async (world: World, token: string, now?: Date) => (await view(world, token, {}, now)).state;
const allow = (world: World, ...origins: string[]) =>
  client(whatsapp.server.url, world.partner.key).patch(`/v1/accounts/${world.accountId}`, {
    allowed_origins: origins,
  });
const mint = (world: World, body?: object) => world.api.post(whatsappPath(world, "/connect-token"), body);

describe("a link to the page", () => {
  test("is made as the reference shows it: two headers, no body, no content type", async () => {
    const world = await newWorld(whatsapp.server);
    const path = whatsappPath(world, "/connect-token");
    const headers = { authorization: `Bearer ${world.partner.key}`, "x-account-id": world.accountId };
    const { status, body } = await send(whatsapp.server.url, "POST", path, headers);
    expect(status).toBe(200);
    expect(body).toEqual({
      success: true,
      token: expect.stringMatching(/^lo_wac_[A-Za-z0-9_-]{43}$/),
      expires_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      connect_url: `https://lumenone.example.com/api/v1/workspace/${hex(world.workspaceSlug)}/whatsapp/connect-page?token=${body.token}`,
    });
    const minutes = (Date.parse(body.expires_at) - Date.now()) / 60_000;
    expect(minutes).toBeGreaterThan(29.5);
    expect(minutes).toBeLessThanOrEqual(30);
  });

  test("is bound to the one origin that the account allows, or to that which is named", async () => {
    const world = await newWorld(whatsapp.server);
    await allow(world, "https://app.example.com");
    expect(await view(world, await mintToken(world))).toMatchObject({
      state: "valid",
      slug: hex(world.workspaceSlug),
      accountName: "Acme",
      workspaceName: "Support",
      embedOrigin: "https://app.example.com",
      allowedOrigins: ["https://app.example.com"],
      allowTopLevel: false,
      mode: "new",
      expectedPhone: null,
      resumable: false,
      outcome: null,
    });
    await allow(world, "https://app.example.com", "https://two.example.com");
    const unnamed = await mint(world);
    expect([unnamed.status, unnamed.body.details[0].path]).toEqual([400, "body.embed_origin"]);
    const named = await mintToken(world, {
      embed_origin: "https://two.example.com",
      allow_top_level: true,
      expected_phone: "+4930123456",
      mode: "coexistence",
    });
    expect(await view(world, named)).toMatchObject({
      embedOrigin: "https://two.example.com",
      allowTopLevel: true,
      mode: "coexistence",
      expectedPhone: "+4930123456",
    });
    const foreign = await mint(world, { embed_origin: "https://evil.example.com" });
    expect([foreign.status, foreign.body.details[0].path]).toEqual([400, "body.embed_origin"]);
  });

  test("of an account without origins opens the page on its own only", async () => {
    const world = await newWorld(whatsapp.server);
    expect(await view(world, await mintToken(world, { allow_top_level: false }))).toMatchObject({
      embedOrigin: null,
      allowTopLevel: true,
    });
  });

  test.each([
    { ttl_seconds: 59 },
    { ttl_seconds: 3_601 },
    { mode: "other" },
    { expected_phone: "030 123456" },
    { surprise: 1 },
  ])("is not made with %j: 400", async (body) => {
    const world = await newWorld(whatsapp.server);
    expect((await mint(world, body)).status).toBe(400);
  });

  test("lives as long as it was made for", async () => {
    const world = await newWorld(whatsapp.server);
    const token = await mintToken(world, { ttl_seconds: 60 });
    expect(await stateOf(world, token)).toBe("valid");
    expect(await stateOf(world, token, new Date(Date.now() + 61_000))).toBe("expired");
  });

  test("is not used up by being rendered, however often", async () => {
    const world = await newWorld(whatsapp.server);
    const token = await mintToken(world);
    for (let i = 0; i < 3; i += 1) expect((await view(world, token, { rendered: true })).state).toBe("valid");
    const business = whatsapp.meta.addBusiness();
    const reply = await postOnboard(whatsapp.server.url, world, token, finished(whatsapp, business), OURS);
    expect(reply.body.status).toBe("active");
    expect(await view(world, token)).toMatchObject({ state: "used", outcome: { status: "active" } });
  });

  test("ends the one before it", async () => {
    const world = await newWorld(whatsapp.server);
    const first = await mintToken(world);
    const second = await mintToken(world);
    expect([await stateOf(world, first), await stateOf(world, second)]).toEqual(["revoked", "valid"]);
    const reply = await postOnboard(whatsapp.server.url, world, first, { code: "x" }, OURS);
    expect([reply.status, reply.body.code, reply.body.error.code]).toEqual([410, "gone", "link_revoked"]);
  });

  test("ends with its key, the suspension of its account, and its workspace", async () => {
    const world = await newWorld(whatsapp.server);
    const partnerApi = client(whatsapp.server.url, world.partner.key);
    const { id, key } = await createKey(whatsapp.server.app, operator(world.partner.id), {});
    const keyed = { ...world, api: client(whatsapp.server.url, key, world.accountId) };
    const token = await mintToken(keyed);
    await partnerApi.post(`/v1/accounts/${world.accountId}/suspend`);
    expect(await stateOf(world, token)).toBe("revoked");
    await partnerApi.post(`/v1/accounts/${world.accountId}/resume`);
    expect(await stateOf(world, token)).toBe("valid");
    await revokeKey(whatsapp.server.app, operator(world.partner.id), id);
    expect(await stateOf(world, token)).toBe("revoked");
    const other = await mintToken(world);
    await world.api.delete(`/v1/workspace/${hex(world.workspaceSlug)}`);
    expect(await stateOf(world, other)).not.toBe("valid");
  });

  test("is unknown in another workspace, with another text, and when it never was", async () => {
    const world = await newWorld(whatsapp.server);
    const token = await mintToken(world);
    const foreign = { ...world, workspaceSlug: "elsewhere" };
    expect(await view(foreign, token)).toEqual({ state: "unknown" });
    for (const text of ["", "x", token.slice(0, -1), `${token}x`, `lo_wac_${"a".repeat(43)}`])
      expect(await view(world, text)).toEqual({ state: "unknown" });
  });

  test("is made at most ten times a minute for a workspace", async () => {
    const world = await newWorld(whatsapp.server);
    const replies = [];
    for (let i = 0; i < 11; i += 1) replies.push(await mint(world));
    expect(replies.map(({ status }) => status)).toEqual([...Array(10).fill(200), 429]);
    expect(replies[10]?.headers.get("retry-after")).toBe("60");
  });

  test("is made again for every request, whatever Idempotency-Key it has: a secret is not stored", async () => {
    const world = await newWorld(whatsapp.server);
    const once = () =>
      world.api.post(whatsappPath(world, "/connect-token"), undefined, { "idempotency-key": "k" });
    expect((await once()).body.token).not.toBe((await once()).body.token);
  });

  test("to a workspace that has a number is made to sign in to it again, or not at all", async () => {
    const { world, business, connectionId } = await newConnectedWorld(whatsapp);
    const refused = await mint(world);
    expect([refused.status, refused.body.code]).toEqual([409, "conflict"]);
    const token = await mintToken(world, { mode: "reauth" });
    const other = whatsapp.meta.addBusiness();
    const wrong = await postOnboard(whatsapp.server.url, world, token, finished(whatsapp, other), OURS);
    expect([wrong.status, wrong.body.error.code]).toEqual([422, "number_mismatch"]);
    expect((await world.api.get(whatsappPath(world))).body.whatsapp.status).toBe("active");
    const done = await postOnboard(whatsapp.server.url, world, token, finished(whatsapp, business), OURS);
    expect(done.body).toMatchObject({ status: "active", connection_id: connectionId });
  });

  test("needs a key that may write, a workspace of the account, and a configured installation", async () => {
    const world = await newWorld(whatsapp.server);
    const reader = await newKey(whatsapp.server.app, world.partner.id, { scopes: ["whatsapp:read"] });
    const path = whatsappPath(world, "/connect-token");
    expect((await client(whatsapp.server.url, reader, world.accountId).post(path)).status).toBe(403);
    expect((await world.api.post(`/v1/workspace/${hex("nowhere")}/whatsapp/connect-token`)).status).toBe(404);
    const unconfigured = await newWorld(await testServer());
    const { status, body } = await mint(unconfigured);
    expect([status, body.code]).toEqual([409, "conflict"]);
    expect(body.message).toContain("META_APP_ID");
  });
});

describe("a signup that was begun", () => {
  test("can be gone on with for a day, although the link has expired", async () => {
    const world = await newWorld(whatsapp.server);
    const business = whatsapp.meta.addBusiness({ numbers: [{ pin: "135790" }] });
    const token = await mintToken(world, { ttl_seconds: 60 });
    await postOnboard(whatsapp.server.url, world, token, finished(whatsapp, business), OURS);
    await setExpiry(token, new Date(Date.now() - 3_600_000));
    expect(await view(world, token)).toMatchObject({
      state: "valid",
      resumable: true,
      outcome: { needs: "pin" },
    });
    const tomorrow = new Date(Date.now() + 24.1 * 3_600_000);
    expect(await stateOf(world, token, tomorrow)).toBe("expired");
    const reply = await postOnboard(whatsapp.server.url, world, token, { pin: "135790" }, OURS);
    expect(reply.body.status).toBe("active");
  });

  test("whose page was open when the link expired is taken for five minutes more; otherwise it is too late", async () => {
    for (const rendered of [true, false]) {
      const world = await newWorld(whatsapp.server);
      const token = await mintToken(world);
      if (rendered) await view(world, token, { rendered: true }, new Date(Date.now() - 1_800_000));
      await setExpiry(token, new Date(Date.now() - 60_000));
      const business = whatsapp.meta.addBusiness();
      const reply = await postOnboard(whatsapp.server.url, world, token, finished(whatsapp, business), OURS);
      if (rendered) expect(reply.body.status).toBe("active");
      else expect([reply.status, reply.body.error.code]).toEqual([410, "link_expired"]);
    }
  });
});

async function setExpiry(token: string, at: Date): Promise<void> {
  await whatsapp.server.app.db.asSystem("superadmin", (tx) =>
    tx
      .updateTable("whatsapp_page_tokens")
      .set({ expires_at: at })
      .where("hash", "=", hashPageToken(token))
      .execute(),
  );
}
