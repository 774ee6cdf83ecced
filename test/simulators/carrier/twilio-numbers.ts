import type { Route, SimulatorAnswer } from "../simulator.ts";
import {
  type CarrierState,
  type NumberKind,
  type SoldNumber,
  type StockedNumber,
  sidOf,
} from "./carrier-state.ts";
import { endpoint, failure, pageOf, type TwilioRequest } from "./twilio-answers.ts";

const ACCOUNT = "/2010-04-01/Accounts/(?<account>AC[0-9a-fA-F]{32})";
const SEARCHES = ["AreaCode", "Contains", "SmsEnabled", "VoiceEnabled", "PageSize", "Page"];
const ROUTING = [
  "FriendlyName",
  "VoiceUrl",
  "VoiceMethod",
  "VoiceFallbackUrl",
  "VoiceFallbackMethod",
  "StatusCallback",
  "StatusCallbackMethod",
  "BundleSid",
  "AddressSid",
];
const URLS = ["VoiceUrl", "VoiceFallbackUrl", "StatusCallback"];
const FRIENDLY_NAME_MAX = 64;

/** `AvailablePhoneNumbers` and `IncomingPhoneNumbers`. */
export function numberRoutes(state: CarrierState): Route[] {
  const path = (rest: string) => new RegExp(`^${ACCOUNT}/${rest}\\.json$`);
  const one = path("IncomingPhoneNumbers/(?<sid>PN[0-9a-f]{32})");
  return [
    endpoint(state, {
      method: "GET",
      path: path("AvailablePhoneNumbers/(?<country>[A-Z]{2})/(?<kind>Local|Mobile|National|TollFree)"),
      takes: SEARCHES,
      handle: (request) => search(state, request),
    }),
    endpoint(state, {
      method: "POST",
      path: path("IncomingPhoneNumbers"),
      takes: ["PhoneNumber", ...ROUTING],
      handle: (request) => sell(state, request),
    }),
    endpoint(state, {
      method: "GET",
      path: path("IncomingPhoneNumbers"),
      takes: ["FriendlyName", "PhoneNumber", "PageSize", "Page"],
      handle: (request) => list(state, request),
    }),
    endpoint(state, {
      method: "GET",
      path: one,
      takes: [],
      handle: (request) =>
        withNumber(state, request, (number) => ({ status: 200, body: show(state, number) })),
    }),
    endpoint(state, {
      method: "POST",
      path: one,
      takes: ROUTING,
      handle: async (request) => {
        await state.beforeRouting();
        // Who hung up in the meantime has not sent it to the end.
        if (request.closed.aborted) return failure(499, 20499, "The client went away");
        return withNumber(state, request, (number) => update(state, number, request));
      },
    }),
    endpoint(state, {
      method: "DELETE",
      path: one,
      takes: [],
      handle: (request) =>
        withNumber(state, request, (number) => {
          state.owned = state.owned.filter((other) => other !== number);
          return { status: 204, body: "" };
        }),
    }),
  ];
}

function search(state: CarrierState, request: TwilioRequest): SimulatorAnswer {
  const { country, kind } = request.params;
  const there = state.stock.filter((number) => number.country === country && number.kind === kind);
  if (there.length === 0) return failure(404, 20404, `The requested resource ${request.path} was not found`);
  const areaCode = request.fields.get("AreaCode");
  if (areaCode !== undefined && country !== "US" && country !== "CA")
    return failure(400, 20001, "AreaCode is for numbers of the US and Canada only");
  const digits = areaCode ?? request.fields.get("Contains")?.replace(/\*+$/, "") ?? "";
  if (!/^\d*$/.test(digits)) return failure(400, 21602, "Contains takes digits and *");
  const found = there
    .filter(
      (number) =>
        number.areaCode.startsWith(digits) && !state.owned.some((own) => own.number === number.number),
    )
    .filter((number) => request.fields.get("SmsEnabled") !== "true" || number.sms);
  const size = Number(request.fields.get("PageSize") ?? 30);
  return {
    status: 200,
    body: { available_phone_numbers: found.slice(0, size).map(showOffer), uri: request.path },
  };
}

async function sell(state: CarrierState, request: TwilioRequest): Promise<SimulatorAnswer> {
  await state.beforeSale();
  // Who was killed meanwhile has not sent its order to the end.
  if (request.closed.aborted) return failure(499, 20499, "The client went away");
  const { fields } = request;
  const wanted = fields.get("PhoneNumber");
  if (wanted === undefined) return failure(400, 21452, "PhoneNumber or AreaCode is required");
  if (!/^\+[1-9]\d{5,14}$/.test(wanted)) return failure(400, 21421, "PhoneNumber is invalid");
  const unfit = checkFields(fields) ?? checkPapers(state, wanted, fields);
  if (unfit !== undefined) return unfit;
  const stocked = state.stock.find(({ number, isGone }) => number === wanted && !isGone);
  if (stocked === undefined || state.owned.some(({ number }) => number === wanted))
    return failure(400, 21422, `PhoneNumber ${wanted} is not available.`);
  const sold = toSold(stocked, fields);
  state.owned.push(sold);
  state.sales.push({ number: sold.number, friendlyName: sold.friendlyName });
  await state.afterSale();
  return { status: 201, body: show(state, sold) };
}

