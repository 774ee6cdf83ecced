/** Which engines there are: our own over a carrier's ConversationRelay, and Vapi. */
export const VOICE_ENGINES = ["relay", "vapi"] as const;
export type VoiceEngineName = (typeof VOICE_ENGINES)[number];

/** A voice as the catalog names it. */
export interface EngineVoice {
  provider: "vapi" | "11labs";
  voiceId: string;
  /** Of `11labs` only. */
  model?: string | undefined;
}

/** What turns speech into text, as the catalog names it. */
export interface EngineTranscriber {
  provider: "deepgram" | "11labs";
  model: string;
  language: string;
}

/** Where an engine with assistants of its own gets their answers: an OpenAI-compatible endpoint of ours. */
export interface EngineModel {
  /** Ends before `/chat/completions`. */
  baseUrl: string;
  /** The model to ask for: the workspace. */
  name: string;
  /** May chat with that workspace, and nothing else. Secret. */
  apiKey: string;
}

/** An assistant as an engine is to know it, whole: what is not in it is removed there. */
export interface EngineAssistant {
  /** Our name for it, at most 40 characters, by which it is found at the engine when its answer was lost. */
  reference: string;
  /** Empty: the caller speaks first. */
  firstMessage: string;
  /** For calls, beside what the workspace says itself; may be empty. */
  prompt: string;
  voice: EngineVoice;
  transcriber: EngineTranscriber;
  /** Tried in this order when the first one fails. */
  fallbackVoices: readonly EngineVoice[];
  fallbackTranscribers: readonly EngineTranscriber[];
  model: EngineModel;
}

/** A number of ours, and who carries its calls. */
export interface EngineNumber {
  /** Our name for it at the engine, at most 40 characters. */
  reference: string;
  /** E.164 */
  number: string;
  /** `manual`: somebody bought it by hand, and only they can say where its calls go. */
  carrier: "manual" | "twilio" | "telnyx";
  /** The carrier's own id of it; null for `manual`. */
  carrierId: string | null;
}

/**
 * How calls to a number come to the engine.
 * - `engine`: {@link VoiceEngine.linkNumber} sees to it. `target` changes when it must be done anew, such as an address
 *   of ours
 * - `hand`: somebody sets it by hand; `todo` is a sentence that says what, with addresses
 * - `unable`: not before `todo` is done, which is a sentence for whoever runs the installation
 */
export type NumberPlan =
  | { by: "engine"; target: string }
  | { by: "hand"; todo: string }
  | { by: "unable"; todo: string };

/** Assistants that live at the engine. */
export interface EngineAssistants {
  /** Changes when all of them must be told anew, such as where the engine is to report to. No secret is in it. */
  readonly target: string;
  /**
   * Creates it, or changes it to be exactly this. Idempotent: one whose answer was lost is found by its reference.
   *
   * @param knownId what an earlier call returned; null: none did. One that is gone there is created anew
   * @returns the engine's own id of it
   * @throws ProviderError
   */
  putAssistant(assistant: EngineAssistant, knownId: string | null, signal: AbortSignal): Promise<string>;
  /**
   * Removes it, and whatever else has its reference; what is gone already counts as removed.
   *
   * @throws ProviderError
   */
  removeAssistant(
    assistant: { reference: string; knownId: string | null },
    signal: AbortSignal,
  ): Promise<void>;
}

/** Who holds the calls. Every function but the pure {@link VoiceEngine.planNumber} may be called again at any time. */
export interface VoiceEngine {
  readonly name: VoiceEngineName;
  /** `null`: it has no assistants of its own, and reads our configuration with each call. Nothing is put or removed. */
  readonly assistants: EngineAssistants | null;
  /** What whoever runs the installation must do before anybody is answered, in a sentence; null: nothing. */
  readonly todo: string | null;
  /** Pure. */
  planNumber(number: EngineNumber): NumberPlan;
  /**
   * From now on, calls to it come to this engine. Only for numbers that are planned `by: "engine"`. Idempotent.
   *
   * @param assistantId what {@link EngineAssistants.putAssistant} returned; null where the engine has no assistants
   * @param knownId what an earlier call returned for this number; null: none did, or its answer was lost
   * @returns the engine's own id of the number; null where it keeps none
   * @throws ProviderError
   */
  linkNumber(
    number: EngineNumber,
    assistantId: string | null,
    knownId: string | null,
    signal: AbortSignal,
  ): Promise<string | null>;
  /**
   * From now on, nobody answers it. Only for numbers that are planned `by: "engine"`. Idempotent: a number that is gone
   * at the carrier, or that the engine does not know, counts as unlinked.
   *
   * @throws ProviderError
   */
  unlinkNumber(number: EngineNumber, knownId: string | null, signal: AbortSignal): Promise<void>;
}
