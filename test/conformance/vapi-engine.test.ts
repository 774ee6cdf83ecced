import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { ProviderError } from "../../src/ports/provider-error.ts";
import type { EngineAssistant, EngineNumber } from "../../src/ports/voice-engine.ts";
import { type VapiEngineOptions, vapiEngine } from "../../src/providers/vapi/vapi-engine.ts";
import { startVapiSimulator } from "../simulators/vapi/vapi-simulator.ts";
import { newRecord } from "../simulators/vapi/vapi-state.ts";

const simulator = await startVapiSimulator();
afterAll(() => simulator.close());
const { state } = simulator;
const SECRET = "the-webhook-secret";
const MODEL_KEY = "lum_the-model-key";
const TWILIO_TOKEN = "the-twilio-token";
const { signal } = new AbortController();

const assistant: EngineAssistant = {
  reference: "LumenOne front desk",
  firstMessage: "Hello!",
  prompt: "You are at the front desk.",
  voice: { provider: "11labs", voiceId: "burt", model: "eleven_flash_v2_5" },
  transcriber: { provider: "deepgram", model: "nova-3", language: "multi" },
  fallbackVoices: [{ provider: "vapi", voiceId: "Kai" }],
  fallbackTranscribers: [{ provider: "11labs", model: "scribe_v1", language: "en" }],
  model: { baseUrl: "https://ai.example.com/api/v1/openai", name: "support", apiKey: MODEL_KEY },
};
const berlin: EngineNumber = {
  reference: "LumenOne +493012345678",
  number: "+493012345678",
  carrier: "twilio",
  carrierId: "PN1",
};

function engineWith(more: Partial<VapiEngineOptions> = {}) {
  const engine = vapiEngine({
    apiKey: state.apiKey,
    baseUrl: simulator.url,
    server: { url: "https://ai.example.com/webhooks/vapi", secret: SECRET },
    twilio: { accountSid: "AC1", authToken: TWILIO_TOKEN },
    ...more,
  });
  if (engine.assistants === null) throw new Error("Vapi has assistants of its own");
  return { ...engine, assistants: engine.assistants };
}
const engine = engineWith();

beforeEach(() => {
  simulator.recover();
  simulator.requests.length = 0;
  Object.assign(state, { assistants: [], numbers: [], afterCreate: async () => undefined });
  state.twilioAccounts.set("AC1", TWILIO_TOKEN);
});

