import type { EngineAssistant, EngineTranscriber, EngineVoice } from "../../ports/voice-engine.ts";

/** Where Vapi tells us of calls, and what it must say to be believed. */
export interface VapiServer {
  /** `https://…/webhooks/vapi` */
  url: string;
  /** Sent back in the header `X-Vapi-Secret`. */
  secret: string;
}

/**
 * What we are told of: states, a model that keeps callers waiting, and all of a call at its end. What is said meanwhile
 * we know from our own answers.
 */
const SERVER_MESSAGES = [
  "status-update",
  "hang",
  "user-interrupted",
  "transfer-destination-request",
  "end-of-call-report",
];

/**
 * What our answers may tell Vapi to do with the call, by calling these. To whom a caller is transferred is asked in that
 * moment, since no destination is named here.
 */
const CALL_TOOLS = [{ type: "transferCall", destinations: [] }, { type: "endCall" }];

/** Vapi tries again for some 30 seconds; what is lost all the same is asked for. */
const BACKOFF = { type: "exponential", maxRetries: 5, baseDelaySeconds: 1 };

/** As long as Vapi waits for our first word; the least that it takes. */
const MODEL_TIMEOUT_SECONDS = 20;

/** An assistant in Vapi's words, whole: what is not in it would stay as it was, so nothing is left out. */
export function assistantBody(assistant: EngineAssistant, server: VapiServer) {
  const { reference, firstMessage, prompt, model } = assistant;
  return {
    name: reference,
    firstMessage,
    firstMessageMode: firstMessage === "" ? "assistant-waits-for-user" : "assistant-speaks-first",
    firstMessageInterruptionsEnabled: true,
    transcriber: transcriberOf(assistant),
    voice: voiceOf(assistant),
    model: {
      provider: "custom-llm",
      url: model.baseUrl,
      model: model.name,
      messages: prompt.trim() === "" ? [] : [{ role: "system", content: prompt.trim() }],
      // With the call, so that its caller is known.
      metadataSendMode: "variable",
      timeoutSeconds: MODEL_TIMEOUT_SECONDS,
      tools: CALL_TOOLS,
    },
    credentials: [{ provider: "custom-llm", apiKey: model.apiKey }],
    server: { url: server.url, headers: { "X-Vapi-Secret": server.secret }, backoffPlan: BACKOFF },
    serverMessages: SERVER_MESSAGES,
    // An assistant that was told of some in an earlier version has them still.
    endCallPhrases: [],
  };
}

/** Of Vapi's own voices none takes fallbacks: theirs are left out. */
function voiceOf({ voice, fallbackVoices }: EngineAssistant) {
  if (voice.provider === "vapi") return oneVoice(voice);
  return { ...oneVoice(voice), fallbackPlan: { voices: fallbackVoices.map(oneVoice) } };
}

function oneVoice({ provider, voiceId, model }: EngineVoice) {
  return { provider, voiceId, ...(model === undefined ? {} : { model }) };
}

function transcriberOf({ transcriber, fallbackTranscribers }: EngineAssistant) {
  return {
    ...oneTranscriber(transcriber),
    fallbackPlan: { transcribers: fallbackTranscribers.map(oneTranscriber) },
  };
}

function oneTranscriber({ provider, model, language }: EngineTranscriber) {
  return { provider, model, language };
}
