import { z } from "zod";
import {
  type BundleState,
  type Carrier,
  CarrierError,
  type NumberType,
  type OfferedNumber,
  type OwnedNumber,
} from "../../ports/carrier.ts";
import { callTwilio, provider, readAnswer, type TwilioCall, type TwilioOptions } from "./call-twilio.ts";
import { readPapers, regulations } from "./read-papers.ts";

/** As the paths of numbers for sale call the kinds. */
const FOR_SALE: Readonly<Record<NumberType, string>> = {
  local: "Local",
  mobile: "Mobile",
  national: "National",
  toll_free: "TollFree",
};

/** Well above {@link TwilioOptions.timeoutMs}: what was accepted is listed at once. */
const SETTLE_MS = 20_000;

const capabilities = z
  .object({ voice: z.boolean().nullish(), sms: z.boolean().nullish(), SMS: z.boolean().nullish() })
  .transform(({ voice, sms, SMS }) => ({ voice: voice ?? false, sms: sms ?? SMS ?? false }));

const offered = z
  .object({
    phone_number: z.string(),
    address_requirements: z.enum(["none", "any", "local", "foreign"]).catch("any"),
    capabilities,
  })
  .transform(
    ({ phone_number, address_requirements, capabilities }): OfferedNumber => ({
      number: phone_number,
      capabilities,
      addressRequired: address_requirements,
    }),
  );
const offers = z.object({ available_phone_numbers: z.array(offered) });

const owned = z
  .object({
    sid: z.string(),
    phone_number: z.string(),
    friendly_name: z.string().nullish(),
    status: z.string().nullish(),
    capabilities,
  })
  .transform(
    (number): OwnedNumber => ({
      id: number.sid,
      number: number.phone_number,
      reference: number.friendly_name ?? "",
      capabilities: number.capabilities,
      status: number.status ?? "in-use",
    }),
  );
const ownedList = z.object({ incoming_phone_numbers: z.array(owned) });

const bundle = z.object({ status: z.string() });

/**
 * Numbers of Twilio: `AvailablePhoneNumbers`, `IncomingPhoneNumbers` and, on its host for numbers, the bundles and
 * regulations. Our reference is the number's `FriendlyName`.
 */
export function twilioCarrier(options: TwilioOptions): Carrier {
  const base = options.baseUrl.replace(/\/+$/, "");
  const account = `${base}/2010-04-01/Accounts/${options.accountSid}`;
  const compliance = `${numbersHost(base)}/v2/RegulatoryCompliance`;
  const call = (request: TwilioCall) => callTwilio(options, request);
  const list = async (fields: Record<string, string>, signal: AbortSignal | undefined) =>
    readAnswer(
      ownedList,
      await call({ method: "GET", url: `${account}/IncomingPhoneNumbers.json`, fields, signal }),
    ).incoming_phone_numbers;

  return {
    provider,
    settleMs: options.settleMs ?? SETTLE_MS,
    async searchNumbers({ country, type, areaCode, limit }, signal) {
      const url = `${account}/AvailablePhoneNumbers/${country}/${FOR_SALE[type]}.json`;
      // Only the plan of North America has area codes of its own; elsewhere it is how the number goes on.
      const inPlan = ["US", "CA"].includes(country);
      const fields = {
        VoiceEnabled: "true",
        PageSize: String(limit),
        AreaCode: inPlan ? (areaCode ?? undefined) : undefined,
        Contains: inPlan || areaCode === null ? undefined : `${areaCode}*`,
      };
      const answer = await call({ method: "GET", url, fields, signal }).catch(refuseKind);
      return readAnswer(offers, answer).available_phone_numbers.slice(0, limit);
    },
    async listPapers({ country, type }, signal) {
      const fields = { IsoCountry: country, NumberType: type.replace("_", "-"), PageSize: "50" };
      const answer = await call({ method: "GET", url: `${compliance}/Regulations`, fields, signal });
      return readAnswer(regulations, answer).results.map(readPapers);
    },
    async getBundle(bundleId, signal) {
      const answer = await call({ method: "GET", url: `${compliance}/Bundles/${bundleId}`, signal });
      return toBundleState(readAnswer(bundle, answer).status);
    },
    async orderNumber({ number, reference, bundleId, addressId }, signal) {
      const fields = {
        PhoneNumber: number,
        FriendlyName: reference,
        BundleSid: bundleId ?? undefined,
        AddressSid: addressId ?? undefined,
      };
      const url = `${account}/IncomingPhoneNumbers.json`;
      return readAnswer(owned, await call({ method: "POST", url, fields, signal }));
    },
    // The filter is taken loosely by some: what it lets through is looked at again.
    findByReference: async (reference, signal) =>
      (await list({ FriendlyName: reference, PageSize: "50" }, signal)).filter(
        (found) => found.reference === reference,
      ),
    findNumber: async (number, signal) =>
      (await list({ PhoneNumber: number }, signal)).find((found) => found.number === number),
    async routeNumber(id, routing, signal) {
      const fields = {
        VoiceUrl: routing.voiceUrl ?? "",
        VoiceMethod: "POST",
        VoiceFallbackUrl: routing.voiceFallbackUrl ?? "",
        VoiceFallbackMethod: "POST",
        StatusCallback: routing.statusCallbackUrl ?? "",
        StatusCallbackMethod: "POST",
      };
      const url = `${account}/IncomingPhoneNumbers/${id}.json`;
      readAnswer(owned, await call({ method: "POST", url, fields, signal }));
    },
    async releaseNumber(id, signal) {
      const url = `${account}/IncomingPhoneNumbers/${id}.json`;
      await call({ method: "DELETE", url, signal }).catch((error: unknown) => {
        if (!(error instanceof CarrierError) || error.code !== "not_found") throw error;
      });
    },
  };
}

/** Twilio's compliance API has a host of its own; a stand-in on any other host answers for both. */
function numbersHost(base: string): string {
  const url = new URL(base);
  if (!url.hostname.endsWith(".twilio.com")) return base;
  return `${url.protocol}//${url.host.replace(/^api\./, "numbers.")}`;
}

/** A country or kind without numbers for sale is a path that does not exist. */
function refuseKind(error: unknown): never {
  if (!(error instanceof CarrierError) || error.code !== "not_found") throw error;
  const { message, code, status, said } = error;
  throw new CarrierError(
    message,
    { provider, code, status },
    { kind: "not_offered", said, isAmbiguous: false },
    error,
  );
}

function toBundleState(status: string): BundleState {
  if (["twilio-approved", "provisionally-approved"].includes(status)) return { verdict: "approved", status };
  return { verdict: status === "twilio-rejected" ? "rejected" : "waiting", status };
}