function toSold({ number, kind, sms }: StockedNumber, fields: TwilioRequest["fields"]): SoldNumber {
  return {
    sid: sidOf("PN", `${number} ${Math.random()}`),
    number,
    kind,
    friendlyName: fields.get("FriendlyName") ?? number,
    bundleSid: fields.get("BundleSid") ?? null,
    addressSid: fields.get("AddressSid") ?? null,
    sms,
    voiceUrl: fields.get("VoiceUrl") ?? "",
    voiceFallbackUrl: fields.get("VoiceFallbackUrl") ?? "",
    statusCallback: fields.get("StatusCallback") ?? "",
    createdAt: new Date(),
  };
}

function checkFields(fields: TwilioRequest["fields"]): SimulatorAnswer | undefined {
  if ((fields.get("FriendlyName")?.length ?? 0) > FRIENDLY_NAME_MAX)
    return failure(400, 21404, "FriendlyName is longer than 64 characters");
  for (const name of URLS) {
    const url = fields.get(name) ?? "";
    if (url !== "" && !/^https?:\/\//.test(url)) return failure(400, 21502, `${name} is not a valid URL`);
    const method = fields.get(
      name === "StatusCallback" ? "StatusCallbackMethod" : name.replace("Url", "Method"),
    );
    if (!["GET", "POST", undefined].includes(method))
      return failure(400, 21403, `${name} has a wrong method`);
  }
  return undefined;
}

/** A bundle where a regulation speaks of such numbers, an address where the number itself wants one. */
function checkPapers(
  state: CarrierState,
  wanted: string,
  fields: TwilioRequest["fields"],
): SimulatorAnswer | undefined {
  const stocked = state.stock.find(({ number }) => number === wanted);
  if (stocked === undefined) return undefined;
  const bundle = fields.get("BundleSid");
  const address = fields.get("AddressSid");
  if (address !== undefined && !state.addresses.has(address))
    return failure(400, 21628, `Address ${address} could not be validated`);
  const isRegulated = state.regulations.some(
    ({ country, numberType }) => country === stocked.country && numberType === typeOf(stocked.kind),
  );
  if (bundle === undefined && isRegulated)
    return failure(400, 21649, `Phone number ${wanted} requires a bundle`);
  if (bundle !== undefined && state.bundles.get(bundle) !== "twilio-approved")
    return failure(400, 21649, `Bundle ${bundle} status is not twilio-approved`);
  if (stocked.addressRequired !== "none" && address === undefined && bundle === undefined)
    return failure(400, 21631, "Phone Number Requires an Address but the 'AddressSid' parameter was empty.");
  return undefined;
}

function list(state: CarrierState, request: TwilioRequest): SimulatorAnswer {
  const name = request.fields.get("FriendlyName");
  const digits = request.fields.get("PhoneNumber");
  const found = state.owned
    .filter((number) => name === undefined || number.friendlyName === name)
    .filter((number) => digits === undefined || number.number.includes(digits));
  return pageOf("incoming_phone_numbers", found, request, (number) => show(state, number));
}

function update(state: CarrierState, number: SoldNumber, request: TwilioRequest): SimulatorAnswer {
  const unfit = checkFields(request.fields);
  if (unfit !== undefined) return unfit;
  const { fields } = request;
  Object.assign(number, {
    friendlyName: fields.get("FriendlyName") ?? number.friendlyName,
    voiceUrl: fields.get("VoiceUrl") ?? number.voiceUrl,
    voiceFallbackUrl: fields.get("VoiceFallbackUrl") ?? number.voiceFallbackUrl,
    statusCallback: fields.get("StatusCallback") ?? number.statusCallback,
  });
  return { status: 200, body: show(state, number) };
}

function withNumber(
  state: CarrierState,
  request: TwilioRequest,
  use: (number: SoldNumber) => SimulatorAnswer,
): SimulatorAnswer {
  const number = state.owned.find(({ sid }) => sid === request.params.sid);
  return number === undefined
    ? failure(404, 20404, `The requested resource ${request.path} was not found`)
    : use(number);
}

function showOffer(number: StockedNumber): object {
  return {
    phone_number: number.number,
    friendly_name: number.number,
    lata: null,
    rate_center: null,
    latitude: null,
    longitude: null,
    locality: null,
    region: null,
    postal_code: null,
    iso_country: number.country,
    address_requirements: number.addressRequired,
    beta: false,
    capabilities: { voice: true, SMS: number.sms, MMS: false, fax: false },
  };
}

function show(state: CarrierState, number: SoldNumber): object {
  const created = number.createdAt.toUTCString().replace("GMT", "+0000");
  return {
    sid: number.sid,
    account_sid: state.accountSid,
    phone_number: number.number,
    friendly_name: number.friendlyName,
    status: "in-use",
    type: typeOf(number.kind),
    origin: "twilio",
    capabilities: { voice: true, sms: number.sms, mms: false, fax: false },
    voice_url: number.voiceUrl,
    voice_method: "POST",
    voice_fallback_url: number.voiceFallbackUrl,
    voice_fallback_method: "POST",
    status_callback: number.statusCallback,
    status_callback_method: "POST",
    voice_receive_mode: "voice",
    voice_application_sid: null,
    trunk_sid: null,
    address_sid: number.addressSid,
    address_requirements: "none",
    bundle_sid: number.bundleSid,
    identity_sid: null,
    emergency_status: "Inactive",
    emergency_address_sid: null,
    emergency_address_status: "unregistered",
    beta: false,
    api_version: "2010-04-01",
    date_created: created,
    date_updated: created,
    uri: `/2010-04-01/Accounts/${state.accountSid}/IncomingPhoneNumbers/${number.sid}.json`,
  };
}

function typeOf(kind: NumberKind): string {
  return kind === "TollFree" ? "toll-free" : kind.toLowerCase();
}
