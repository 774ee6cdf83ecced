import { hash } from "node:crypto";
import type { EngineAssistant, EngineAssistants, VoiceEngine } from "../../ports/voice-engine.ts";
import { assistantBody, type VapiServer } from "./assistant-body.ts";
import { createAssistant, deleteAssistant, findAssistants, updateAssistant } from "./assistants.ts";
import { provider, type VapiOptions } from "./call-vapi.ts";
import {
  assignPhoneNumber,
  deletePhoneNumber,
  findPhoneNumber,
  importFromTwilio,
  type TwilioAccount,
} from "./phone-numbers.ts";

export interface VapiEngineOptions extends VapiOptions {
  server: VapiServer;
  /** Whose numbers can be brought to Vapi; null: none. */
  twilio: TwilioAccount | null;
}

/** Vapi listens and speaks; the answers are ours. Shapes: `@vapi-ai/server-sdk` 2.0.1 and docs.vapi.ai. */
export function vapiEngine(options: VapiEngineOptions): VoiceEngine {
  return {
    name: provider,
    assistants: assistantsAt(options),
    todo: null,
    planNumber({ number, carrier }) {
      if (carrier === "twilio" && options.twilio !== null) return { by: "engine", target: provider };
      return {
        by: "hand",
        todo:
          `If it is not done yet: bring ${number} to Vapi (Phone Numbers in its dashboard) and choose there, for ` +
          "inbound calls, the assistant that is named like the id of this voice integration.",
      };
    },
    async linkNumber({ number, reference }, assistantId, _knownId, signal) {
      const known = await findPhoneNumber(options, number, signal);
      if (known !== undefined) {
        await assignPhoneNumber(options, known, assistantId, signal);
        return known.id;
      }
      if (options.twilio === null) throw new Error("a number that is not Twilio's was to be brought to Vapi");
      const wanted = { number, name: reference, assistantId };
      return (await importFromTwilio(options, options.twilio, wanted, signal)).id;
    },
    async unlinkNumber({ number, reference }, _knownId, signal) {
      const known = await findPhoneNumber(options, number, signal);
      if (known === undefined) return;
      // One that was there before us stays there.
      if (known.name === reference) await deletePhoneNumber(options, known.id, signal);
      else await assignPhoneNumber(options, known, null, signal);
    },
  };
}

function assistantsAt(options: VapiEngineOptions): EngineAssistants {
  return {
    target: targetOf(options),
    async putAssistant(assistant, knownId, signal) {
      const { reference, model } = assistant;
      const sent = {
        body: assistantBody(assistant, options.server),
        secrets: [model.apiKey, options.server.secret],
      };
      if (knownId !== null && (await updateAssistant(options, knownId, sent, signal))) return knownId;
      for (const id of await findAssistants(options, reference, signal))
        if (await updateAssistant(options, id, sent, signal)) return id;
      return createAssistant(options, sent, signal);
    },
    async removeAssistant({ reference, knownId }, signal) {
      if (knownId !== null) await deleteAssistant(options, knownId, signal);
      for (const id of await findAssistants(options, reference, signal))
        await deleteAssistant(options, id, signal);
    },
  };
}

/** Of all that we tell of anybody, but too short to tell the secret by. */
function targetOf({ server }: VapiEngineOptions): string {
  return hash("sha256", JSON.stringify(assistantBody(ANYBODY, server)), "hex").slice(0, 12);
}

const ANYBODY: EngineAssistant = {
  reference: "",
  firstMessage: "",
  prompt: "",
  voice: { provider: "vapi", voiceId: "" },
  transcriber: { provider: "deepgram", model: "", language: "" },
  fallbackVoices: [],
  fallbackTranscribers: [],
  model: { baseUrl: "", name: "", apiKey: "" },
};
