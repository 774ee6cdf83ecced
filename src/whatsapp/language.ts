import { type Language, languageOf } from "../assistant/language.ts";
import type { ContactRow } from "./contacts.ts";

/** Calling codes and countries where one of the languages is most people's. */
const BY_CALLING_CODE: readonly (readonly [prefix: string, language: Language])[] = [
  ["39", "it"],
  ["49", "de"],
  ["43", "de"],
  ["33", "fr"],
  ["34", "es"],
  ["52", "es"],
  ["54", "es"],
  ["55", "pt"],
  ["56", "es"],
  ["57", "es"],
  ["351", "pt"],
  ["31", "nl"],
];
const BY_COUNTRY: Readonly<Record<string, Language>> = {
  IT: "it",
  DE: "de",
  AT: "de",
  FR: "fr",
  ES: "es",
  MX: "es",
  AR: "es",
  CL: "es",
  CO: "es",
  PT: "pt",
  BR: "pt",
  NL: "nl",
};

/** In what language to say something to a person: by what they say, said before, and where they are. */
export function languageFor(
  text: string,
  before: readonly string[],
  { phone, bsuid }: Pick<ContactRow, "phone" | "bsuid">,
): Language {
  const home =
    BY_CALLING_CODE.find(([prefix]) => phone?.startsWith(prefix))?.[1] ??
    BY_COUNTRY[bsuid?.split(".")[0] ?? ""] ??
    null;
  // "[image]" and the like are ours.
  const own = text.replace(/\[[^\]]*\]/g, "").trim();
  return languageOf(own === "" ? before.join("\n") : own, [home]);
}
