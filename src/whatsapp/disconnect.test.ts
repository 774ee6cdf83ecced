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
import type { SimBusiness } from "../../test/simulators/meta/meta-world.ts";
import { client, hex, newWorld, type World } from "../../test/support.ts";

let whatsapp: WhatsAppServer;

beforeAll(async () => {
  whatsapp = await startWhatsAppServer();
});
afterAll(() => whatsapp.close());

const disconnect = (world: World, query = "") => world.api.delete(`${whatsappPath(world)}${query}`);
const shown = async (world: World) => (await world.api.get(whatsappPath(world))).body.whatsapp;

async function connectionOf(connectionId: string) {
  return whatsapp.server.app.db.asSystem("superadmin", (tx) =>
    tx.selectFrom("whatsapp_connections").selectAll().where("id", "=", connectionId).executeTakeFirst(),
  );
}

function calls(business: SimBusiness, what: string): number {
  const ids = [business.wabaId, ...business.numbers.map(({ id }) => id)];
  return whatsapp.meta.requests.filter(({ method, path }) =>
    ids.some((id) => `${method} ${path}`.endsWith(what.replace(":id", id))),
  ).length;
}

const UNSUBSCRIBE = "DELETE /v25.0/:id/subscribed_apps";
const DEREGISTER = "/:id/deregister";

describe("a workspace without WhatsApp", () => {
  test("is shown as that, and disconnecting it changes nothing", async () => {
    const world = await newWorld(whatsapp.server);
    expect(await shown(world)).toMatchObject({
      status: "not_connected",
      next_step: { what: "connect" },
      connection_id: null,
      number: null,
    });
    const { status, body } = await disconnect(world);
    expect([status, body]).toEqual([200, { success: true, status: "disconnected", remote_pending: false }]);
    expect((await world.api.post(whatsappPath(world, "/reveal-pin"))).status).toBe(404);
  });
});

describe("a number is disconnected", () => {
  test("at once for us; then Meta is told and the token erased; the number stays registered", async () => {
    const { world, business, connectionId } = await newConnectedWorld(whatsapp);
    const { status, body } = await disconnect(world);
    expect([status, body.success]).toEqual([200, true]);
    expect(["disconnecting", "disconnected"]).toContain(body.status);
    await expect.poll(async () => (await shown(world)).status).toBe("disconnected");
    expect(await connectionOf(connectionId)).toMatchObject({ token: null, status_reason: "by_partner" });
    expect(calls(business, UNSUBSCRIBE)).toBe(1);
    expect(calls(business, DEREGISTER)).toBe(0);
    expect(business.numbers[0]?.status).toBe("CONNECTED");
  });

  test("any number of times with one effect, and its PIN is still the customer's", async () => {
    const { world, business } = await newConnectedWorld(whatsapp);
    await disconnect(world);
    await expect.poll(async () => (await shown(world)).status).toBe("disconnected");
    const again = await disconnect(world);
    expect(again.body).toEqual({ success: true, status: "disconnected", remote_pending: false });
    expect(calls(business, UNSUBSCRIBE)).toBe(1);
    const pin = (await world.api.post(whatsappPath(world, "/reveal-pin"))).body;
    expect(pin).toMatchObject({ pin: business.numbers[0]?.pin, number: `+${business.numbers[0]?.digits}` });
    const { audit_events: trail } = (await world.api.get("/v1/audit-events")).body;
    const actions = trail.map(({ action }: { action: string }) => action);
    expect(actions.filter((action: string) => action === "whatsapp.disconnected")).toHaveLength(1);
  });

  test("and released when that is asked for, but never in coexistence", async () => {
    const plain = await newConnectedWorld(whatsapp);
    await disconnect(plain.world, "?release_number=true");
    await expect.poll(() => plain.business.numbers[0]?.status).toBe("DISCONNECTED");
    const business = whatsapp.meta.addBusiness({ numbers: [{ isOnBizApp: true }] });
    const { world } = await newConnectedWorld(whatsapp, { business });
    await disconnect(world, "?release_number=true");
    await expect.poll(async () => (await shown(world)).status).toBe("disconnected");
    expect(calls(business, DEREGISTER)).toBe(0);
    expect((await disconnect(world, "?release_number=yes")).status).toBe(400);
  });

  test("while Meta is down: over here all the same, and Meta is told when it is back", async () => {
    const { world, business, connectionId } = await newConnectedWorld(whatsapp);
    whatsapp.meta.fail({ method: "DELETE", path: business.wabaId }, { code: 2 }, 1);
    expect((await disconnect(world)).body).toEqual({
      success: true,
      status: "disconnecting",
      remote_pending: true,
    });
    expect((await connectionOf(connectionId))?.token).not.toBeNull();
    await expect.poll(async () => (await connectionOf(connectionId))?.token, { timeout: 20_000 }).toBeNull();
    expect(calls(business, UNSUBSCRIBE)).toBe(2);
    expect((await shown(world)).status).toBe("disconnected");
  }, 40_000);

  test("whose token is no longer good, without anybody to tell", async () => {
    const { world, business, connectionId } = await newConnectedWorld(whatsapp);
    whatsapp.meta.endTokens(business, "revoked");
    await disconnect(world);
    await expect.poll(async () => (await connectionOf(connectionId))?.status).toBe("disconnected");
    expect((await connectionOf(connectionId))?.token).toBeNull();
  });

  test("while another of its account stays: the account is unsubscribed with the last one", async () => {
    const business = whatsapp.meta.addBusiness({ numbers: [{}, {}] });
    const worlds = [];
    for (const number of business.numbers) {
      const world = await newWorld(whatsapp.server);
      const sent = { ...finished(whatsapp, business), phone_number_id: number.id };
      const reply = await postOnboard(whatsapp.server.url, world, await mintToken(world), sent);
      expect(reply.body.status).toBe("active");
      worlds.push(world);
    }
    for (const [index, world] of worlds.entries()) {
      await disconnect(world);
      await expect.poll(async () => (await shown(world)).status).toBe("disconnected");
      expect(calls(business, UNSUBSCRIBE)).toBe(index);
    }
  });

  test("and connected again, with the PIN it has; its conversations are the workspace's as before", async () => {
    const { world, business } = await newConnectedWorld(whatsapp);
    const [number] = business.numbers;
    await disconnect(world, "?release_number=true");
    await expect.poll(() => number?.status).toBe("DISCONNECTED");
    const again = await newConnectedWorld(whatsapp, { business, world });
    expect(await shown(world)).toMatchObject({ status: "active", connection_id: again.connectionId });
    expect((await world.api.post(whatsappPath(world, "/reveal-pin"))).body.pin).toBe(number?.pin);
  });

  test("with the links and signups that were open: they end with it", async () => {
    const world = await newWorld(whatsapp.server);
    const business = whatsapp.meta.addBusiness({ numbers: [{ pin: "112233" }] });
    const token = await mintToken(world);
    const begun = await postOnboard(whatsapp.server.url, world, token, finished(whatsapp, business));
    expect(begun.body.needs).toBe("pin");
    await disconnect(world);
    const late = await postOnboard(whatsapp.server.url, world, token, { pin: "112233" });
    expect([late.status, late.body.error.code]).toEqual([410, "link_revoked"]);
    await expect.poll(async () => (await connectionOf(begun.body.connection_id))?.token).toBeNull();
  });

  test("tells partners once, and only of what was connected", async () => {
    const world = await newWorld(whatsapp.server);
    await world.api.post("/v1/webhook-endpoints", { url: "https://partner.example.com/hooks" });
    const { connectionId } = await newConnectedWorld(whatsapp, { world });
    await disconnect(world);
    await disconnect(world);
    const events = await whatsapp.server.app.db.asSystem("superadmin", (tx) =>
      tx
        .selectFrom("webhook_events")
        .select("type")
        .where("subject_id", "=", connectionId)
        .orderBy("sequence")
        .execute(),
    );
    expect(events.map(({ type }) => type)).toEqual(["whatsapp.connected", "whatsapp.disconnected"]);
  });
});

