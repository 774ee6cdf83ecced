import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Gate, startGate } from "../../test/fault/gate.ts";
import { finished, mintToken, postOnboard, whatsappPath } from "../../test/onboard-support.ts";
import { type MetaSimulator, startMeta } from "../../test/simulators/meta/meta.ts";
import { newWorld, startTestServer, type TestServer, type World } from "../../test/support.ts";
import type { OnboardBody } from "./onboard.schemas.ts";
import { hashPageToken } from "./page-token.ts";

let meta: MetaSimulator;
let gate: Gate;
let server: TestServer;

beforeAll(async () => {
  meta = await startMeta();
  gate = await startGate(meta.url);
  server = await startTestServer({ ...meta.environment(), META_GRAPH_BASE_URL: gate.url });
});
afterAll(async () => {
  await server.close();
  await gate.close();
  await meta.close();
});

const post = (world: World, token: string, body: OnboardBody) => postOnboard(server.url, world, token, body);
const SUBSCRIBE = /POST .*\/subscribed_apps$/;
const EXCHANGE = /GET .*\/oauth\/access_token$/;

async function begin() {
  const world = await newWorld(server);
  const business = meta.addBusiness();
  return { world, business, token: await mintToken(world), sent: finished({ meta }, business) };
}

/** As if the minute had passed for which an attempt holds its link. */
async function endLease(token: string): Promise<void> {
  const before = new Date(Date.now() - 1_000);
  await server.app.db.asSystem("superadmin", (tx) =>
    tx
      .updateTable("whatsapp_page_tokens")
      .set({ lease_until: before })
      .where("hash", "=", hashPageToken(token))
      .execute(),
  );
}

async function rowsOf(world: World) {
  return server.app.db.asSystem("superadmin", (tx) =>
    tx
      .selectFrom("whatsapp_connections")
      .select(["status", "step", "attempt", "phone_number_id", "updated_at"])
      .where("workspace_id", "=", world.workspaceId)
      .execute(),
  );
}

describe("an attempt that was overtaken", () => {
  test("while Meta kept it waiting writes nothing any more, and says that the link is used", async () => {
    const { world, token, sent } = await begin();
    const held = gate.hold(SUBSCRIBE, "after");
    const late = post(world, token, sent);
    await held.arrived;
    expect((await post(world, token, {})).status).toBe(409);
    await endLease(token);
    expect((await post(world, token, {})).body.status).toBe("active");
    const before = await rowsOf(world);
    expect(before).toMatchObject([{ status: "active", step: "finished", attempt: 2 }]);
    held.release();
    const reply = await late;
    expect([reply.status, reply.body.error.code]).toEqual([410, "link_used"]);
    expect(await rowsOf(world)).toEqual(before);
  });

  test("during the exchange loses what it got: one connection, the successor's", async () => {
    const { world, business, token, sent } = await begin();
    const held = gate.hold(EXCHANGE, "after");
    const late = post(world, token, sent);
    await held.arrived;
    await endLease(token);
    const same = await post(world, token, { code: sent.code });
    expect([same.status, same.body.needs, same.body.error.code]).toEqual([422, "new_code", "code_lost"]);
    expect((await post(world, token, {})).body.error.code).toBe("code_lost");
    expect((await post(world, token, finished({ meta }, business))).body.status).toBe("active");
    held.release();
    expect((await late).status).toBe(410);
    expect(await rowsOf(world)).toHaveLength(1);
  });

  test("that a new link or a disconnection has ended goes no further", async () => {
    const ends: ((world: World) => Promise<unknown>)[] = [
      (world) => mintToken(world),
      (world) => world.api.delete(whatsappPath(world)),
    ];
    for (const end of ends) {
      const { world, token, sent } = await begin();
      const held = gate.hold(SUBSCRIBE, "before");
      const late = post(world, token, sent);
      await held.arrived;
      await end(world);
      held.release();
      const reply = await late;
      expect([reply.status, reply.body.error.code]).toEqual([410, "link_revoked"]);
      await expect.poll(async () => (await rowsOf(world)).map((row) => row.status)).toEqual(["disconnected"]);
    }
  });
});

test("two who go on with one signup at once: one works, the other is told so", async () => {
  const { world, business, token, sent } = await begin();
  meta.fail({ path: `${business.wabaId}/subscribed_apps` }, { code: 2 });
  expect((await post(world, token, sent)).status).toBe(202);
  const held = gate.hold(SUBSCRIBE, "before");
  const first = post(world, token, {});
  await held.arrived;
  const second = await post(world, token, {});
  expect([second.status, second.body.error.code]).toEqual([409, "in_progress"]);
  held.release();
  expect((await first).body.status).toBe("active");
});

test("a page that is closed in the middle does not stop what it began", async () => {
  const { world, token, sent } = await begin();
  const held = gate.hold(SUBSCRIBE, "before");
  // A connection of its own, which goes with the page.
  const leaving = request(`${server.url}/api${whatsappPath(world, "/onboard")}`, {
    method: "POST",
    agent: false,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json", origin: server.url },
  });
  leaving.on("error", () => undefined).end(JSON.stringify(sent));
  await held.arrived;
  leaving.destroy();
  held.release();
  await expect.poll(async () => (await rowsOf(world)).map(({ status }) => status)).toEqual(["active"]);
});
