/** What a carrier is told in XML: Twilio's TwiML, which Telnyx reads as TeXML. */

type Attributes = Readonly<Record<string, string | boolean | undefined>>;

/** All that opens a line to us. */
export interface RelayLine {
  /** `wss://…` */
  url: string;
  /** Asked what to do next when the line is closed. */
  actionUrl: string;
  attributes: Attributes;
  /** For each language that the call may change to. */
  languages: readonly Attributes[];
  parameters: Readonly<Record<string, string>>;
}

export function relayMarkup({ url, actionUrl, attributes, languages, parameters }: RelayLine): string {
  const inside = [
    ...languages.map((language) => element("Language", language)),
    ...Object.entries(parameters).map(([name, value]) => element("Parameter", { name, value })),
  ].join("");
  const relay = element("ConversationRelay", { url, ...attributes }, inside);
  return response(element("Connect", { action: actionUrl }, relay));
}

/** A sentence, and the end of the call: without it, the line would stay open. */
export function farewellMarkup(sentence: string, language: string): string {
  return response(element("Say", { language }, escapeXml(sentence)) + element("Hangup", {}));
}

/** Somebody else to talk to. */
export interface DialedNumber {
  /** E.164 */
  number: string;
  /** A number of ours, which they are shown. */
  callerId: string;
  /** How long it rings. */
  timeoutSeconds: number;
  /** Asked what to do next when the two have hung up, or when nobody could be reached. */
  action: string;
}

export function dialMarkup({ number, callerId, timeoutSeconds, action }: DialedNumber): string {
  const attributes = { action, callerId, timeout: String(timeoutSeconds) };
  return response(element("Dial", attributes, element("Number", {}, escapeXml(number))));
}

export function hangUpMarkup(): string {
  return response(element("Hangup", {}));
}

/** Nothing to do. */
export function emptyMarkup(): string {
  return response("");
}

function response(inside: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>${element("Response", {}, inside)}`;
}

function element(name: string, attributes: Attributes, inside = ""): string {
  const written = Object.entries(attributes)
    .map(([key, value]) => (value === undefined ? "" : ` ${key}="${escapeXml(String(value))}"`))
    .join("");
  return inside === "" ? `<${name}${written}/>` : `<${name}${written}>${inside}</${name}>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** XML knows no other control characters than these, not even escaped. */
function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\t\n\r\u0020-\ufffd\u{10000}-\u{10ffff}]/gu, "")
    .replace(/[&<>"]/g, (sign) => ENTITIES[sign] ?? sign);
}
