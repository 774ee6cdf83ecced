import { describe, expect, test } from "vitest";
import { expectNamed, expectProblem } from "../../test/expectations.ts";
import { newWorld, testServer } from "../../test/support.ts";
import { CATALOG } from "./catalog.ts";
import { ELEVEN, NOVA, newVoice, SCRIBE, VAPI, voicePath } from "./test-support.ts";

const server = await testServer();

/** What is stored, what is sent, and what is stored afterwards. */
const CHANGES: [rule: string, stored: object, sent: object, result: object][] = [
  ["one field alone changes nothing else", {}, { prompt: "New" }, { ...CATALOG.defaults, prompt: "New" }],
  ["an empty text is a text", { firstMessage: "Hi" }, { firstMessage: "" }, { firstMessage: "" }],
  ["vapi takes a voiceId of the catalog", { voice: ELEVEN }, { voice: VAPI }, { voice: VAPI }],
  ["11labs takes a free voiceId and a model", { voice: VAPI }, { voice: ELEVEN }, { voice: ELEVEN }],
  [
    "deepgram takes model and language",
    { transcriber: SCRIBE },
    { transcriber: NOVA },
    { transcriber: NOVA },
  ],
  [
    "11labs takes model and language",
    { transcriber: NOVA },
    { transcriber: SCRIBE },
    { transcriber: SCRIBE },
  ],
  [
    "without a provider a voiceId is merged",
    { voice: ELEVEN },
    { voice: { voiceId: "another" } },
    { voice: { ...ELEVEN, voiceId: "another" } },
  ],
  [
    "without a provider a model is merged",
    { voice: ELEVEN },
    { voice: { model: "eleven_turbo_v2_5" } },
    { voice: { ...ELEVEN, model: "eleven_turbo_v2_5" } },
  ],
  [
    "without a provider a language is merged",
    { transcriber: NOVA },
    { transcriber: { language: "de" } },
    { transcriber: { ...NOVA, language: "de" } },
  ],
  [
    "fallback voices replace the whole list",
    { fallbackVoices: [VAPI, ELEVEN] },
    { fallbackVoices: [ELEVEN] },
    { fallbackVoices: [ELEVEN] },
  ],
  [
    "an empty list clears the fallback voices",
    { fallbackVoices: [VAPI] },
    { fallbackVoices: [] },
    { fallbackVoices: [] },
  ],
  [
    "fallback transcribers replace the whole list",
    { fallbackTranscribers: [NOVA] },
    { fallbackTranscribers: [SCRIBE, NOVA] },
    { fallbackTranscribers: [SCRIBE, NOVA] },
  ],
  [
    "an empty list clears the fallback transcribers",
    { fallbackTranscribers: [NOVA] },
    { fallbackTranscribers: [] },
    { fallbackTranscribers: [] },
  ],
  ["lists that are not sent stay", { fallbackVoices: [VAPI] }, { prompt: "x" }, { fallbackVoices: [VAPI] }],
  [
    "five fallbacks are allowed",
    {},
    { fallbackVoices: Array(5).fill(VAPI) },
    { fallbackVoices: Array(5).fill(VAPI) },
  ],
];

