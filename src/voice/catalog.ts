import { createHash } from "node:crypto";

interface Choice {
  value: string;
  label: string;
}
export type VoiceChoice = Choice & { gender: string; accent: string };
export type Model = Choice & { languages: readonly Choice[] };

/**
 * The voices, models and languages that a configuration may name; what its endpoint answers, what is checked and what
 * the messages point at are all this. It is written by hand from what the vendors publish (`sources`), since a change
 * of theirs must not change what a stored configuration means. Put in a new date as `version` with every change.
 */
export const CATALOG = {
  version: "2026-11-22",
  voice: {
    providers: {
      vapi: {
        label: "Vapi",
        voiceIds: [
          voice("Elliot", "male", "Canadian"),
          voice("Savannah", "female", "Southern American"),
          voice("Rohan", "male", "Indian American"),
          voice("Emma", "female", "Asian American"),
          voice("Clara", "female", "American"),
          voice("Nico", "male", "American"),
          voice("Kai", "male", "American"),
          voice("Sagar", "male", "Indian American"),
          voice("Godfrey", "male", "American"),
          voice("Neil", "male", "Indian American"),
          voice("Layla", "female", "American"),
          voice("Sid", "male", "American"),
          voice("Naina", "female", "Indian American"),
        ],
      },
      "11labs": {
        label: "ElevenLabs",
        voiceIdFreeform: true,
        models: [
          model("eleven_flash_v2_5", "Flash v2.5", elevenLanguages("hu no vi")),
          model("eleven_flash_v2", "Flash v2", "en"),
          model("eleven_turbo_v2_5", "Turbo v2.5", elevenLanguages("hu no vi")),
          model("eleven_turbo_v2", "Turbo v2", "en"),
          model("eleven_multilingual_v2", "Multilingual v2", elevenLanguages("")),
        ],
      },
    },
  },
  transcriber: {
    providers: {
      deepgram: {
        label: "Deepgram",
        models: [
          model("nova-3", "Nova-3", deepgramLanguages("be bn bs hr kn mk mr sl sr ta te tl")),
          model("nova-3-medical", "Nova-3 Medical", "en en-US en-AU en-GB en-IN en-NZ"),
          model("nova-2", "Nova-2", deepgramLanguages("")),
          model("nova-2-phonecall", "Nova-2 Phonecall", "en en-US"),
          model("flux-general-en", "Flux", "en"),
        ],
      },
      "11labs": {
        label: "ElevenLabs",
        models: [
          model("scribe_v2_realtime", "Scribe v2 Realtime", scribeLanguages()),
          model("scribe_v2", "Scribe v2", scribeLanguages()),
          model("scribe_v1", "Scribe v1", scribeLanguages()),
        ],
      },
    },
  },
  defaults: {
    firstMessage: "Hello! How can I help you?",
    prompt: "",
    voice: { provider: "vapi", voiceId: "Elliot" },
    transcriber: { provider: "deepgram", model: "nova-3", language: "multi" },
    fallbackVoices: [],
    fallbackTranscribers: [],
  },
  /** Read as they stood in a stored copy on that day; the vendors may have changed since. */
  sources: [
    { url: "https://docs.vapi.ai/providers/voice/vapi-voices", read_at: "2026-11-22" },
    { url: "https://elevenlabs.io/docs/overview/models", read_at: "2026-11-22" },
    { url: "https://developers.deepgram.com/docs/models-languages-overview", read_at: "2026-11-22" },
    { url: "https://docs.vapi.ai/providers/transcriber/elevenlabs", read_at: "2026-11-22" },
  ],
} as const;

/** Another one after every change, also one that forgot to change the version. */
export const CATALOG_ETAG = `${CATALOG.version}-${createHash("sha256")
  .update(JSON.stringify(CATALOG))
  .digest("base64url")
  .slice(0, 12)}`;

function voice(value: string, gender: string, accent: string): VoiceChoice {
  return { value, label: `${value} (${gender}, ${accent})`, gender, accent };
}

function model(value: string, label: string, languages: string): Model {
  return {
    value,
    label,
    languages: languages.split(" ").map((code) => ({ value: code, label: nameOf(code) })),
  };
}

/** What the multilingual models of ElevenLabs speak, and what some of them speak beside that. */
function elevenLanguages(more: string): string {
  const all = "en ja zh de hi fr ko pt it es id nl tr fil pl sv bg ro ar cs el fi hr ms sk da ta uk ru";
  return `${all} ${more}`.trim();
}

/** What both generations of Deepgram's general model hear, and what the newer one hears beside that. */
function deepgramLanguages(more: string): string {
  const all =
    "multi en en-US en-AU en-GB en-IN en-NZ bg ca zh zh-CN zh-Hans zh-TW zh-Hant zh-HK cs da da-DK nl nl-BE et fi fr " +
    "fr-CA de de-CH el hi hu id it ja ko ko-KR lv lt ms no pl pt pt-BR pt-PT ro ru sk es es-419 sv sv-SE th th-TH tr " +
    "uk vi";
  return `${all} ${more}`.trim();
}

/** Those of the languages of Scribe that are published with their codes; it is said to hear more than ninety. */
function scribeLanguages(): string {
  return (
    "en es fr de it pt pl ru ja zh ko ar hi tr nl sv id cs ro hu fi da no th vi uk el he ms sk hr bg sr sl et lv lt is " +
    "ga mt cy"
  );
}

function nameOf(code: string): string {
  if (code === "multi") return "Multilingual";
  return new Intl.DisplayNames("en", { type: "language" }).of(code) ?? code;
}
