import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { waitUntil } from "../../test/fault/process.ts";
import { type NumberWorld, newNumberWorld } from "../../test/number-support.ts";
import { startCarrierSimulator } from "../../test/simulators/carrier/carrier-simulator.ts";
import { client, hex, startTestServer } from "../../test/support.ts";
import { orderNumbers } from "./order-numbers.ts";
import { reconcileNumbers } from "./reconcile.ts";

const carrier = await startCarrierSimulator();
const server = await startTestServer(carrier.settings);
const { app } = server;
const never = new AbortController().signal;
/** How far the server's clock is ahead. */
let aheadMs = 0;
app.now = () => new Date(Date.now() + aheadMs);

afterAll(async () => {
  await server.close();
  await carrier.close();
});

beforeEach(() => {
  carrier.recover();
  carrier.requests.length = 0;
  Object.assign(carrier.state, {
    stock: [],
    owned: [],
    sales: [],
    regulations: [],
    beforeSale: async () => undefined,
    afterSale: async () => undefined,
  });
});

let stocked = 0;
/** So many numbers of Berlin, put up for sale. */
function stock(count: number, more: Parameters<typeof carrier.stock>[1] = {}): string[] {
  return Array.from({ length: count }, () => {
    stocked += 1;
    const number = `+49302${1_000_000 + stocked}`;
    carrier.stock(number, more);
    return number;
  });
}

/** A request that the carrier is to fulfil. */
async function provisioned(fields: object = {}, papers: object = {}, place?: NumberWorld) {
  const world = place ?? (await newNumberWorld(server));
  const { id } = await world.ask(fields);
  await world.decide(id, "approve", {});
  const begun = await world.decide(id, "provision", papers);
  expect(begun.status, begun.body.message).toBe(200);
  const get = () => world.get(id);
  return {
    id,
    world,
    get,
    /** Until its job has nothing more to do. */
    async settled() {
      await sleep(20);
      await waitUntil("the job is over", 20_000, async () => (await openJobs(id)) === 0);
      return get();
    },
  };
}

async function openJobs(requestId: string): Promise<number> {
  const { rows } = await app.db.asSystem("superadmin", (tx) =>
    sql<{ count: number }>`select count(*) as count from jobs where key = ${requestId}
      and status in ('queued', 'running')`.execute(tx),
  );
  return Number(rows[0]?.count);
}

/** The time goes on, and what is due is done. */
async function later(ms: number, request?: { settled(): Promise<unknown> }) {
  aheadMs += ms;
  await reconcileNumbers(app, never);
  return request?.settled();
}
const SETTLED_MS = 25_000;
const MINUTE_MS = 61_000;

async function poolNumbers(world: NumberWorld): Promise<string[]> {
  const { body } = await world.admin.get("/v1/admin/numbers?limit=500");
  return body.numbers.map(({ number }: { number: string }) => number);
}

const numbersIn = (request: { numbers: { number: string }[] }) => request.numbers.map(({ number }) => number);
const soldNumbers = () => carrier.state.sales.map(({ number }) => number);

