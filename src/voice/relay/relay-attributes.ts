import { z } from "zod";
import { languageOf } from "../../assistant/language.ts";
import { spokenLanguage } from "../turn/spoken-phrases.ts";

export type CarrierName = "twilio" | "telnyx";

/** Of a stored configuration, what a line is opened with; whatever else is in it is another engine's. */
export const RelayConfiguration = z.object({
  firstMessage: z.string(),
  prompt: z.string(),
  voice: z.object({ provider: z.string(), voiceId: z.string(), model: z.string().optional() }),
  transcriber: z.object({ provider: z.string(), model: z.string(), language: z.string() }),
  fallbackVoices: z.array(
    z.object({ provider: z.string(), voiceId: z.string(), model: z.string().optional() }),
  ),
  fallbackTranscribers: z.array(z.object({ provider: z.string(), model: z.string(), language: z.string() })),
});
export type RelayConfiguration = z.output<typeof RelayConfiguration>;

type Voice = RelayConfiguration["voice"];
type TranscriberChoice = RelayConfiguration["transcriber"];

/** Carriers want a region; these are the ones that most of their voices have. */
const REGIONS: Readonly<Record<string, string>> = {
  en: "en-US",
  de: "de-DE",
  it: "it-IT",
  fr: "fr-FR",
  es: "es-ES",
  pt: "pt-PT",
  nl: "nl-NL",
};

/** What a call is spoken and understood in. */
export interface RelayLanguages {
  /** The tag it begins in. */
  language: string;
  /** Tags that it may change to, when the transcriber understands several. */
  languages: readonly string[];
}

export function languagesOf({ firstMessage, transcriber }: RelayConfiguration): RelayLanguages {
  if (transcriber.language !== "multi") return { language: tagOf(transcriber.language), languages: [] };
  // What is understood in any language begins in that of the greeting.
  const language = tagOf(languageOf(firstMessage));
  return { language, languages: Object.values(REGIONS) };
}

function tagOf(language: string): string {
  return REGIONS[language] ?? language;
}

/**
 * What the carrier is told of voice and transcriber. `attempt` counts from 0: the configured ones, then the fallbacks
 * in their order, and at last none, which is the carrier's own choice. A provider that the carrier does not know is its
 * own choice, too: somebody who calls is answered in another voice rather than not at all.
 */
export function relayAttributes(
  carrier: CarrierName,
  configuration: RelayConfiguration,
  attempt: number,
): Record<string, string | undefined> {
  const { language } = languagesOf(configuration);
  const isLast = attempt >= attemptsOf(configuration) - 1;
  const { voice: first, fallbackVoices, transcriber: firstTranscriber, fallbackTranscribers } = configuration;
  const voice = isLast ? undefined : at([first, ...fallbackVoices], attempt);
  const transcriber = isLast ? undefined : at([firstTranscriber, ...fallbackTranscribers], attempt);
  return {
    language,
    ...(carrier === "twilio" ? twilioVoice(voice) : telnyxVoice(voice)),
    ...(carrier === "twilio" ? twilioTranscriber(transcriber) : telnyxTranscriber(transcriber)),
  };
}

/** How often a line may be opened anew: once for each fallback, and once with nothing of the configuration. */
export function attemptsOf({ fallbackVoices, fallbackTranscribers }: RelayConfiguration): number {
  return 2 + Math.max(fallbackVoices.length, fallbackTranscribers.length);
}

/** The shorter of the two lists repeats its last. */
function at<Choice>(choices: readonly Choice[], attempt: number): Choice | undefined {
  return choices[Math.min(attempt, choices.length - 1)];
}

function twilioVoice(voice: Voice | undefined): Record<string, string | undefined> {
  if (voice?.provider !== "11labs") return {};
  // `<voice>-<model>`, the model without the vendor's name.
  const model = voice.model?.replace(/^eleven_/, "");
  return {
    ttsProvider: "ElevenLabs",
    voice: model === undefined ? voice.voiceId : `${voice.voiceId}-${model}`,
  };
}

function telnyxVoice(voice: Voice | undefined): Record<string, string | undefined> {
  if (voice?.provider !== "11labs") return {};
  return { voice: `ElevenLabs.${voice.model ?? "eleven_multilingual_v2"}.${voice.voiceId}` };
}

function twilioTranscriber(transcriber: TranscriberChoice | undefined): Record<string, string | undefined> {
  if (transcriber?.provider !== "deepgram") return {};
  const { model, language } = transcriber;
  return {
    transcriptionProvider: "Deepgram",
    // Twilio names the plain models in full.
    speechModel: /^nova-\d$/.test(model) ? `${model}-general` : model,
    ...(language === "multi" ? { transcriptionLanguage: "multi" } : {}),
  };
}

function telnyxTranscriber(transcriber: TranscriberChoice | undefined): Record<string, string | undefined> {
  if (transcriber?.provider !== "deepgram") return {};
  return { transcriptionProvider: "deepgram", speechModel: transcriber.model };
}

/** The language of a country whose callers hear a sentence before anybody knows whose number they called. */
export function languageOfNumber(number: string): string {
  const found = COUNTRY_LANGUAGES.find(([prefix]) => number.startsWith(prefix));
  return tagOf(spokenLanguage(found?.[1] ?? "en"));
}

const COUNTRY_LANGUAGES: readonly (readonly [prefix: string, language: string])[] = [
  ["+351", "pt"],
  ["+55", "pt"],
  ["+39", "it"],
  ["+49", "de"],
  ["+43", "de"],
  ["+41", "de"],
  ["+33", "fr"],
  ["+32", "fr"],
  ["+34", "es"],
  ["+52", "es"],
  ["+54", "es"],
  ["+31", "nl"],
];