describe("an assistant", () => {
  test("is made with all that Vapi needs to answer in our name", async () => {
    const id = await engine.assistants.putAssistant(assistant, null, signal);
    expect(state.assistants).toEqual([expect.objectContaining({ id })]);
    expect(state.assistants[0]).toMatchObject({
      name: "LumenOne front desk",
      firstMessage: "Hello!",
      firstMessageMode: "assistant-speaks-first",
      voice: {
        provider: "11labs",
        voiceId: "burt",
        model: "eleven_flash_v2_5",
        fallbackPlan: { voices: [{ provider: "vapi", voiceId: "Kai" }] },
      },
      transcriber: {
        provider: "deepgram",
        model: "nova-3",
        language: "multi",
        fallbackPlan: { transcribers: [{ provider: "11labs", model: "scribe_v1", language: "en" }] },
      },
      model: {
        provider: "custom-llm",
        url: "https://ai.example.com/api/v1/openai",
        model: "support",
        messages: [{ role: "system", content: "You are at the front desk." }],
      },
      credentials: [{ provider: "custom-llm", apiKey: MODEL_KEY }],
      server: { url: "https://ai.example.com/webhooks/vapi", headers: { "X-Vapi-Secret": SECRET } },
    });
    expect(state.assistants[0]?.serverMessages).toContain("end-of-call-report");
  });

  test("with a voice of Vapi's own has no fallback voices, which Vapi does not take there", async () => {
    const voice = { provider: "vapi", voiceId: "Elliot" } as const;
    await engine.assistants.putAssistant({ ...assistant, voice, firstMessage: "" }, null, signal);
    expect(state.assistants[0]).toMatchObject({ voice, firstMessageMode: "assistant-waits-for-user" });
    expect(state.assistants[0]?.voice).toEqual(voice);
  });

  test("is changed as a whole: fallbacks that are gone are gone there", async () => {
    const id = await engine.assistants.putAssistant(assistant, null, signal);
    const changed = {
      ...assistant,
      firstMessage: "Good morning!",
      fallbackVoices: [],
      fallbackTranscribers: [],
    };
    expect(await engine.assistants.putAssistant(changed, id, signal)).toBe(id);
    expect(state.assistants).toHaveLength(1);
    expect(state.assistants[0]).toMatchObject({
      firstMessage: "Good morning!",
      voice: { fallbackPlan: { voices: [] } },
      transcriber: { fallbackPlan: { transcribers: [] } },
    });
  });

  test("whose answer was lost is found by its name, and made once", async () => {
    simulator.fail({ fault: { kind: "reset" }, times: 1 });
    await expect(engine.assistants.putAssistant(assistant, null, signal)).rejects.toThrow(ProviderError);
    simulator.recover();
    state.afterCreate = async () => {
      throw new Error("gone after it was made");
    };
    await expect(engine.assistants.putAssistant(assistant, null, signal)).rejects.toThrow(ProviderError);
    state.afterCreate = async () => undefined;
    const id = await engine.assistants.putAssistant(assistant, null, signal);
    expect(state.assistants.map((one) => one.id)).toEqual([id]);
  });

  test("that somebody deleted there is made anew", async () => {
    const id = await engine.assistants.putAssistant(assistant, null, signal);
    state.assistants = [];
    const anew = await engine.assistants.putAssistant(assistant, id, signal);
    expect(anew).not.toBe(id);
    expect(state.assistants.map((one) => one.id)).toEqual([anew]);
  });

  test("is removed with all of its name, twice as well as once", async () => {
    const { reference } = assistant;
    const id = await engine.assistants.putAssistant(assistant, null, signal);
    await engine.assistants.putAssistant({ ...assistant, reference: "another" }, null, signal);
    await engine.assistants.removeAssistant({ reference, knownId: id }, signal);
    await engine.assistants.removeAssistant({ reference, knownId: id }, signal);
    await engine.assistants.removeAssistant({ reference, knownId: null }, signal);
    expect(state.assistants.map(({ name }) => name)).toEqual(["another"]);
  });

  test("is to be told anew when Vapi is to report elsewhere, or with another secret", () => {
    const { target } = engine.assistants;
    const { target: same } = engineWith({ timeoutMs: 1 }).assistants;
    expect(same).toBe(target);
    const url = "https://ai.example.com/webhooks/vapi";
    const others = [
      { url, secret: "another-secret" },
      { url: `${url}/moved`, secret: SECRET },
    ];
    const targets = others.map((server) => engineWith({ server }).assistants.target);
    expect(new Set([target, ...targets]).size).toBe(3);
    expect(target).not.toContain(SECRET);
  });

  test("is found behind a thousand others", async () => {
    const id = await engine.assistants.putAssistant(assistant, null, signal);
    for (let i = 0; i < 1_000; i += 1) state.assistants.push({ name: `other ${i}`, ...newRecord(state) });
    simulator.requests.length = 0;
    expect(await engine.assistants.putAssistant(assistant, null, signal)).toBe(id);
    expect(simulator.requests.filter(({ method }) => method === "GET")).toHaveLength(2);
  });
});

