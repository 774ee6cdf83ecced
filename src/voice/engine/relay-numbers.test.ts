import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { entriesOf, HERE, NOWHERE, newEngineWorld, PUBLIC_URL } from "../../../test/engine-support.ts";
import { startCarrierSimulator } from "../../../test/simulators/carrier/carrier-simulator.ts";
import { hex, startTestServer, testDatabase } from "../../../test/support.ts";
import { insertNumber } from "../../../test/voice-support.ts";
import { twilioCarrier } from "../../providers/twilio/twilio-carrier.ts";
import { type RelayEngineOptions, relayEngine } from "../relay/relay-engine.ts";
import { callOwner } from "../test-support.ts";
import { refreshEngines } from "./refresh-engines.ts";

const carrier = await startCarrierSimulator();
const settings = { ...carrier.settings, PUBLIC_URL };
const lines: string[] = [];
const server = await startTestServer(
  { ...settings, LOG_LEVEL: "debug" },
  { onLog: (line) => void lines.push(line) },
);
const { app } = server;
const newWorld = () => newEngineWorld(server, carrier);

afterAll(async () => {
  await server.close();
  await carrier.close();
});

beforeEach(() => {
  carrier.recover();
  carrier.state.beforeRouting = async () => undefined;
});

const DOWN = { fault: { kind: "status", status: 503 }, path: "/IncomingPhoneNumbers/" } as const;
/** How often the carrier was asked to change a number. */
const routings = (sid: string) =>
  carrier.requests.filter(({ method, path }) => method === "POST" && path.includes(sid)).length;
const failing = (shown: { checks: { ok: boolean; name: string }[] }) =>
  shown.checks.filter(({ ok }) => !ok).map(({ name }) => name);

