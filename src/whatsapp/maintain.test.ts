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
import type { SimNumber } from "../../test/simulators/meta/meta-world.ts";
import { newWorld, type World } from "../../test/support.ts";
import { createSecretBox } from "../secrets.ts";
import { forgetOldWhatsApp } from "./maintain.ts";
import { checkConnections } from "./maintain-connections.ts";
import { resealWhatsApp } from "./maintain-secrets.ts";

let whatsapp: WhatsAppServer;

beforeAll(async () => {
  whatsapp = await startWhatsAppServer();
});
afterAll(() => whatsapp.close());

const DAY_MS = 86_400_000;
const shown = async (world: World) => (await world.api.get(whatsappPath(world))).body.whatsapp;
const appAt = (afterMs: number) => ({
  ...whatsapp.server.app,
  now: () => new Date(Date.now() + afterMs),
});

/** Everything whose time has come at that moment is looked at. */
async function checkAt(afterMs: number): Promise<void> {
  await checkConnections(appAt(afterMs), new AbortController().signal);
}

/** Nothing else is due while a test looks at its own. */
async function settleOthers(): Promise<void> {
  await whatsapp.server.app.db.asSystem("superadmin", (tx) =>
    tx.updateTable("whatsapp_connections").set({ check_at: null }).execute(),
  );
}

async function signup(numbers: Partial<SimNumber>[], tokenExpiresAt?: Date) {
  await settleOthers();
  const world = await newWorld(whatsapp.server);
  await world.api.post("/v1/webhook-endpoints", { url: "https://partner.example.com/hooks" });
  const business = whatsapp.meta.addBusiness({ numbers });
  const code = whatsapp.meta.issueCode(business, tokenExpiresAt === undefined ? {} : { tokenExpiresAt });
  const token = await mintToken(world);
  await postOnboard(whatsapp.server.url, world, token, { ...finished(whatsapp, business), code });
  const [number] = business.numbers;
  if (number === undefined) throw new Error("a business has a number");
  return { world, business, number };
}

async function eventsOf(world: World) {
  const rows = await whatsapp.server.app.db.asSystem("superadmin", (tx) =>
    tx
      .selectFrom("webhook_events")
      .select(["type", "data"])
      .where("account_id", "=", world.accountId)
      .orderBy("sequence")
      .execute(),
  );
  return rows.map(({ type, data }) => [type, Object(data).reason]);
}

describe("a name in review", () => {
  const inReview = { nameReviewAttempts: 1, nameStatus: "PENDING_REVIEW" };

  test("is asked about until Meta approves it; then the number is registered, and partners are told", async () => {
    const { world, number } = await signup([inReview]);
    expect(await eventsOf(world)).toEqual([]);
    await checkAt(16 * 60_000);
    expect(await shown(world)).toMatchObject({
      status: "pending_name_review",
      name_status: "PENDING_REVIEW",
    });
    const tries = number.registrationsMs.length;
    number.nameStatus = "APPROVED";
    await checkAt(16 * 60_000);
    expect((await shown(world)).status).toBe("pending_name_review");
    await checkAt(2 * DAY_MS);
    expect(await shown(world)).toMatchObject({ status: "active", connected_at: expect.any(String) });
    expect(number.status).toBe("CONNECTED");
    expect(number.registrationsMs).toHaveLength(tries + 1);
    expect(await eventsOf(world)).toEqual([["whatsapp.connected", undefined]]);
  });

  test("that is declined is shown as that", async () => {
    const { world, number } = await signup([inReview]);
    number.nameStatus = "DECLINED";
    await checkAt(DAY_MS);
    expect(await shown(world)).toMatchObject({
      status: "pending_name_review",
      status_reason: "name_declined",
    });
  });

  test("whose number has a PIN of its own asks for it, and takes it through a new link", async () => {
    const { world, business, number } = await signup([inReview]);
    number.nameStatus = "APPROVED";
    number.pin = "102938";
    await checkAt(DAY_MS);
    expect(await shown(world)).toMatchObject({ status: "needs_pin", next_step: { what: "enter_pin" } });
    const token = await mintToken(world, { mode: "reauth" });
    const again = await postOnboard(whatsapp.server.url, world, token, finished(whatsapp, business));
    expect(again.body.needs).toBe("pin");
    const done = await postOnboard(whatsapp.server.url, world, token, { pin: "102938" });
    expect(done.body.status).toBe("active");
  });

  test("whose number is refused twice is left to its customer: Meta would lock it", async () => {
    const { world, number } = await signup([inReview]);
    number.nameStatus = "APPROVED";
    whatsapp.meta.fail({ path: `${number.id}/register` }, { code: 131000 }, 9);
    for (const days of [1, 2, 3, 4]) await checkAt(days * DAY_MS);
    expect(await shown(world)).toMatchObject({
      status: "needs_register",
      last_error: { code: "meta_131000" },
    });
    expect(requestsTo(`${number.id}/register`)).toBe(3);
  });
});