describe("a number", () => {
  test("of Twilio's is brought to Vapi with its assistant, once", async () => {
    const assistantId = await engine.assistants.putAssistant(assistant, null, signal);
    expect(engine.planNumber(berlin)).toEqual({ by: "engine", target: "vapi" });
    const id = await engine.linkNumber(berlin, assistantId, null, signal);
    expect(state.numbers).toEqual([
      expect.objectContaining({ id, number: berlin.number, name: berlin.reference, assistantId }),
    ]);
    // Its messages stay where they were.
    expect(state.numbers[0]).toMatchObject({ smsEnabled: false });
    expect(await engine.linkNumber(berlin, assistantId, null, signal)).toBe(id);
    expect(await engine.linkNumber(berlin, assistantId, id, signal)).toBe(id);
    expect(state.numbers).toHaveLength(1);
  });

  test("goes from one assistant to another, and then to nobody", async () => {
    const first = await engine.assistants.putAssistant(assistant, null, signal);
    const second = await engine.assistants.putAssistant({ ...assistant, reference: "second" }, null, signal);
    await engine.linkNumber(berlin, first, null, signal);
    const id = await engine.linkNumber(berlin, second, null, signal);
    expect(state.numbers[0]).toMatchObject({ assistantId: second });
    await engine.unlinkNumber(berlin, id, signal);
    await engine.unlinkNumber(berlin, id, signal);
    expect(state.numbers).toEqual([]);
  });

  test("that the operator had there before stays there when it is unlinked", async () => {
    const assistantId = await engine.assistants.putAssistant(assistant, null, signal);
    const own = simulator.own(berlin.number, { name: "Reception" });
    expect(await engine.linkNumber(berlin, assistantId, null, signal)).toBe(own.id);
    expect(own.assistantId).toBe(assistantId);
    await engine.unlinkNumber(berlin, own.id, signal);
    expect(state.numbers).toEqual([expect.objectContaining({ id: own.id, assistantId: null })]);
  });

  test("that is not Twilio's, or without an account at Twilio, is brought there by hand", () => {
    const manual = engine.planNumber({ ...berlin, carrier: "manual", carrierId: null });
    expect(manual).toMatchObject({ by: "hand", todo: expect.stringContaining(berlin.number) });
    expect(engineWith({ twilio: null }).planNumber(berlin)).toMatchObject({ by: "hand" });
  });
});

describe("a failure", () => {
  test.each([
    [401, "unauthorized", false],
    [429, "rate_limited", true],
    [500, "unavailable", true],
    [503, "unavailable", true],
  ] as const)("of status %i is %s", async (status, code, retryable) => {
    const headers: Record<string, string> = status === 429 ? { "retry-after": "7" } : {};
    simulator.fail({ fault: { kind: "status", status, headers } });
    const put = engine.assistants.putAssistant(assistant, null, signal);
    const retryAfterMs = status === 429 ? 7_000 : null;
    await expect(put).rejects.toMatchObject({ provider: "vapi", status, code, retryable, retryAfterMs });
  });

  test("says what Vapi did not like", async () => {
    const put = engine.assistants.putAssistant({ ...assistant, reference: "x".repeat(41) }, null, signal);
    await expect(put).rejects.toMatchObject({ code: "rejected", message: expect.stringMatching(/name: /) });
  });

  test("shows no secret, even where Vapi quotes it", async () => {
    state.twilioAccounts.clear();
    const linked = engine.linkNumber(berlin, null, null, signal);
    await expect(linked).rejects.toMatchObject({ message: expect.stringContaining("[redacted]") });
    const stranger = engineWith({ apiKey: "a-wrong-key" });
    const found = stranger.unlinkNumber(berlin, null, signal);
    await expect(found).rejects.toMatchObject({ message: expect.stringContaining("[redacted]") });
    for (const failed of [linked, found]) {
      const error: unknown = await failed.catch((reason: unknown) => reason);
      expect(String(error)).not.toMatch(/a-wrong-key|the-twilio-token/);
    }
  });

  test("to answer in time, or in JSON, is told apart", async () => {
    simulator.fail({ fault: { kind: "slow", ms: 2_000 }, times: 1 });
    const slow = engineWith({ timeoutMs: 50 }).unlinkNumber(berlin, null, signal);
    await expect(slow).rejects.toMatchObject({ code: "timeout", retryable: true });
    simulator.fail({ fault: { kind: "html" }, times: 1 });
    const html = engine.unlinkNumber(berlin, null, signal);
    await expect(html).rejects.toMatchObject({ code: "bad_answer", retryable: true });
  });

  test("is none when the work was cancelled: its reason passes", async () => {
    const reason = new Error("stopping");
    const put = engine.assistants.putAssistant(assistant, null, AbortSignal.abort(reason));
    await expect(put).rejects.toBe(reason);
  });
});