/** The carrier has read where calls are to go, and stands still until it may go on. */
function holdRouting() {
  const [reached, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  carrier.state.beforeRouting = async () => {
    reached.resolve();
    await gate.promise;
  };
  return { reached: reached.promise, open: gate.resolve };
}

/** With an installation that is set up differently for a while. */
async function withRelay(options: Partial<RelayEngineOptions>, work: () => Promise<void>): Promise<void> {
  const usual = app.voiceEngines;
  const here = { publicUrl: PUBLIC_URL, carrierName: "twilio", carrier: app.carrier } as const;
  app.voiceEngines = { ...usual, relay: relayEngine({ ...here, ...options }) };
  try {
    await work();
  } finally {
    app.voiceEngines = usual;
  }
}

describe("a number of Twilio's", () => {
  test("rings here once it is linked, and nowhere once it is unlinked", async () => {
    const { newNumber, newAssistant, patch, settled, idle } = await newWorld();
    const [path, { id, sold }] = [await newAssistant(), await newNumber()];
    expect(sold).toMatchObject(NOWHERE);
    const answered = (await patch(path, { number_id: id })).body.voice_integration;
    expect([answered.number_id, answered.version]).toEqual([id, 2]);
    expect(await settled(path)).toMatchObject({ status: "active", number_id: id });
    await idle();
    expect(sold).toMatchObject(HERE);
    expect((await settled(path)).job_id).toBeNull();
    await patch(path, { number_id: null });
    await idle();
    expect(sold).toMatchObject(NOWHERE);
    expect((await settled(path)).status).toBe("awaiting_number");
  });

  test("rings nowhere once its integration is removed, and nothing is written down of it any more", async () => {
    const { world, newNumber, newAssistant, idle } = await newWorld();
    const { id, sold } = await newNumber();
    const path = await newAssistant({ number_id: id });
    await idle();
    expect(sold).toMatchObject(HERE);
    expect(await entriesOf(server, world)).toMatchObject([
      { kind: "number", engine: "relay", claimed_by: null },
    ]);
    await world.api.delete(path);
    await idle();
    expect(sold).toMatchObject(NOWHERE);
    expect(await entriesOf(server, world)).toEqual([]);
  });

  test("is not told again when something else changes: the configuration is read with each call", async () => {
    const { newNumber, newAssistant, patch, idle } = await newWorld();
    const { id, sold } = await newNumber();
    const path = await newAssistant({ number_id: id });
    await idle();
    const before = routings(sold.sid);
    const changed = (await patch(path, { prompt: "Be brief." })).body.voice_integration;
    expect(changed).toMatchObject({ status: "active", job_id: null, version: 2 });
    await idle();
    expect([before, routings(sold.sid)]).toEqual([1, 1]);
  });

  test("that was given back before the carrier heard that it is unlinked is gone, and all is well", async () => {
    const { world, newNumber, newAssistant, patch, idle } = await newWorld();
    const { id, sold } = await newNumber();
    const path = await newAssistant({ number_id: id });
    await idle();
    const { reached, open } = holdRouting();
    await patch(path, { number_id: null });
    await reached;
    const released = await world.admin.post(`/v1/admin/numbers/${id}/release`);
    expect(released.body.number.status).toBe("released");
    open();
    await idle();
    expect(carrier.state.owned).not.toContain(sold);
    expect(await entriesOf(server, world)).toEqual([]);
  });
});

describe("a carrier that", () => {
  test("is down leaves what was stored, says so, and is told when it is back", async () => {
    const { world, newNumber, newAssistant, patch, settled, idle } = await newWorld();
    const [path, { id, sold }] = [await newAssistant(), await newNumber()];
    carrier.fail(DOWN);
    const { status, body } = await patch(path, { number_id: id });
    expect([status, body.voice_integration.number_id]).toEqual([200, id]);
    const shown = await settled(path);
    expect(shown).toMatchObject({ status: "needs_attention", number_id: id, job_id: expect.any(String) });
    const engine = shown.checks.find(({ name }: { name: string }) => name === "engine");
    expect(engine.message).toMatch(/twilio: 20500: simulated failure.*tried again by itself/);
    const { job } = (await world.api.get(`/v1/jobs/${shown.job_id}`)).body;
    expect(job).toMatchObject({ kind: "voice_engine", finished_at: null });
    await expect
      .poll(async () => (await world.api.get(`/v1/jobs/${shown.job_id}`)).body.job.error)
      .toMatchObject({ code: "engine_failed", message: expect.stringContaining("simulated failure") });
    carrier.recover();
    await idle();
    expect(sold).toMatchObject(HERE);
    expect(await settled(path)).toMatchObject({ status: "active", job_id: null });
  });

  test.each([
    ["loses its answer", { kind: "reset" }],
    ["breaks off in its answer", { kind: "partial" }],
    ["answers with a proxy's page", { kind: "html" }],
    ["refuses the credentials", { kind: "status", status: 401 }],
    ["has too much to do", { kind: "status", status: 429, headers: { "retry-after": "1" } }],
  ] as const)("%s is told until it has taken it", async (_what, fault) => {
    const { newNumber, newAssistant, patch, settled, idle } = await newWorld();
    const [path, { id, sold }] = [await newAssistant(), await newNumber()];
    carrier.fail({ fault, times: 1, path: sold.sid });
    await patch(path, { number_id: id });
    await idle();
    expect(sold).toMatchObject(HERE);
    expect((await settled(path)).status).toBe("active");
    expect(routings(sold.sid)).toBe(2);
  });

  test("does not answer in time is told again", async () => {
    const { TWILIO_ACCOUNT_SID = "", TWILIO_AUTH_TOKEN = "" } = carrier.settings;
    const account = { accountSid: TWILIO_ACCOUNT_SID, authToken: TWILIO_AUTH_TOKEN, baseUrl: carrier.url };
    const { newNumber, newAssistant, patch, settled, idle } = await newWorld();
    const [path, { id, sold }] = [await newAssistant(), await newNumber()];
    await withRelay({ carrier: twilioCarrier({ ...account, timeoutMs: 200 }) }, async () => {
      carrier.fail({ fault: { kind: "slow", ms: 2_000 }, times: 1, path: sold.sid });
      await patch(path, { number_id: id });
      expect((await settled(path)).status).toBe("needs_attention");
      await idle();
    });
    expect(sold).toMatchObject(HERE);
    expect((await settled(path)).status).toBe("active");
  });
});

describe("what is wanted last", () => {
  test("is what the carrier has, when it changes while the carrier is being told", async () => {
    const { newNumber, newAssistant, patch, settled, idle } = await newWorld();
    const [from, to, { id, sold }] = [await newAssistant(), await newAssistant(), await newNumber()];
    const { reached, open } = holdRouting();
    await patch(from, { number_id: id });
    await reached;
    await patch(from, { number_id: null });
    expect((await patch(to, { number_id: id })).status).toBe(200);
    await patch(to, { number_id: null });
    open();
    await idle();
    expect(sold).toMatchObject(NOWHERE);
    expect((await settled(to)).status).toBe("awaiting_number");
  });

  test("is what the carrier has, after many changes at once and a carrier that fails now and then", async () => {
    const { world, newNumber, newAssistant, patch, settled, idle } = await newWorld();
    const paths = [await newAssistant(), await newAssistant()];
    const all = await Promise.all([newNumber(), newNumber(), newNumber()]);
    carrier.fail({ fault: { kind: "reset" }, times: 2, path: all[0]?.sold.sid ?? "" });
    carrier.fail({ fault: { kind: "status", status: 500 }, times: 2, path: all[1]?.sold.sid ?? "" });
    for (let round = 0; round < 6; round += 1) {
      await Promise.all(
        paths.map((path, index) => patch(path, { number_id: all[(round + index) % 3]?.id ?? null })),
      );
    }
    await idle();
    const linked = await Promise.all(paths.map(async (path) => (await settled(path)).number_id));
    for (const { id, sold } of all) expect(sold).toMatchObject(linked.includes(id) ? HERE : NOWHERE);
    const known = (await entriesOf(server, world)).map(({ subject }) => Number(subject));
    expect(known.toSorted()).toEqual(linked.filter((id) => id !== null).toSorted());
  });

  test("is told by the next process when one ends in the middle", async () => {
    const database = await testDatabase();
    const first = await startTestServer({ ...database, ...settings });
    const { world, newNumber, newAssistant, patch } = await newEngineWorld(first, carrier);
    const [path, { id, sold }] = [await newAssistant(), await newNumber()];
    const { reached, open } = holdRouting();
    await patch(path, { number_id: id });
    await reached;
    await first.close();
    open();
    expect(sold).toMatchObject(NOWHERE);
    const second = await startTestServer({ ...database, ...settings });
    try {
      await expect.poll(() => sold, { timeout: 20_000 }).toMatchObject(HERE);
      await expect
        .poll(async () => (await entriesOf(second, world))[0]?.applied, { timeout: 20_000 })
        .toEqual(expect.any(String));
    } finally {
      await second.close();
    }
  });
});

describe("an erasure of", () => {
  test.each([
    ["a workspace", (path: string) => path.replace("/voice-integration", ""), {}],
    ["an organization", (_path: string, org: string) => `/v1/org/${hex(org)}`, {}],
    [
      "an account",
      (_path: string, _org: string, account: string) => `/v1/accounts/${account}`,
      { confirm: "Acme" },
    ],
  ])(
    "%s leaves its numbers ringing nowhere, even if the carrier is down meanwhile",
    async (_what, pathOf, body) => {
      const { world, newNumber, newAssistant, idle } = await newWorld();
      const { id, sold } = await newNumber();
      const path = await newAssistant({ number_id: id });
      await idle();
      carrier.fail({ ...DOWN, times: 1 });
      const gone = await world.api.delete(pathOf(path, world.orgSlug, world.accountId), body);
      expect(gone.body).toEqual({ success: true });
      await idle();
      expect(sold).toMatchObject(NOWHERE);
      expect(await entriesOf(server, world)).toEqual([]);
    },
  );
});

describe("the status", () => {
  const SID = `PN${"0".repeat(32)}`;
  const own = { reference: "n", number: "+4930123456", carrier: "twilio", carrierId: SID } as const;
  const byHand = { ...own, carrier: "manual", carrierId: null } as const;
  const seller = twilioCarrier({ accountSid: "AC", authToken: "t", baseUrl: carrier.url });
  const here = { publicUrl: PUBLIC_URL, carrierName: "twilio", carrier: seller } as const;

  test.each([
    ["Twilio's own number", here, own, { by: "engine", target: HERE.voiceUrl }],
    [
      "a number by hand, at Twilio",
      here,
      byHand,
      { by: "hand", todo: expect.stringContaining(HERE.voiceUrl) },
    ],
    [
      "no carrier",
      { ...here, carrierName: "none", carrier: null },
      own,
      { by: "unable", todo: /set CARRIER/ },
    ],
    ["no address", { ...here, publicUrl: undefined }, own, { by: "unable", todo: /PUBLIC_URL/ }],
    [
      "a number by hand, at Telnyx",
      { ...here, carrierName: "telnyx", carrier: null },
      byHand,
      { by: "hand", todo: /TeXML application.*voice\/telnyx\/incoming.*voice\/telnyx\/status/ },
    ],
    [
      "a number of Twilio's behind Telnyx",
      { ...here, carrierName: "telnyx", carrier: null },
      own,
      { by: "unable", todo: /set CARRIER=twilio/ },
    ],
  ] as const)("with %s says who routes the calls, or what is missing", (_what, options, number, expected) => {
    const plan = relayEngine(options).planNumber(number);
    expect(plan.by).toBe(expected.by);
    if (plan.by === "engine") expect(plan).toEqual(expected);
    else if ("todo" in expected && expected.todo instanceof RegExp) expect(plan.todo).toMatch(expected.todo);
    else expect(plan).toEqual(expected);
  });

  test("of a number by hand is active, says what to set at the carrier, and nobody is told anything", async () => {
    const { world, newAssistant, patch, idle } = await newWorld();
    const path = await newAssistant();
    const number_id = await insertNumber(server.app, callOwner(world));
    carrier.requests.length = 0;
    const shown = (await patch(path, { number_id })).body.voice_integration;
    await idle();
    expect(shown.status).toBe("active");
    expect(shown.checks.find(({ name }: { name: string }) => name === "carrier")).toMatchObject({
      ok: true,
      message: expect.stringContaining(HERE.statusCallback),
    });
    expect([carrier.requests, await entriesOf(server, world)]).toEqual([[], []]);
  });

  test("without PUBLIC_URL needs attention; the carrier is told once there is one, or another one", async () => {
    const { newNumber, newAssistant, patch, settled, idle } = await newWorld();
    const [path, { id, sold }] = [await newAssistant(), await newNumber()];
    await withRelay({ publicUrl: undefined }, async () => {
      const shown = (await patch(path, { number_id: id })).body.voice_integration;
      await idle();
      expect([shown.status, failing(shown)]).toEqual(["needs_attention", ["carrier"]]);
      expect(shown.checks[1].message).toContain("PUBLIC_URL");
      expect(routings(sold.sid)).toBe(0);
    });
    await refreshEngines(app);
    await idle();
    expect(sold).toMatchObject(HERE);
    await withRelay({ publicUrl: "https://moved.example.com" }, async () => {
      await refreshEngines(app);
      await idle();
      expect(sold.voiceUrl).toBe("https://moved.example.com/voice/twilio/incoming");
      expect((await settled(path)).status).toBe("active");
    });
    await expect
      .poll(
        async () => {
          const told = await refreshEngines(app);
          return [told, sold.voiceUrl];
        },
        { timeout: 20_000 },
      )
      .toEqual([0, HERE.voiceUrl]);
  });
});

test("no answer of the API, no job and no line of the log has the carrier's token", async () => {
  const { world, newNumber, newAssistant, patch, settled, idle } = await newWorld();
  const [path, { id, sold }] = [await newAssistant(), await newNumber()];
  carrier.fail({ fault: { kind: "status", status: 401 }, times: 1, path: sold.sid });
  await patch(path, { number_id: id });
  const shown = await settled(path);
  await idle();
  const jobs = await app.db.asSystem("superadmin", (tx) =>
    tx.selectFrom("jobs").selectAll().where("organization_id", "=", world.organizationId).execute(),
  );
  expect(lines.length).toBeGreaterThan(0);
  expect(JSON.stringify([shown, jobs, lines])).not.toContain(carrier.state.authToken);
});