describe("the carrier", () => {
  test("provides as many numbers as were asked for, each under a reference of the request", async () => {
    const wanted = stock(3);
    stock(2, { areaCode: "40" });
    const request = await provisioned({ quantity: 3, area_code: "30" });
    const done = await request.settled();
    expect(done).toMatchObject({ status: "fulfilled", next_step: null, history: { length: 4 } });
    expect(numbersIn(done).sort()).toEqual(wanted);
    expect(done.numbers[0]).toMatchObject({
      provider: "twilio",
      status: "active",
      capabilities: { voice: true, sms: true },
    });
    expect(carrier.state.sales.map(({ friendlyName }) => friendlyName)).toEqual(
      [1, 2, 3].map((position) => `LumenOne ${request.id} ${position}`),
    );
    expect(done.history.at(-1)).toMatchObject({ status: "fulfilled", by: "carrier" });
  });

  test("takes another number when somebody else was quicker", async () => {
    stock(2, { isGone: true });
    const [free = ""] = stock(1);
    const done = await (await provisioned()).settled();
    expect(done.status).toBe("fulfilled");
    expect(numbersIn(done)).toEqual([free]);
  });

  test("that has no such number now fails the request, which can be tried again", async () => {
    stock(1, { areaCode: "40" });
    const request = await provisioned({ area_code: "30" });
    expect(await request.settled()).toMatchObject({
      status: "failed",
      status_reason: "No local numbers in DE with the area code 30 are for sale now.",
    });
    stock(1);
    await request.world.decide(request.id, "provision", {});
    expect(await request.settled()).toMatchObject({ status: "fulfilled" });
  });

  test("that sells nothing of the kind fails it, in its own words", async () => {
    const done = await (await provisioned({ country: "IT" })).settled();
    expect(done).toMatchObject({
      status: "failed",
      status_reason: "The carrier sells no local numbers in IT.",
      provider_status: expect.stringMatching(/^20404: /),
    });
  });

  test("that wants papers is told to the partner, with what to send and the carrier's words", async () => {
    carrier.regulate("DE", "local", [
      [{ name: "Proof of address", accepted: ["Utility bill", "Tax notice"] }],
    ]);
    stock(1);
    const request = await provisioned();
    const asked = await request.settled();
    expect(asked).toMatchObject({
      status: "action_required",
      status_reason: "DE wants to know who uses a local number, and where.",
      provider_status: expect.stringMatching(/^21649: /),
      next_step: expect.stringContaining(
        "DE: local - Business: Business; Proof of address (Utility bill, or Tax notice)",
      ),
    });
    expect(carrier.state.sales).toEqual([]);

    // The partner answers, the papers are handed in, and the carrier looks at them.
    const { world, id } = request;
    await world.api.post(`/v1/org/${hex(world.orgSlug)}/number-requests/${id}/respond`, { notes: "Sent." });
    await world.decide(id, "approve", {});
    const bundle_sid = carrier.bundle(id, "pending-review");
    await world.decide(id, "provision", { bundle_sid });
    expect(await request.settled()).toMatchObject({
      status: "provisioning",
      provider_status: "pending-review",
    });
    carrier.state.bundles.set(bundle_sid, "in-review");
    expect(await later(6 * MINUTE_MS, request)).toMatchObject({
      status: "provisioning",
      provider_status: "in-review",
    });
    carrier.state.bundles.set(bundle_sid, "twilio-approved");
    expect(await later(6 * MINUTE_MS, request)).toMatchObject({ status: "fulfilled" });
    expect(carrier.state.owned[0]?.bundleSid).toBe(bundle_sid);
  });

  test("that rejects the papers is told to the partner", async () => {
    carrier.regulate("DE", "local");
    stock(1);
    const bundle_sid = carrier.bundle("rejected", "twilio-rejected");
    expect(await (await provisioned({}, { bundle_sid })).settled()).toMatchObject({
      status: "action_required",
      provider_status: "twilio-rejected",
      next_step: expect.any(String),
    });
  });

  test("that wants an address is told to the partner; with one it sells", async () => {
    stock(1, { addressRequired: "any" });
    const request = await provisioned();
    expect(await request.settled()).toMatchObject({
      status: "action_required",
      next_step: "Answer with the full address of who will use the numbers.",
    });
    const address_sid = carrier.address("Road 1");
    expect(await (await provisioned({}, { address_sid })).settled()).toMatchObject({ status: "fulfilled" });
  });

  test("that refuses our credentials fails the request, for whoever runs the installation to see", async () => {
    stock(1);
    carrier.fail({ fault: { kind: "status", status: 401, message: "Authenticate" }, times: 1 });
    expect(await (await provisioned()).settled()).toMatchObject({
      status: "failed",
      provider_status: "20001: Authenticate",
    });
  });

  test("that is down leaves the request visibly waiting, and provides when it is back", async () => {
    stock(1);
    carrier.fail({ fault: { kind: "status", status: 503, message: "Service Unavailable" } });
    const request = await provisioned();
    expect(await request.settled()).toMatchObject({
      status: "provisioning",
      provider_status: "20500: Service Unavailable",
    });
    expect(await later(MINUTE_MS, request)).toMatchObject({ status: "provisioning" });
    carrier.recover();
    expect(await later(MINUTE_MS, request)).toMatchObject({ status: "fulfilled" });
  });

  test("is not asked for an account that is suspended, until it is resumed", async () => {
    stock(1);
    carrier.fail({ fault: { kind: "status", status: 503 } });
    const request = await provisioned();
    await request.settled();
    carrier.recover();
    carrier.requests.length = 0;
    const partner = client(server.url, request.world.partner.key);
    await partner.post(`/v1/accounts/${request.world.accountId}/suspend`);
    aheadMs += MINUTE_MS;
    await reconcileNumbers(app, never);
    await waitUntil("the job is over", 20_000, async () => (await openJobs(request.id)) === 0);
    expect(carrier.requests).toEqual([]);
    await partner.post(`/v1/accounts/${request.world.accountId}/resume`);
    expect(await later(16 * MINUTE_MS, request)).toMatchObject({ status: "fulfilled" });
  });
});

