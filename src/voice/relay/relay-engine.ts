import type { Carrier } from "../../ports/carrier.ts";
import { ProviderError } from "../../ports/provider-error.ts";
import type { EngineNumber, NumberPlan, VoiceEngine } from "../../ports/voice-engine.ts";
import type { CarrierName } from "./relay-attributes.ts";

export interface RelayEngineOptions {
  publicUrl: string | undefined;
  /** Who carries calls. */
  carrierName: CarrierName | "none";
  /** Who of them can be told by us where calls go; null: nobody. */
  carrier: Carrier | null;
}

/**
 * Our own engine. It reads the configuration with each call, so it has no assistants; a number is linked by telling its
 * carrier to ask us when it is called.
 */
export function relayEngine({ publicUrl, carrierName, carrier }: RelayEngineOptions): VoiceEngine {
  const todo = missing(publicUrl, carrierName);

  function planNumber({ number, carrier: owner, carrierId }: EngineNumber): NumberPlan {
    if (carrierName === "none" || publicUrl === undefined || todo !== null)
      return { by: "unable", todo: todo ?? "" };
    if (owner !== "manual" && owner !== carrierName) {
      const other = `The number ${number} is ${NAMES[owner]}'s, but CARRIER is ${carrierName}`;
      return { by: "unable", todo: `${other}: set CARRIER=${owner}, or link another number.` };
    }
    const { voiceUrl, statusUrl } = addressesOf(publicUrl, carrierName);
    if (carrier?.provider === owner && carrierId !== null) return { by: "engine", target: voiceUrl };
    return { by: "hand", todo: byHand(carrierName, number, voiceUrl, statusUrl) };
  }

  return {
    name: "relay",
    assistants: null,
    todo,
    planNumber,
    async linkNumber(number, _assistantId, _knownId, signal) {
      if (carrierName === "none" || publicUrl === undefined) throw unplanned(number);
      const { voiceUrl, statusUrl } = addressesOf(publicUrl, carrierName);
      // The same address a second time: the call is answered once, and our answer may only have been lost.
      await route(number, { voiceUrl, voiceFallbackUrl: voiceUrl, statusCallbackUrl: statusUrl }, signal);
      return null;
    },
    async unlinkNumber(number, _knownId, signal) {
      const nowhere = { voiceUrl: null, voiceFallbackUrl: null, statusCallbackUrl: null };
      await route(number, nowhere, signal).catch((error: unknown) => {
        if (!(error instanceof ProviderError) || error.code !== "not_found") throw error;
      });
    },
  };

  async function route(
    number: EngineNumber,
    routing: Parameters<Carrier["routeNumber"]>[1],
    signal: AbortSignal,
  ): Promise<void> {
    if (carrier === null || number.carrierId === null) throw unplanned(number);
    await carrier.routeNumber(number.carrierId, routing, signal);
  }
}

const NAMES: Readonly<Record<CarrierName, string>> = { twilio: "Twilio", telnyx: "Telnyx" };

function missing(publicUrl: string | undefined, carrierName: CarrierName | "none"): string | null {
  if (carrierName === "none") return "This installation has no carrier: set CARRIER.";
  if (publicUrl === undefined)
    return "The carrier is not told where this installation is: set PUBLIC_URL to its public https:// address.";
  return null;
}

function addressesOf(publicUrl: string, carrierName: CarrierName) {
  const base = `${publicUrl}/voice/${carrierName}`;
  return { voiceUrl: `${base}/incoming`, statusUrl: `${base}/status` };
}

function byHand(carrierName: CarrierName, number: string, voiceUrl: string, statusUrl: string): string {
  const where =
    carrierName === "telnyx" ? `give ${number} a TeXML application whose` : `set for ${number} that its`;
  return `If it is not done yet: at ${NAMES[carrierName]}, ${where} voice webhook is ${voiceUrl} and its status callback ${statusUrl}, both POST.`;
}

function unplanned({ number }: EngineNumber): Error {
  return new Error(`the number ${number} is not the engine's to link: ask planNumber first`);
}
