import { z } from "zod";
import { isoTime } from "../http/schemas.ts";
import { VOICE_ENGINES } from "../ports/voice-engine.ts";
import { CATALOG } from "./catalog.ts";

/** How many voices or transcribers may stand behind the first. */
export const FALLBACKS_MAX = 5;

const VOICE_PROVIDERS = ["vapi", "11labs"] as const;
const TRANSCRIBER_PROVIDERS = ["deepgram", "11labs"] as const;

function providerOf<const Names extends readonly [string, ...string[]]>(names: Names, place: string) {
  return z.enum(names, `is not one of the catalog's ${place}.providers: ${names.join(", ")}`);
}

const voiceProvider = providerOf(VOICE_PROVIDERS, "voice");
const transcriberProvider = providerOf(TRANSCRIBER_PROVIDERS, "transcriber");
const voiceId = z.string().min(1, "must not be empty").max(200);
const choice = z.string().min(1, "must not be empty").max(100);

const someField = [(fields: object) => Object.keys(fields).length > 0, "needs at least one field"] as const;

/** A voice as it is sent: only types are checked here, the rest against the catalog. */
export const SentVoice = z
  .strictObject({
    provider: voiceProvider.optional(),
    voiceId: voiceId.optional(),
    model: choice.optional(),
  })
  .refine(...someField)
  .meta({
    id: "SentVoice",
    minProperties: 1,
    description:
      "With `provider`, all that it needs must be sent, and nothing is kept of what is stored: `vapi` takes " +
      "`voiceId` and no `model`, `11labs` takes `voiceId` and `model`. Without it, what is sent is merged into " +
      "what is stored, and the result must be in the catalog.",
  });
export type SentVoice = z.output<typeof SentVoice>;

export const SentTranscriber = z
  .strictObject({
    provider: transcriberProvider.optional(),
    model: choice.optional(),
    language: choice.optional(),
  })
  .refine(...someField)
  .meta({
    id: "SentTranscriber",
    minProperties: 1,
    description:
      "With `provider`, `model` and `language` must be sent as well. Without it, what is sent is merged into what " +
      "is stored, and the result must be in the catalog.",
  });
export type SentTranscriber = z.output<typeof SentTranscriber>;

export const Voice = z
  .object({
    provider: voiceProvider.meta({ example: "vapi" }),
    voiceId: voiceId.meta({ example: "Elliot" }),
    model: choice.optional().meta({ description: "Of `11labs` only." }),
  })
  .meta({ id: "Voice" });
export type Voice = z.output<typeof Voice>;

export const Transcriber = z
  .object({
    provider: transcriberProvider.meta({ example: "deepgram" }),
    model: choice.meta({ example: "nova-3" }),
    language: choice.meta({ example: "multi" }),
  })
  .meta({ id: "Transcriber" });
export type Transcriber = z.output<typeof Transcriber>;

const numberId = z
  .int("is not the id of a number")
  .min(1, "is not the id of a number, which is a positive integer")
  .max(2_147_483_647, "is not the id of a number");

const fields = {
  number_id: numberId.nullable().optional().meta({
    description: "A number of the workspace's organization that no other assistant answers; null: none.",
    example: null,
  }),
  firstMessage: z
    .string()
    .max(2_000)
    .optional()
    .meta({ description: "What is said first; empty: the caller speaks first." }),
  prompt: z
    .string()
    .max(20_000)
    .optional()
    .meta({ description: "For calls, beside the workspace's own prompt." }),
  voice: SentVoice.optional(),
  transcriber: SentTranscriber.optional(),
  fallbackVoices: z
    .array(SentVoice)
    .max(FALLBACKS_MAX, `takes at most ${FALLBACKS_MAX}`)
    .optional()
    .meta({ description: "Replaces the whole list; each with its provider and all that it needs." }),
  fallbackTranscribers: z
    .array(SentTranscriber)
    .max(FALLBACKS_MAX, `takes at most ${FALLBACKS_MAX}`)
    .optional()
    .meta({ description: "Replaces the whole list; each with its provider and all that it needs." }),
};