describe("never is a number bought twice", () => {
  test.each([
    ["the connection dies after the sale", { kind: "reset" as const }],
    ["the answer is cut off", { kind: "partial" as const }],
  ])("when %s", async (_name, fault) => {
    stock(4);
    carrier.fail({ fault, times: 1, path: "IncomingPhoneNumbers" });
    const request = await provisioned({ quantity: 2 });
    await request.settled();
    const done: unknown = await later(SETTLED_MS, request);
    expect(done).toMatchObject({ status: "fulfilled", numbers: { length: 2 } });
    expect(carrier.state.sales).toHaveLength(2);
  });

  test("when an order that was never carried out is given again: it is for the same number", async () => {
    const [first] = stock(3);
    carrier.fail({ fault: { kind: "html" }, times: 1, path: "IncomingPhoneNumbers" });
    const request = await provisioned();
    expect(await request.settled()).toMatchObject({ status: "provisioning" });
    expect(carrier.state.sales).toEqual([]);
    // Too early to say that it was not.
    carrier.requests.length = 0;
    await later(SETTLED_MS / 10, request);
    expect(carrier.requests).toEqual([]);
    await later(SETTLED_MS, request);
    expect(soldNumbers()).toEqual([first]);
    expect(await request.get()).toMatchObject({ status: "fulfilled" });
  });

  test("when a sale shows up later than the carrier promised", async () => {
    const [first] = stock(3);
    carrier.fail({ fault: { kind: "reset" }, times: 1, path: "IncomingPhoneNumbers" });
    const request = await provisioned();
    await request.settled();
    // Hidden from the list, and still nobody else's.
    const hidden = carrier.state.owned.splice(0);
    const gone = carrier.state.stock.find(({ number }) => number === first);
    if (gone !== undefined) gone.isGone = true;
    carrier.state.beforeSale = async () => {
      carrier.state.owned.push(...hidden.splice(0));
    };
    await later(SETTLED_MS, request);
    expect(await request.get()).toMatchObject({ status: "fulfilled" });
    expect(soldNumbers()).toEqual([first]);
  });

  test("when the process ends between the sale and its answer", async () => {
    stock(3);
    const stop = new AbortController();
    const request = await notYetProvisioned();
    carrier.state.afterSale = async () => stop.abort(new Error("killed"));
    await expect(orderNumbers(app, request.id, stop.signal)).rejects.toThrow("killed");
    carrier.state.afterSale = async () => undefined;
    // The next process begins at once: what was sold is found without waiting.
    await orderNumbers(app, request.id, never);
    expect(await request.get()).toMatchObject({ status: "fulfilled", numbers: { length: 1 } });
    expect(carrier.state.sales).toHaveLength(1);
  });

  test("when several processes work on one request", async () => {
    stock(12);
    const request = await notYetProvisioned(4);
    await Promise.all([1, 2, 3].map(() => orderNumbers(app, request.id, never)));
    await orderNumbers(app, request.id, never);
    await later(SETTLED_MS, request);
    expect(await request.get()).toMatchObject({ status: "fulfilled", numbers: { length: 4 } });
    expect(carrier.state.sales).toHaveLength(4);
  });

  test("when some of the numbers were attached by hand meanwhile", async () => {
    stock(3);
    const request = await notYetProvisioned(2);
    await request.world.decide(request.id, "attach", { number: "+493099999901" });
    await orderNumbers(app, request.id, never);
    expect(await request.get()).toMatchObject({ status: "fulfilled", numbers: { length: 2 } });
    expect(carrier.state.sales).toHaveLength(1);
  });
});

