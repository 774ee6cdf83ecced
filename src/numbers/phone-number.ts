import { getCountryCallingCode, isSupportedCountry, parsePhoneNumberFromString } from "libphonenumber-js/max";
import { Problem } from "../http/problem.ts";
import { NUMBER_TYPES, type NumberType } from "../ports/carrier.ts";

/** The kinds that the numbering plans know, for each kind that can be asked for. */
const KINDS: Readonly<Record<NumberType, readonly string[]>> = {
  local: ["FIXED_LINE", "FIXED_LINE_OR_MOBILE", "VOIP"],
  mobile: ["MOBILE", "FIXED_LINE_OR_MOBILE"],
  // Plans do not agree on what a number is called that belongs to no town.
  national: ["UAN", "VOIP", "SHARED_COST", "FIXED_LINE", "PERSONAL_NUMBER"],
  toll_free: ["TOLL_FREE"],
};

/**
 * The number in E.164, if it is one of the kind and country that were asked for.
 *
 * @throws {@link Problem} `invalid_request`, naming `body.number`
 */
export function checkNumber(text: string, wanted: { country: string; number_type: NumberType }): string {
  const parsed = text.startsWith("+") ? parsePhoneNumberFromString(text, { extract: false }) : undefined;
  if (parsed === undefined || parsed.ext !== undefined || !parsed.isValid()) {
    throw wrong("is not a telephone number in E.164, such as +493012345678");
  }
  // A number that is free to call has no country of its own where several share a code, as in North America.
  const isThere =
    parsed.country === wanted.country ||
    (wanted.number_type === "toll_free" && parsed.countryCallingCode === callingCode(wanted.country));
  if (!isThere) throw wrong(`is a number of ${parsed.country ?? "no country"}, not of ${wanted.country}`);
  const kind = parsed.getType();
  if (kind === undefined || !KINDS[wanted.number_type].includes(kind)) {
    throw wrong(`is no ${wanted.number_type} number${kind === undefined ? "" : `: its plan says ${kind}`}`);
  }
  return parsed.number;
}

function callingCode(country: string): string | undefined {
  return isSupportedCountry(country) ? getCountryCallingCode(country) : undefined;
}

function wrong(message: string): Problem {
  return new Problem("invalid_request", `number: ${message}.`, {
    details: [{ path: "body.number", message }],
  });
}

/** Country and kind of a number of which nothing but its digits is known, as well as its plan says. */
export function describeNumber(number: string): { country: string; number_type: NumberType } {
  const parsed = parsePhoneNumberFromString(number);
  const kind = parsed?.getType();
  const number_type = NUMBER_TYPES.find((type) => kind !== undefined && KINDS[type].includes(kind));
  return { country: parsed?.country ?? "ZZ", number_type: number_type ?? "local" };
}