describe("what is deleted", () => {
  const below: [what: string, remove: (world: World) => Promise<{ status: number }>][] = [
    ["a workspace", (world) => world.api.delete(`/v1/workspace/${hex(world.workspaceSlug)}`)],
    ["an organization", (world) => world.api.delete(`/v1/org/${hex(world.orgSlug)}`)],
    [
      "an account",
      (world) =>
        client(whatsapp.server.url, world.partner.key).delete(`/v1/accounts/${world.accountId}`, {
          confirm: "Acme",
        }),
    ],
  ];
  test.each(below)("%s: Meta is told, and no row is left", async (_, remove) => {
    const { world, business, connectionId } = await newConnectedWorld(whatsapp);
    expect((await remove(world)).status).toBe(200);
    expect(calls(business, UNSUBSCRIBE)).toBe(1);
    expect(await connectionOf(connectionId)).toBeUndefined();
    const { length } = await whatsapp.server.app.db.asSystem("superadmin", (tx) =>
      tx
        .selectFrom("whatsapp_page_tokens")
        .select("hash")
        .where("account_id", "=", world.accountId)
        .execute(),
    );
    expect(length).toBe(0);
    await newConnectedWorld(whatsapp, { business });
  });

  test("while Meta is down keeps the token until Meta was told", async () => {
    const { world, business, connectionId } = await newConnectedWorld(whatsapp);
    whatsapp.meta.fail({ method: "DELETE", path: business.wabaId }, { code: 131016 }, 1);
    const deletion = world.api.delete(`/v1/workspace/${hex(world.workspaceSlug)}`);
    await expect.poll(() => calls(business, UNSUBSCRIBE)).toBe(1);
    expect(await connectionOf(connectionId)).toMatchObject({
      status: "disconnecting",
      token: expect.any(String),
    });
    expect((await deletion).status).toBe(200);
    expect(calls(business, UNSUBSCRIBE)).toBe(2);
    expect(await connectionOf(connectionId)).toBeUndefined();
  }, 40_000);
});
