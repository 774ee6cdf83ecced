import { z } from "zod";

// The fields of version 2.0.1 of Vapi's own client, whose types are made from Vapi's description of its API. Those that
// nobody sends here are taken as they are.
const any = z.unknown().optional();
const seconds = z.number().min(0).optional();
/** Names of everything are as long at most. */
const name = z.string().max(40);

const voiceOptions = { cachingEnabled: z.boolean().optional(), chunkPlan: any, speed: seconds };
const vapiVoice = z.strictObject({
  ...voiceOptions,
  provider: z.literal("vapi"),
  voiceId: z.string().min(1),
  version: any,
  language: any,
  pronunciationDictionary: any,
});
const elevenVoice = z.strictObject({
  ...voiceOptions,
  provider: z.literal("11labs"),
  voiceId: z.string().min(1),
  model: z
    .enum([
      "eleven_multilingual_v2",
      "eleven_turbo_v2",
      "eleven_turbo_v2_5",
      "eleven_flash_v2",
      "eleven_flash_v2_5",
      "eleven_monolingual_v1",
      "eleven_v3",
    ])
    .optional(),
  stability: any,
  similarityBoost: any,
  style: any,
  language: z.string().optional(),
});
const fallbackVoices = z.strictObject({
  voices: z.array(z.discriminatedUnion("provider", [vapiVoice, elevenVoice])),
});
const voice = z.discriminatedUnion("provider", [
  vapiVoice,
  elevenVoice.extend({ fallbackPlan: fallbackVoices.optional() }),
]);

const deepgram = z.strictObject({
  provider: z.literal("deepgram"),
  model: z.string().optional(),
  language: z.string().optional(),
  smartFormat: z.boolean().optional(),
  keyterm: z.array(z.string()).optional(),
  endpointing: any,
});
const eleven = z.strictObject({
  provider: z.literal("11labs"),
  model: z.enum(["scribe_v1", "scribe_v2", "scribe_v2_realtime"]).optional(),
  language: z.string().optional(),
  confidenceThreshold: any,
});
const fallbackTranscribers = z.strictObject({
  transcribers: z.array(z.discriminatedUnion("provider", [deepgram, eleven])).optional(),
});
const transcriber = z.discriminatedUnion("provider", [
  deepgram.extend({ fallbackPlan: fallbackTranscribers.optional() }),
  eleven.extend({ fallbackPlan: fallbackTranscribers.optional() }),
]);

/** Those that act on the call; others have the model's server run them. */
const callTool = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("transferCall"),
    destinations: z.array(z.strictObject({ type: z.literal("number"), number: z.string() })).optional(),
    messages: any,
    rejectionPlan: any,
  }),
  z.strictObject({ type: z.literal("endCall"), messages: any, rejectionPlan: any }),
]);

const model = z.strictObject({
  provider: z.literal("custom-llm"),
  url: z.url(),
  model: z.string().min(1),
  metadataSendMode: z.enum(["off", "variable", "destructured"]).optional(),
  headers: z.record(z.string(), z.string()).optional(),
  timeoutSeconds: z.number().min(20).max(600).optional(),
  messages: z.array(z.strictObject({ role: z.string(), content: z.string().nullable() })).optional(),
  tools: z.array(callTool).optional(),
  toolIds: any,
  temperature: z.number().min(0).max(2).optional(),
  maxTokens: z.number().min(50).max(10_000).optional(),
});

const server = z.strictObject({
  url: z.url().optional(),
  timeoutSeconds: z.number().min(1).max(300).optional(),
  credentialId: z.string().optional(),
  headers: z.record(z.string(), z.unknown()).optional(),
  backoffPlan: z
    .strictObject({
      type: z.enum(["fixed", "exponential"]),
      maxRetries: z.number().min(0).max(10),
      baseDelaySeconds: z.number().min(0).max(10),
    })
    .optional(),
});

export const SERVER_MESSAGES = [
  "assistant.started",
  "assistant.speechStarted",
  "conversation-update",
  "end-of-call-report",
  "function-call",
  "hang",
  "language-changed",
  "language-change-detected",
  "model-output",
  "phone-call-control",
  "speech-update",
  "status-update",
  "transcript",
  'transcript[transcriptType="final"]',
  "tool-calls",
  "transfer-destination-request",
  "handoff-destination-request",
  "transfer-update",
  "user-interrupted",
  "voice-input",
] as const;

const assistantFields = z.strictObject({
  name: name.optional(),
  transcriber: transcriber.optional(),
  model: model.optional(),
  voice: voice.optional(),
  firstMessage: z.string().optional(),
  firstMessageInterruptionsEnabled: z.boolean().optional(),
  firstMessageMode: z
    .enum([
      "assistant-speaks-first",
      "assistant-speaks-first-with-model-generated-message",
      "assistant-waits-for-user",
    ])
    .optional(),
  serverMessages: z.array(z.enum(SERVER_MESSAGES)).optional(),
  clientMessages: any,
  maxDurationSeconds: z.number().min(10).max(43_200).optional(),
  credentials: z
    .array(z.strictObject({ provider: z.literal("custom-llm"), apiKey: z.string().min(1).max(10_000) }))
    .optional(),
  endCallMessage: z.string().max(1_000).optional(),
  endCallPhrases: z.array(z.string().min(2).max(140)).optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
  artifactPlan: any,
  analysisPlan: any,
  startSpeakingPlan: any,
  stopSpeakingPlan: any,
  server: server.optional(),
});
export type AssistantFields = z.output<typeof assistantFields>;
export const CreateAssistant = assistantFields;
export const UpdateAssistant = assistantFields;

const numberFields = {
  name: name.optional(),
  assistantId: z.uuid().nullish(),
  server: server.optional(),
  fallbackDestination: any,
};
const E164 = z.string().regex(/^\+[1-9]\d{1,14}$/, "must be a valid phone number in the E.164 format");
const twilioNumber = {
  provider: z.literal("twilio"),
  twilioAccountSid: z.string().min(1),
  twilioAuthToken: z.string().min(1).optional(),
  twilioApiKey: z.string().optional(),
  twilioApiSecret: z.string().optional(),
  smsEnabled: z.boolean().optional(),
};

/** The answer to a `transfer-destination-request`. */
export const TransferAnswer = z.union([
  z.strictObject({
    destination: z.strictObject({
      type: z.literal("number"),
      number: E164,
      message: z.string().optional(),
      callerId: z.string().optional(),
      extension: z.string().optional(),
      transferPlan: any,
      description: z.string().optional(),
    }),
    message: any,
  }),
  z.strictObject({ error: z.string().min(1) }),
]);

export const CreatePhoneNumber = z.discriminatedUnion("provider", [
  z.strictObject({ ...numberFields, ...twilioNumber, number: E164 }),
  z.strictObject({
    ...numberFields,
    provider: z.literal("vapi"),
    numberDesiredAreaCode: z.string().optional(),
  }),
]);
export const UpdatePhoneNumber = z.discriminatedUnion("provider", [
  z.strictObject({
    ...numberFields,
    ...twilioNumber,
    twilioAccountSid: z.string().optional(),
    number: E164.optional(),
  }),
  z.strictObject({ ...numberFields, provider: z.literal("vapi") }),
]);
