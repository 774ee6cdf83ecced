import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { entriesOf, newEngineWorld, PUBLIC_URL } from "../../../test/engine-support.ts";
import { vendorEngine } from "../../../test/engine-with-assistants.ts";
import { startCarrierSimulator } from "../../../test/simulators/carrier/carrier-simulator.ts";
import { client, startTestServer } from "../../../test/support.ts";

const carrier = await startCarrierSimulator();
const server = await startTestServer({ ...carrier.settings, PUBLIC_URL });
const { app } = server;
app.config = { ...app.config, voiceEngine: "vapi" };
let vendor = vendorEngine();

const newWorld = () => newEngineWorld(server, carrier);
const assistants = () => [...vendor.assistants.values()];
const onlyAssistant = () => {
  const [one, ...more] = assistants();
  expect(more).toEqual([]);
  if (one === undefined) throw new Error("the engine has no assistant");
  return one;
};

beforeEach(() => {
  vendor = vendorEngine();
  app.voiceEngines = { ...app.voiceEngines, vapi: vendor.engine };
});

afterAll(async () => {
  await server.close();
  await carrier.close();
});

describe("an engine with assistants of its own", () => {
  test("has one as it is stored, before calls come to it and until none come any more", async () => {
    const { world, newNumber, newAssistant, patch, settled, idle } = await newWorld();
    const { id, sold } = await newNumber();
    const path = await newAssistant({ prompt: "Be brief.", number_id: id });
    const shown = await settled(path);
    expect(shown).toMatchObject({ engine: "vapi", status: "active" });
    await idle();
    expect(onlyAssistant()).toMatchObject({
      reference: shown.id,
      prompt: "Be brief.",
      firstMessage: shown.firstMessage,
      voice: shown.voice,
      transcriber: shown.transcriber,
      model: { baseUrl: `${PUBLIC_URL}/api/v1/openai`, name: expect.stringMatching(/^desk/) },
    });
    await patch(path, { firstMessage: "Good evening." });
    await idle();
    expect(onlyAssistant().firstMessage).toBe("Good evening.");
    expect([...vendor.numbers.keys()]).toEqual([sold.number]);
    await world.api.delete(path);
    await idle();
    expect([vendor.assistants.size, vendor.numbers.size]).toEqual([0, 0]);
    expect(vendor.done).toEqual(["put", "link", "put", "unlink", "remove"]);
    expect(await entriesOf(server, world)).toEqual([]);
  });

  test.each(["before", "after"] as const)("is told again when it fails %s it has done it", async (when) => {
    const { world, newNumber, newAssistant, settled, idle } = await newWorld();
    vendor.fail(when, 1);
    const { id } = await newNumber();
    const path = await newAssistant({ number_id: id });
    expect(await settled(path)).toMatchObject({
      status: "needs_attention",
      checks: expect.arrayContaining([
        { name: "engine", ok: false, message: expect.stringContaining("The vendor answered 503") },
      ]),
    });
    await idle();
    expect((await settled(path)).status).toBe("active");
    expect([vendor.assistants.size, vendor.numbers.size]).toEqual([1, 1]);
    vendor.fail(when, 1);
    await world.api.delete(path);
    await idle();
    expect([vendor.assistants.size, vendor.numbers.size]).toEqual([0, 0]);
  });

  test("has one assistant, as it was stored last, after many changes at once", async () => {
    const { newAssistant, patch, settled, idle } = await newWorld();
    vendor.fail("after", 2);
    const path = await newAssistant();
    await Promise.all(Array.from({ length: 8 }, (_, n) => patch(path, { prompt: `Version ${n}` })));
    await idle();
    const { prompt, version, status } = await settled(path);
    expect([version, status]).toEqual([9, "awaiting_number"]);
    expect(onlyAssistant().prompt).toBe(prompt);
  });

  test("gets a key that chats with this workspace and does nothing else, until the assistant is removed", async () => {
    const { world, newAssistant, patch, idle } = await newWorld();
    const path = await newAssistant();
    await idle();
    const { apiKey, name } = onlyAssistant().model;
    const asked = client(server.url, apiKey);
    expect((await asked.get("/v1/openai/models")).body.data.map(({ id }: { id: string }) => id)).toEqual([
      name,
    ]);
    expect((await client(server.url, apiKey, world.accountId).get(path)).status).toBe(403);
    await patch(path, { prompt: "Another" });
    await idle();
    expect(onlyAssistant().model.apiKey).toBe(apiKey);
    const stored = await app.db.asSystem("superadmin", (tx) =>
      tx.selectFrom("voice_engine_entries").selectAll().execute(),
    );
    expect(JSON.stringify([stored, (await world.api.get(path)).body])).not.toContain(apiKey);
    await world.api.delete(path);
    await idle();
    expect((await asked.get("/v1/openai/models")).status).toBe(403);
  });

  test("loses what an erased workspace had there", async () => {
    const { world, newNumber, newAssistant, idle } = await newWorld();
    const path = await newAssistant({ number_id: (await newNumber()).id });
    await idle();
    vendor.fail("before", 2);
    expect((await world.api.delete(path.replace("/voice-integration", ""))).body).toEqual({ success: true });
    await idle();
    expect([vendor.assistants.size, vendor.numbers.size]).toEqual([0, 0]);
    expect(await entriesOf(server, world)).toEqual([]);
  });

  test("that is not set up any more is named, and what is stored stays", async () => {
    const { newAssistant, patch, settled, idle } = await newWorld();
    const path = await newAssistant();
    await idle();
    app.voiceEngines = { ...app.voiceEngines, vapi: null };
    const reply = await patch(path, { prompt: "Kept" });
    expect(reply.status).toBe(200);
    const shown = await settled(path);
    expect(shown).toMatchObject({ prompt: "Kept", status: "needs_attention" });
    app.voiceEngines = { ...app.voiceEngines, vapi: vendor.engine };
    await idle();
    expect(onlyAssistant().prompt).toBe("Kept");
  });
});