describe("a connection", () => {
  test("whose token is over wants its customer to sign in again, and partners are told once", async () => {
    const { world, business } = await signup([{}]);
    whatsapp.meta.endTokens(business, "revoked");
    for (const days of [1.1, 2.2, 3.3]) await checkAt(days * DAY_MS);
    expect(await shown(world)).toMatchObject({
      status: "reauth_required",
      status_reason: "token_invalid",
      next_step: { what: "sign_in_again" },
      last_error: { code: "meta_190" },
    });
    const token = await mintToken(world, { mode: "reauth" });
    await postOnboard(whatsapp.server.url, world, token, finished(whatsapp, business));
    expect(await shown(world)).toMatchObject({ status: "active", last_error: null });
    expect(await eventsOf(world)).toEqual([
      ["whatsapp.connected", undefined],
      ["whatsapp.reauth_required", "token_invalid"],
      ["whatsapp.connected", undefined],
    ]);
  });

  test("whose token ends within seven days is announced once, works on, and ends with it", async () => {
    const { world } = await signup([{}], new Date(Date.now() + 8 * DAY_MS));
    await checkAt(1.1 * DAY_MS);
    await checkAt(2.2 * DAY_MS);
    expect(await shown(world)).toMatchObject({ status: "active", status_reason: "token_expires_soon" });
    await checkAt(9 * DAY_MS);
    expect(await shown(world)).toMatchObject({ status: "reauth_required", status_reason: "token_expired" });
    expect(await eventsOf(world)).toEqual([
      ["whatsapp.connected", undefined],
      ["whatsapp.reauth_required", "token_expires_soon"],
      ["whatsapp.reauth_required", "token_expired"],
    ]);
  });

  test("follows its health, and a moment in which Meta does not answer changes nothing", async () => {
    const { world, number, business } = await signup([{}]);
    number.canSendMessage = "BLOCKED";
    number.qualityRating = "RED";
    await checkAt(1.1 * DAY_MS);
    expect(await shown(world)).toMatchObject({ status: "blocked", quality: "RED" });
    number.canSendMessage = "AVAILABLE";
    whatsapp.meta.fail({ path: `${business.wabaId}/phone_numbers` }, { code: 2 });
    await checkAt(2.2 * DAY_MS);
    expect((await shown(world)).status).toBe("blocked");
    await checkAt(2.3 * DAY_MS);
    expect(await shown(world)).toMatchObject({ status: "active", last_error: null });
    expect(await eventsOf(world)).toEqual([["whatsapp.connected", undefined]]);
  });
});

describe("cleaning up", () => {
  test("ends signups that nobody finished within a day, with their tokens, and frees the number", async () => {
    const { world, business } = await signup([{ pin: "445566" }]);
    expect((await shown(world)).status).toBe("needs_pin");
    await forgetOldWhatsApp(whatsapp.server.app);
    expect((await shown(world)).status).toBe("needs_pin");
    await forgetOldWhatsApp(appAt(26 * 3_600_000));
    await expect.poll(async () => (await shown(world)).status).toBe("disconnected");
    const { connection_id: id } = await shown(world);
    const rows = await whatsapp.server.app.db.asSystem("superadmin", (tx) =>
      tx.selectFrom("whatsapp_connections").select("token").where("id", "=", id).execute(),
    );
    expect(rows).toEqual([{ token: null }]);
    for (const number of business.numbers) number.pin = null;
    await newConnectedWorld(whatsapp, { business });
  });

  test("forgets links after nine days, and never a connection", async () => {
    const { world } = await newConnectedWorld(whatsapp);
    const count = () =>
      whatsapp.server.app.db.asSystem("superadmin", (tx) =>
        tx
          .selectFrom("whatsapp_page_tokens")
          .select("hash")
          .where("workspace_id", "=", world.workspaceId)
          .execute(),
      );
    await forgetOldWhatsApp(whatsapp.server.app);
    expect(await count()).toHaveLength(1);
    await whatsapp.server.app.db.asSystem("superadmin", (tx) =>
      tx
        .updateTable("whatsapp_page_tokens")
        .set({ created_at: new Date(Date.now() - 9.1 * DAY_MS) })
        .where("workspace_id", "=", world.workspaceId)
        .execute(),
    );
    await forgetOldWhatsApp(whatsapp.server.app);
    expect(await count()).toHaveLength(0);
    expect((await shown(world)).status).toBe("active");
  });
});

test("rotate-secrets seals tokens and PINs anew, and they open as before", async () => {
  const { world, business } = await newConnectedWorld(whatsapp);
  const old = whatsapp.server.app;
  const oldKey = old.config.secretKey ?? "";
  const app = { ...old, secrets: createSecretBox("another-key-0123456789abcdef0123456789", oldKey) };
  expect(await resealWhatsApp(app)).toBeGreaterThan(0);
  expect(await resealWhatsApp(app)).toBe(0);
  const row = await old.db.asSystem("superadmin", (tx) =>
    tx
      .selectFrom("whatsapp_connections")
      .selectAll()
      .where("workspace_id", "=", world.workspaceId)
      .executeTakeFirstOrThrow(),
  );
  const fresh = createSecretBox("another-key-0123456789abcdef0123456789");
  expect(fresh.open(row.pin ?? "", `whatsapp-pin:${row.id}`)).toBe(business.numbers[0]?.pin);
  expect(fresh.open(row.token ?? "", `whatsapp-token:${row.id}`)).toMatch(/^EAA/);
  const back = { ...old, secrets: createSecretBox(oldKey, "another-key-0123456789abcdef0123456789") };
  await resealWhatsApp(back);
});

function requestsTo(path: string): number {
  return whatsapp.meta.requests.filter((request) => request.path.endsWith(path)).length;
}