export const CreateVoiceIntegration = z.strictObject(fields).meta({ id: "CreateVoiceIntegration" });
export type CreateVoiceIntegration = z.output<typeof CreateVoiceIntegration>;

export const UpdateVoiceIntegration = z
  .strictObject(fields)
  .refine(...someField)
  .meta({ id: "UpdateVoiceIntegration", minProperties: 1 });
export type UpdateVoiceIntegration = z.output<typeof UpdateVoiceIntegration>;

/** What a call runs with; also what `voice_configurations` keeps. */
export const VoiceConfiguration = z.object({
  firstMessage: z.string().meta({ example: CATALOG.defaults.firstMessage }),
  prompt: z.string(),
  voice: Voice,
  transcriber: Transcriber,
  fallbackVoices: z.array(Voice).meta({ example: [] }),
  fallbackTranscribers: z.array(Transcriber).meta({ example: [] }),
  number_id: z.int().nullable(),
});
export type VoiceConfiguration = z.output<typeof VoiceConfiguration>;

const Check = z.object({
  name: z.enum(["number", "carrier", "engine", "voice", "transcriber"]),
  ok: z.boolean(),
  message: z
    .string()
    .nullable()
    .meta({ description: "What to do about it; null: nothing. Beside `ok`: what nobody can see from here." }),
});
export type Check = z.output<typeof Check>;

export const VoiceIntegration = VoiceConfiguration.extend({
  id: z.uuid(),
  status: z.enum(["active", "pending", "awaiting_number", "needs_attention"]).meta({
    description:
      "`active`: callers are answered. `pending`: engine and carrier are being told, which takes seconds. " +
      "`awaiting_number`: everything else is ready. `needs_attention`: see `checks`.",
  }),
  checks: z.array(Check),
  engine: z.enum(VOICE_ENGINES),
  number: z.string().nullable().meta({ description: "E.164.", example: "+390612345678" }),
  job_id: z.uuid().nullable().meta({
    description:
      "The job that tells engine and carrier of this version; null: it has ended, or there is nothing to tell.",
    example: null,
  }),
  version: z.int().meta({ description: "Grows with every change; also the `ETag`.", example: 1 }),
  created_at: isoTime,
  updated_at: isoTime,
}).meta({ id: "VoiceIntegration" });
export type VoiceIntegration = z.output<typeof VoiceIntegration>;

export const VoiceIntegrationResponse = z
  .object({ voice_integration: VoiceIntegration })
  .meta({ id: "VoiceIntegrationResponse" });
export const VoiceIntegrationWritten = z
  .object({ success: z.literal(true), voice_integration: VoiceIntegration })
  .meta({ id: "VoiceIntegrationWritten" });

const Choice = z.object({ value: z.string(), label: z.string() });
const Model = Choice.extend({ languages: z.array(Choice) });
const labelled = { label: z.string() };

export const VoiceCatalog = z
  .object({
    voice: z.object({
      providers: z.object({
        vapi: z.object({
          ...labelled,
          voiceIds: z.array(Choice.extend({ gender: z.string(), accent: z.string() })),
        }),
        "11labs": z.object({
          ...labelled,
          voiceIdFreeform: z.literal(true),
          models: z.array(Model),
        }),
      }),
    }),
    transcriber: z.object({
      providers: z.object({
        deepgram: z.object({ ...labelled, models: z.array(Model) }),
        "11labs": z.object({ ...labelled, models: z.array(Model) }),
      }),
    }),
    defaults: VoiceConfiguration.omit({ number_id: true }),
    version: z.string().meta({ description: "The day when it was put together.", example: CATALOG.version }),
    sources: z
      .array(z.object({ url: z.string(), read_at: z.string() }))
      .meta({ description: "Where each vendor publishes what it offers, and when that was read." }),
  })
  .meta({ id: "VoiceCatalog" });
