import { parsePhoneNumberFromString } from "libphonenumber-js/max";

/**
 * Whether a caller may be put through to this: a number in E.164 that its country's numbering plan knows, and that does
 * not charge whoever calls it by the minute, since the calls are the account's.
 */
export function isHandoffNumber(text: string): boolean {
  if (!/^\+[1-9]\d{6,14}$/.test(text)) return false;
  const parsed = parsePhoneNumberFromString(text, { extract: false });
  return parsed?.number === text && parsed.isValid() && parsed.getType() !== "PREMIUM_RATE";
}