describe("what was bought and is not wanted any more", () => {
  /** Sold, while the answer was lost. */
  async function soldInTheDark() {
    const [number = ""] = stock(1);
    carrier.fail({ fault: { kind: "reset" }, times: 1, path: "IncomingPhoneNumbers" });
    const request = await provisioned();
    await request.settled();
    expect(soldNumbers()).toEqual([number]);
    return { request, number };
  }

  test("lies in the pool when its request was given up meanwhile", async () => {
    const { request, number } = await soldInTheDark();
    await request.world.decide(request.id, "fail", { reason: "It takes too long." });
    await later(SETTLED_MS);
    expect(await request.get()).toMatchObject({ status: "failed", numbers: [] });
    expect(await poolNumbers(request.world)).toContain(number);
  });

  test("lies in the pool when its organization was deleted meanwhile, and its order is forgotten", async () => {
    const { request, number } = await soldInTheDark();
    await request.world.api.delete(`/v1/org/${hex(request.world.orgSlug)}`);
    await later(SETTLED_MS);
    expect(await poolNumbers(request.world)).toContain(number);
    const orders = await app.db.asSystem("superadmin", (tx) =>
      tx.selectFrom("number_orders").select("state").where("request_id", "=", request.id).execute(),
    );
    expect(orders).toEqual([]);
  });
});

describe("a number that lies at the carrier already", () => {
  test("is attached with the carrier's id and what it can do", async () => {
    const world = await newNumberWorld(server);
    const [number = ""] = stock(1, { sms: false });
    await app.carrier?.orderNumber({ number, reference: "by hand", bundleId: null, addressId: null });
    const { id } = await world.ask();
    await world.decide(id, "approve", {});
    const { body } = await world.decide(id, "attach", { number });
    expect(body.number_request.numbers).toMatchObject([
      { number, provider: "twilio", capabilities: { voice: true, sms: false } },
    ]);
  });

  test("is not taken for one bought by hand because the carrier does not answer: 502", async () => {
    const world = await newNumberWorld(server);
    const { id } = await world.ask();
    await world.decide(id, "approve", {});
    carrier.fail({ fault: { kind: "status", status: 500 }, times: 1 });
    const reply = await world.decide(id, "attach", { number: "+493099999902" });
    expect(reply).toMatchObject({ status: 502, body: { code: "provider_failed" } });
    expect(await world.get(id)).toMatchObject({ status: "approved" });
  });
});

describe("a number that is given back", () => {
  test("is gone at the carrier, too", async () => {
    stock(1);
    const request = await provisioned();
    const [number] = (await request.settled()).numbers;
    const released = await request.world.admin.post(`/v1/admin/numbers/${number.id}/release`);
    expect(released.body.number).toMatchObject({ status: "released" });
    expect(carrier.state.owned).toEqual([]);
  });

  test("is on its way until the carrier has taken it, and asked for again and again", async () => {
    stock(1);
    const request = await provisioned();
    const [number] = (await request.settled()).numbers;
    carrier.fail({ fault: { kind: "status", status: 503, message: "Later" } });
    const path = `/v1/admin/numbers/${number.id}/release`;
    const released = await request.world.admin.post(path);
    expect(released.body.number).toMatchObject({ status: "releasing", provider_status: "20500: Later" });
    const [shown] = (await request.world.api.get("/v1/numbers")).body.numbers;
    expect(shown).toMatchObject({ id: number.id, status: "releasing" });
    await later(MINUTE_MS);
    expect(carrier.state.owned).toHaveLength(1);
    carrier.recover();
    await later(MINUTE_MS);
    expect(carrier.state.owned).toEqual([]);
    expect((await request.get()).numbers).toMatchObject([{ status: "released" }]);
  });
});

/** Provisioned, with its job done away with: the test itself is the worker. */
async function notYetProvisioned(quantity = 1) {
  carrier.fail({ fault: { kind: "status", status: 503 } });
  const request = await provisioned({ quantity });
  await request.settled();
  carrier.recover();
  return request;
}
