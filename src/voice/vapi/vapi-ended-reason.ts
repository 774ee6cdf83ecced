import type { EndedReason } from "../ended-reasons.ts";

/**
 * What Vapi's words for the end of a call come down to. It has some six hundred, made of who failed and how: the first
 * line that fits counts. Source: the type of `endedReason` in `@vapi-ai/server-sdk` 2.0.1.
 */
const FAMILIES: readonly (readonly [words: RegExp, reason: EndedReason])[] = [
  [/^customer-ended-call/, "caller_hung_up"],
  [/^(call\.in-progress\.(twilio|sip)-completed-call|vonage-completed)$/, "caller_hung_up"],
  [/caller-hungup-before-call-connect|^customer-did-not-give-microphone/, "caller_gave_up"],
  [/^(silence-timed-out|.*assistant-did-not-receive-customer-audio)$/, "caller_silent"],
  [/^customer-did-not-answer$/, "no_answer"],
  [/^customer-busy$/, "line_busy"],
  [/^voicemail$/, "voicemail"],
  [/^exceeded-max-duration$/, "max_duration"],
  [/transfer-failed|warm-transfer|^call\.forwarding\./, "transfer_failed"],
  [/forwarded-call|forwarding-phone-number|hook-executed-transfer/, "transferred"],
  [/^assistant-(said-end-call-phrase|ended-call)|hook-executed-say/, "goodbye"],
  [
    /failed-to-connect|never-connected|but-no-call-received|connection-to-transport-missing/,
    "never_connected",
  ],
  [/closed-websocket|^vonage-disconnected$/, "connection_lost"],
  [/^vonage-rejected$|customer-misdialed|vapi-number-(international|outbound)/, "carrier_rejected"],
  [/outbound-sip/, "carrier_failed"],
  [/transcriber|deepgram-returning|assembly-ai|gladia|talkscriber|speechmatics/, "transcriber_failed"],
  [/voice|eleven-labs|cartesia|playht|minimax-\d|tavus|rime|lmnt|neuphonic|hume/, "voice_failed"],
  [
    /(pipeline-error|fault)-vapi-(\d|llm)|llm|no-available-llm|ws-model-connection|-model-unsupported/,
    "model_failed",
  ],
  [
    /(pipeline-error|vapifault|providerfault)-(openai|azure-openai|anthropic|google|groq|mistral|xai|together|anyscale|openrouter|perplexity|deepinfra|runpod|inflection|cerebras|baseten|deep-?seek|minimax)/,
    "model_failed",
  ],
];

/** One that nobody knows is Vapi's fault; its words are kept beside the reason. */
export function toEndedReason(words: string): EndedReason {
  return FAMILIES.find(([pattern]) => pattern.test(words))?.[1] ?? "engine_failed";
}
