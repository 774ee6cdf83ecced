import { afterAll, afterEach, describe, expect, test } from "vitest";
import { PUBLIC_URL } from "../../../test/call-support.ts";
import { until } from "../../../test/chat-support.ts";
import { client, newWorld } from "../../../test/support.ts";
import {
  insertTwilioNumber,
  integrationIn,
  integrationPath,
  linkAtVapi,
  startVapiServer,
} from "../../../test/vapi-support.ts";

const { server, vapi, close } = await startVapiServer();
const { state } = vapi;
afterEach(() => vapi.recover());
afterAll(close);

const assistantNamed = (name: string) => state.assistants.find((one) => one.name === name);
const numberAt = (number: string) => state.numbers.find((one) => one.number === number);

describe("a voice integration", () => {
  test("is an assistant at Vapi, with all that was configured", async () => {
    const world = await newWorld(server);
    const made = await world.api.post(integrationPath(world), {
      firstMessage: "Good morning.",
      prompt: "You are Nora.",
      voice: { provider: "11labs", voiceId: "burt", model: "eleven_flash_v2_5" },
      transcriber: { provider: "deepgram", model: "nova-3", language: "it" },
      fallbackVoices: [{ provider: "vapi", voiceId: "Kai" }],
      fallbackTranscribers: [{ provider: "11labs", model: "scribe_v1", language: "it" }],
    });
    expect(made.body.voice_integration).toMatchObject({ engine: "vapi" });
    const { id } = await integrationIn(world, "awaiting_number");
    expect(assistantNamed(id)).toMatchObject({
      firstMessage: "Good morning.",
      voice: {
        provider: "11labs",
        voiceId: "burt",
        model: "eleven_flash_v2_5",
        fallbackPlan: { voices: [{ provider: "vapi", voiceId: "Kai" }] },
      },
      transcriber: {
        provider: "deepgram",
        model: "nova-3",
        language: "it",
        fallbackPlan: { transcribers: [{ provider: "11labs", model: "scribe_v1", language: "it" }] },
      },
      model: {
        provider: "custom-llm",
        url: `${PUBLIC_URL}/api/v1/openai`,
        model: world.workspaceSlug,
        messages: [{ role: "system", content: "You are Nora." }],
      },
      server: { url: `${PUBLIC_URL}/webhooks/vapi` },
    });
  });

  test("gives Vapi a key that may chat with its workspace and nothing else", async () => {
    const world = await newWorld(server);
    await world.api.post(integrationPath(world), {});
    const { id } = await integrationIn(world, "awaiting_number");
    const key = assistantNamed(id)?.credentials?.[0]?.apiKey ?? "";
    const vapis = client(server.url, key, world.accountId);
    expect((await vapis.get("/v1/openai/models")).body.data).toMatchObject([{ id: world.workspaceSlug }]);
    expect(await vapis.get("/v1/accounts")).toMatchObject({ status: 403 });
    expect(await vapis.get(integrationPath(world))).toMatchObject({ status: 403 });
    const rows = await server.app.db.asSystem("superadmin", (tx) =>
      tx.selectFrom("voice_engine_entries").selectAll().where("subject", "=", id).execute(),
    );
    expect(JSON.stringify(rows)).not.toContain(key);
    await world.api.delete(integrationPath(world));
    await until(() => assistantNamed(id) === undefined);
    await until(async () => (await vapis.get("/v1/openai/models")).status === 403);
  });

  test("is changed there when it is changed here", async () => {
    const world = await newWorld(server);
    await world.api.post(integrationPath(world), {});
    const { id } = await integrationIn(world, "awaiting_number");
    await world.api.patch(integrationPath(world), { firstMessage: "Good evening.", fallbackVoices: [] });
    await until(() => assistantNamed(id)?.firstMessage === "Good evening.");
    expect(state.assistants.filter(({ name }) => name === id)).toHaveLength(1);
  });

  test("that is deleted leaves nothing there, neither assistant nor number", async () => {
    const world = await newWorld(server);
    const number = await linkAtVapi(server, world);
    const { id } = (await world.api.get(integrationPath(world))).body.voice_integration;
    await world.api.delete(integrationPath(world));
    await until(() => assistantNamed(id) === undefined && numberAt(number) === undefined);
  });
});

describe("a number", () => {
  test("that is linked is brought to Vapi, with its assistant; unlinked, it is gone", async () => {
    const world = await newWorld(server);
    const { id: numberId, number } = await insertTwilioNumber(server, world);
    await world.api.post(integrationPath(world), {});
    await integrationIn(world, "awaiting_number");
    await world.api.patch(integrationPath(world), { number_id: numberId });
    const { id } = await integrationIn(world, "active");
    expect(numberAt(number)).toMatchObject({
      provider: "twilio",
      twilioAccountSid: server.app.config.twilio?.accountSid,
      assistantId: assistantNamed(id)?.id,
    });
    await world.api.patch(integrationPath(world), { number_id: null });
    await until(() => numberAt(number) === undefined);
  });
});

describe("while Vapi is down", () => {
  test("nothing is lost: it says so, tries again, and is right in the end", async () => {
    const world = await newWorld(server);
    vapi.fail({ fault: { kind: "status", status: 503, message: "down for maintenance" } });
    const made = await world.api.post(integrationPath(world), { firstMessage: "Hello, anyway." });
    expect(made.status).toBe(200);
    const waiting = await integrationIn(world, "needs_attention");
    const check = waiting.checks.find(({ name }: { name: string }) => name === "engine");
    expect(check).toMatchObject({ ok: false, message: expect.stringContaining("down for maintenance") });
    expect(check.message).not.toContain(state.apiKey);
    expect(waiting.job_id).not.toBeNull();
    vapi.recover();
    await until(() => assistantNamed(waiting.id)?.firstMessage === "Hello, anyway.", 15_000);
    await integrationIn(world, "awaiting_number");
  }, 30_000);

  test("an assistant whose answer was lost is not made twice", async () => {
    const world = await newWorld(server);
    state.afterCreate = async () => {
      state.afterCreate = async () => undefined;
      throw new Error("the connection broke");
    };
    await world.api.post(integrationPath(world), {});
    await until(async () => {
      const { voice_integration: it } = (await world.api.get(integrationPath(world))).body;
      return it.status === "awaiting_number";
    }, 15_000);
    const { id } = (await world.api.get(integrationPath(world))).body.voice_integration;
    expect(state.assistants.filter(({ name }) => name === id)).toHaveLength(1);
  }, 30_000);
});