/** What is stored, what is sent, the place that is named, and what the message must say. */
const REFUSALS: [rule: string, stored: object, sent: unknown, place: string, says: string | RegExp][] = [
  ["nothing at all", {}, {}, "body", "at least one field"],
  ["an unknown field", {}, { voices: [] }, "body.voices", "not a known field"],
  ["a voice without any field", {}, { voice: {} }, "body.voice", "at least one field"],
  [
    "an unknown field of a voice",
    {},
    { voice: { ...VAPI, speed: 1 } },
    "body.voice.speed",
    "not a known field",
  ],
  [
    "an unknown voice provider",
    {},
    { voice: { provider: "azure" } },
    "body.voice.provider",
    "voice.providers",
  ],
  [
    "vapi without voiceId",
    { voice: VAPI },
    { voice: { provider: "vapi" } },
    "body.voice.voiceId",
    "voice.providers[vapi].voiceIds",
  ],
  [
    "vapi with a voiceId that is not in the catalog",
    {},
    { voice: { provider: "vapi", voiceId: "elliot" } },
    "body.voice.voiceId",
    "voice.providers[vapi].voiceIds[].value",
  ],
  [
    "vapi with a model",
    {},
    { voice: { ...VAPI, model: "eleven_flash_v2_5" } },
    "body.voice.model",
    "must not be sent",
  ],
  [
    "11labs without voiceId, nothing being carried over",
    { voice: ELEVEN },
    { voice: { provider: "11labs", model: ELEVEN.model } },
    "body.voice.voiceId",
    "voice.providers[11labs]",
  ],
  [
    "11labs without model, nothing being carried over",
    { voice: ELEVEN },
    { voice: { provider: "11labs", voiceId: "x" } },
    "body.voice.model",
    "voice.providers[11labs].models[].value",
  ],
  [
    "11labs with a model that is not in the catalog",
    {},
    { voice: { ...ELEVEN, model: "eleven_v9" } },
    "body.voice.model",
    "voice.providers[11labs].models[].value",
  ],
  [
    "11labs with an empty voiceId",
    {},
    { voice: { ...ELEVEN, voiceId: "" } },
    "body.voice.voiceId",
    "must not be empty",
  ],
  ["a voiceId that is no text", {}, { voice: { voiceId: 7 } }, "body.voice.voiceId", "expected string"],
  [
    "merged: a voiceId that the stored provider has not",
    { voice: VAPI },
    { voice: { voiceId: "x" } },
    "body.voice.voiceId",
    "voice.providers[vapi].voiceIds[].value",
  ],
  [
    "merged: a model for a stored vapi voice",
    { voice: VAPI },
    { voice: { model: "eleven_flash_v2_5" } },
    "body.voice.model",
    "must not be sent",
  ],
  [
    "merged: a model that the stored provider has not",
    { voice: ELEVEN },
    { voice: { model: "x" } },
    "body.voice.model",
    "voice.providers[11labs].models[].value",
  ],
  [
    "an unknown transcriber provider",
    {},
    { transcriber: { provider: "whisper" } },
    "body.transcriber.provider",
    "transcriber.providers",
  ],
  [
    "deepgram without model, nothing being carried over",
    { transcriber: NOVA },
    { transcriber: { provider: "deepgram", language: "it" } },
    "body.transcriber.model",
    "transcriber.providers[deepgram].models[].value",
  ],
  [
    "deepgram without language, nothing being carried over",
    { transcriber: NOVA },
    { transcriber: { provider: "deepgram", model: "nova-3" } },
    "body.transcriber.language",
    "transcriber.providers[deepgram].models[nova-3].languages[].value",
  ],
  [
    "11labs without language",
    {},
    { transcriber: { provider: "11labs", model: "scribe_v1" } },
    "body.transcriber.language",
    "transcriber.providers[11labs].models[scribe_v1]",
  ],
  [
    "a model of another transcriber provider",
    {},
    { transcriber: { ...NOVA, model: "scribe_v1" } },
    "body.transcriber.model",
    "transcriber.providers[deepgram].models[].value",
  ],
  [
    "a language that the model has not",
    {},
    { transcriber: { ...NOVA, model: "flux-general-en" } },
    "body.transcriber.language",
    "transcriber.providers[deepgram].models[flux-general-en].languages[].value",
  ],
  [
    "an unknown field of a transcriber",
    {},
    { transcriber: { ...NOVA, tier: "x" } },
    "body.transcriber.tier",
    "not a known field",
  ],
  [
    "merged: a stale combination of model and language",
    { transcriber: NOVA },
    { transcriber: { model: "nova-2-phonecall" } },
    "body.transcriber.language",
    "models[nova-2-phonecall].languages[].value: en, en-US",
  ],
  [
    "merged: a language that the stored model has not",
    { transcriber: NOVA },
    { transcriber: { language: "xx" } },
    "body.transcriber.language",
    "models[nova-3].languages[].value",
  ],
  ["fallbacks that are no list", {}, { fallbackVoices: VAPI }, "body.fallbackVoices", "expected array"],
  ["six fallback voices", {}, { fallbackVoices: Array(6).fill(VAPI) }, "body.fallbackVoices", "at most 5"],
  [
    "six fallback transcribers",
    {},
    { fallbackTranscribers: Array(6).fill(NOVA) },
    "body.fallbackTranscribers",
    "at most 5",
  ],
  [
    "a fallback voice without provider",
    {},
    { fallbackVoices: [VAPI, { voiceId: "Emma" }] },
    "body.fallbackVoices.1.provider",
    "voice.providers",
  ],
  [
    "an incomplete fallback voice",
    {},
    { fallbackVoices: [{ provider: "11labs", voiceId: "x" }] },
    "body.fallbackVoices.0.model",
    "voice.providers[11labs].models[].value",
  ],
  [
    "an incomplete fallback transcriber",
    {},
    { fallbackTranscribers: [{ provider: "deepgram", model: "nova-3" }] },
    "body.fallbackTranscribers.0.language",
    "models[nova-3].languages[].value",
  ],
  ["fallbacks that are null", {}, { fallbackVoices: null }, "body.fallbackVoices", "expected array"],
  ["a first message that is no text", {}, { firstMessage: null }, "body.firstMessage", "expected string"],
  ["a number_id of zero", {}, { number_id: 0 }, "body.number_id", "positive integer"],
  ["a negative number_id", {}, { number_id: -1 }, "body.number_id", "positive integer"],
  ["a broken number_id", {}, { number_id: 1.5 }, "body.number_id", "number"],
  ["a number_id that is text", {}, { number_id: "1" }, "body.number_id", "number"],
  ["a number_id of nothing", {}, { number_id: 2_147_483_647 }, "body.number_id", "workspace's organization"],
];

