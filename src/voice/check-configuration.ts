import { Problem, type ProblemDetail } from "../http/problem.ts";
import { CATALOG, type Model } from "./catalog.ts";
import type {
  CreateVoiceIntegration,
  SentTranscriber,
  SentVoice,
  Transcriber,
  Voice,
  VoiceConfiguration,
} from "./voice.schemas.ts";

/** The values a message lists before it only points at the catalog. */
const LISTED_MAX = 20;

/**
 * A configuration after a change: what is sent replaces what is stored, and what was touched is checked against the
 * catalog. What was not touched stays, even if the catalog has moved on.
 *
 * @throws Problem naming every wrong place
 */
export function changeConfiguration(
  stored: VoiceConfiguration,
  sent: CreateVoiceIntegration,
): VoiceConfiguration {
  const details: ProblemDetail[] = [];
  const changed: VoiceConfiguration = {
    firstMessage: sent.firstMessage ?? stored.firstMessage,
    prompt: sent.prompt ?? stored.prompt,
    voice: sent.voice === undefined ? stored.voice : changeVoice(stored.voice, sent.voice, details),
    transcriber:
      sent.transcriber === undefined
        ? stored.transcriber
        : changeTranscriber(stored.transcriber, sent.transcriber, details),
    fallbackVoices:
      sent.fallbackVoices?.map((one, index) => completeVoice(one, `body.fallbackVoices.${index}`, details)) ??
      stored.fallbackVoices,
    fallbackTranscribers:
      sent.fallbackTranscribers?.map((one, index) =>
        completeTranscriber(one, `body.fallbackTranscribers.${index}`, details),
      ) ?? stored.fallbackTranscribers,
    number_id: sent.number_id === undefined ? stored.number_id : sent.number_id,
  };
  if (details.length > 0) throw refusal(details);
  return changed;
}

/** What is wrong with it by today's catalog; for one that was stored under an earlier one. */
export function findStale({ voice, transcriber, fallbackVoices, fallbackTranscribers }: VoiceConfiguration) {
  const stale = { voice: [] as ProblemDetail[], transcriber: [] as ProblemDetail[] };
  completeVoice(voice, "voice", stale.voice);
  for (const [index, one] of fallbackVoices.entries())
    completeVoice(one, `fallbackVoices.${index}`, stale.voice);
  completeTranscriber(transcriber, "transcriber", stale.transcriber);
  for (const [index, one] of fallbackTranscribers.entries())
    completeTranscriber(one, `fallbackTranscribers.${index}`, stale.transcriber);
  return stale;
}

/** With a provider nothing is carried over; without one the merged result must hold. */
function changeVoice(stored: Voice, sent: SentVoice, details: ProblemDetail[]): Voice {
  const whole = sent.provider === undefined ? { ...stored, ...sent } : sent;
  return completeVoice(whole, "body.voice", details);
}

function changeTranscriber(
  stored: Transcriber,
  sent: SentTranscriber,
  details: ProblemDetail[],
): Transcriber {
  const whole = sent.provider === undefined ? { ...stored, ...sent } : sent;
  return completeTranscriber(whole, "body.transcriber", details);
}

function completeVoice(sent: SentVoice, path: string, details: ProblemDetail[]): Voice {
  const { provider, voiceId, model } = sent;
  if (provider === undefined) missing(details, `${path}.provider`, "voice.providers");
  if (provider === "vapi") {
    const place = "voice.providers[vapi].voiceIds[].value";
    oneOf(details, `${path}.voiceId`, voiceId, valuesOf(CATALOG.voice.providers.vapi.voiceIds), place);
    if (model !== undefined) {
      const message = `must not be sent for the provider vapi: only voice.providers[11labs] of the catalog has models`;
      details.push({ path: `${path}.model`, message });
    }
  }
  if (provider === "11labs") {
    if (voiceId === undefined)
      missing(
        details,
        `${path}.voiceId`,
        "voice.providers[11labs].voiceIdFreeform",
        "any voice of ElevenLabs",
      );
    const place = "voice.providers[11labs].models[].value";
    oneOf(details, `${path}.model`, model, valuesOf(CATALOG.voice.providers["11labs"].models), place);
  }
  return {
    provider: provider ?? "vapi",
    voiceId: voiceId ?? "",
    ...(model === undefined ? {} : { model }),
  };
}

function completeTranscriber(sent: SentTranscriber, path: string, details: ProblemDetail[]): Transcriber {
  const { provider, model, language } = sent;
  if (provider === undefined) missing(details, `${path}.provider`, "transcriber.providers");
  else {
    const models: readonly Model[] = CATALOG.transcriber.providers[provider].models;
    const place = `transcriber.providers[${provider}].models`;
    oneOf(details, `${path}.model`, model, valuesOf(models), `${place}[].value`);
    const known = models.find(({ value }) => value === model);
    const languages = `${place}[${known?.value ?? ""}].languages[].value`;
    if (known !== undefined)
      oneOf(details, `${path}.language`, language, valuesOf(known.languages), languages);
    else if (language === undefined) missing(details, `${path}.language`, languages);
  }
  return { provider: provider ?? "deepgram", model: model ?? "", language: language ?? "" };
}

function oneOf(
  details: ProblemDetail[],
  path: string,
  value: string | undefined,
  values: readonly string[],
  place: string,
): void {
  if (value === undefined) missing(details, path, place);
  else if (!values.includes(value)) {
    const listed = values.length > LISTED_MAX ? "" : `: ${values.join(", ")}`;
    details.push({ path, message: `"${value}" is not among the catalog's ${place}${listed}` });
  }
}

function missing(details: ProblemDetail[], path: string, place: string, what = "one of them"): void {
  details.push({ path, message: `is missing: see ${place} in the catalog, and send ${what}` });
}

function valuesOf(choices: readonly { value: string }[]): string[] {
  return choices.map(({ value }) => value);
}

function refusal(details: ProblemDetail[]): Problem {
  const [first] = details;
  const more = details.length > 1 ? ` (and ${details.length - 1} more, see details)` : "";
  return new Problem(
    "invalid_request",
    `${first?.path}: ${first?.message}${more}. GET /v1/voice-integration/catalog lists what there is.`,
    { details },
  );
}
