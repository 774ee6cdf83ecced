import { randomInt, randomUUID } from "node:crypto";
import { done } from "./graph-accounts.ts";
import { GraphError, invalid } from "./graph-error.ts";
import { requireBody, requireMessagingProduct, requireNumber } from "./graph-token.ts";
import type { MetaAnswer, MetaRequest } from "./meta-server.ts";
import type { MetaWorld, SimNumber } from "./meta-world.ts";

const BUDGET = 10;
const BUDGET_MS = 72 * 3_600_000;
const AFTER_DELETION_MS = 5 * 60_000;
const MAX_WRONG_PINS = 3;
const SYNC_MS = 24 * 3_600_000;
const REGIONS = "AU ID IN JP SG KR DE CH GB BR BH ZA AE CA".split(" ");

/** `POST /{number}/register`: the rung of sign-up with the punishing limit. */
export function register(world: MetaWorld, request: MetaRequest, id: string): MetaAnswer {
  const number = requireNumber(world, request, id);
  const body = requireBody(request, ["messaging_product", "pin", "data_localization_region", "backup"]);
  requireMessagingProduct(body);
  const { pin, data_localization_region: region } = body;
  if (typeof pin !== "string" || !/^\d{6}$/.test(pin)) throw invalid("Param pin must be 6 characters long.");
  if (region !== undefined && !REGIONS.some((known) => known === region)) {
    throw invalid("Param data_localization_region is not a supported region");
  }
  if (number.isOnBizApp) {
    throw invalid("Register endpoint is not available for API solution for SMB businesses");
  }
  spend(world, number);
  refuseUnready(world, number);
  refuseWrongPin(number, pin);
  number.pin = pin;
  number.wrongPins = 0;
  number.status = "CONNECTED";
  number.platformType = "CLOUD_API";
  number.throughput = "STANDARD";
  return done();
}

function refuseUnready(world: MetaWorld, number: SimNumber): void {
  if (number.deletedAtMs !== null && world.nowMs() < number.deletedAtMs + AFTER_DELETION_MS) {
    throw new GraphError({ code: 133015, details: "Please wait 5 minutes before you register it again." });
  }
  if (number.isDeregistrationIncomplete) throw new GraphError({ code: 133000 });
  if (number.nameReviewAttempts > 0) {
    number.nameReviewAttempts -= 1;
    throw new GraphError({
      code: 100,
      subcode: 2388001,
      message: "(#100) Invalid parameter",
      details: "Cannot create certificate: the display name is not approved yet.",
    });
  }
  if (number.codeVerificationStatus === "NOT_VERIFIED") throw new GraphError({ code: 133006 });
}

function refuseWrongPin(number: SimNumber, pin: string): void {
  if (number.pin === null || number.pin === pin) return;
  number.wrongPins += 1;
  if (number.wrongPins > MAX_WRONG_PINS) {
    throw new GraphError({ code: 133008, details: "Please wait 10 minutes before you try again." });
  }
  throw new GraphError({ code: 133005 });
}

export function deregister(world: MetaWorld, request: MetaRequest, id: string): MetaAnswer {
  const number = requireNumber(world, request, id);
  requireBody(request, ["messaging_product"]);
  if (number.isOnBizApp) {
    throw invalid("Deregister endpoint is not available for API solution for SMB businesses");
  }
  spend(world, number);
  if (number.platformType !== "CLOUD_API" && !number.isDeregistrationIncomplete) {
    throw invalid("The phone number is not registered", 2207051);
  }
  number.isDeregistrationIncomplete = false;
  number.status = "DISCONNECTED";
  number.platformType = "NOT_APPLICABLE";
  number.throughput = "NOT_APPLICABLE";
  return done();
}

/** Ten in 72 hours, for registering and deregistering together. */
function spend(world: MetaWorld, number: SimNumber): void {
  const now = world.nowMs();
  number.registrationsMs = number.registrationsMs.filter((at) => at > now - BUDGET_MS);
  if (number.registrationsMs.length >= BUDGET) throw new GraphError({ code: 133016 });
  number.registrationsMs.push(now);
}

export function requestCode(world: MetaWorld, request: MetaRequest, id: string): MetaAnswer {
  const number = requireNumber(world, request, id);
  const { code_method: method, language } = requireBody(request, ["code_method", "language"]);
  if (method !== "SMS" && method !== "VOICE") throw invalid("Param code_method must be one of {SMS, VOICE}");
  if (typeof language !== "string" || !/^[a-z]{2,3}(_[A-Z]{2})?$/.test(language)) {
    throw invalid("Param language must be a locale such as en_US");
  }
  if (number.codeVerificationStatus === "VERIFIED") {
    throw new GraphError({ code: 136024, message: "(#136024) Request code error: it is verified already" });
  }
  number.verificationCode = String(randomInt(100_000, 1_000_000));
  return done();
}

export function verifyCode(world: MetaWorld, request: MetaRequest, id: string): MetaAnswer {
  const number = requireNumber(world, request, id);
  const { code } = requireBody(request, ["code"]);
  if (number.verificationCode === null || code !== number.verificationCode) {
    throw new GraphError({ code: 136025, message: "(#136025) Verify code error: code couldn't be verified" });
  }
  number.verificationCode = null;
  number.codeVerificationStatus = "VERIFIED";
  return done();
}

/** Coexistence: contacts, then history, once each and within a day. */
export function startSync(world: MetaWorld, request: MetaRequest, id: string): MetaAnswer {
  const number = requireNumber(world, request, id);
  const body = requireBody(request, ["messaging_product", "sync_type"]);
  requireMessagingProduct(body);
  const type = body.sync_type;
  if (type !== "smb_app_state_sync" && type !== "history") {
    throw invalid("Param sync_type must be one of {smb_app_state_sync, history}");
  }
  if (!number.isOnBizApp) throw invalid("The phone number is not on the WhatsApp Business app");
  if (world.nowMs() > number.onboardedMs + SYNC_MS) throw syncRefused(2593107, "The time to sync is over");
  if (number.synced.has(type)) throw syncRefused(2593108, "It was synced already");
  if (type === "history" && number.declinesHistory) throw syncRefused(2593109, "History was not shared");
  number.synced.add(type);
  return { status: 200, body: { messaging_product: "whatsapp", request_id: randomUUID() } };
}

function syncRefused(subcode: number, message: string): GraphError {
  return new GraphError({ code: 100, subcode, message: `(#100) ${message}` });
}