describe("a PATCH does what the contract says:", () => {
  test.each(CHANGES)("%s", async (_rule, stored, sent, result) => {
    const { patch, made, world, path } = await newVoice(server, stored);
    const { body } = await patch(sent);
    expect(body).toMatchObject({ success: true, voice_integration: result });
    const untouched = Object.keys(made).filter(
      (name) => !(name in sent) && !["version", "updated_at"].includes(name),
    );
    for (const name of untouched) expect(body.voice_integration[name], name).toEqual(made[name]);
    expect((await world.api.get(path)).body.voice_integration).toEqual(body.voice_integration);
  });
});

describe("a PATCH is refused, names the place and points into the catalog:", () => {
  test.each(REFUSALS)("%s", async (_rule, stored, sent, place, says) => {
    const { patch, made, world, path } = await newVoice(server, stored);
    const reply = await patch(sent);
    expectProblem(reply, "invalid_request");
    expectNamed(reply, place);
    const detail = reply.body.details.find(({ path: at }: { path: string }) => at === place);
    expect(detail?.message).toContain(says);
    expect((await world.api.get(path)).body.voice_integration).toEqual(made);
  });

  test.each(
    REFUSALS.filter(
      ([, stored, sent]) =>
        sent !== null && Object.keys(stored).length === 0 && Object.keys(Object(sent)).length > 0,
    ),
  )("when provisioning, too: %s", async (_rule, _stored, sent, place) => {
    const world = await newWorld(server);
    const reply = await world.api.post(voicePath(world.workspaceSlug), sent);
    expectProblem(reply, "invalid_request");
    expectNamed(reply, place);
    expectProblem(await world.api.get(voicePath(world.workspaceSlug)), "not_found");
  });

  test("with every wrong place at once", async () => {
    const { patch } = await newVoice(server);
    const reply = await patch({
      voice: { provider: "11labs" },
      transcriber: { provider: "deepgram" },
      fallbackVoices: [{ voiceId: "x" }],
    });
    const places = reply.body.details.map(({ path }: { path: string }) => path);
    expect(places).toEqual([
      "body.voice.voiceId",
      "body.voice.model",
      "body.transcriber.model",
      "body.transcriber.language",
      "body.fallbackVoices.0.provider",
    ]);
    expect(reply.body.message).toContain("GET /v1/voice-integration/catalog");
  });
});
