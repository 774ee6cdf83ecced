import { DOMParser } from "linkedom";
import { z } from "zod";

/** What a carrier does next. */
export type Instruction =
  | { verb: "say"; text: string; language: string }
  | { verb: "hang-up" }
  | { verb: "dial"; number: string; callerId: string; timeoutSeconds: number; action: string }
  | {
      verb: "relay";
      url: string;
      action: string;
      attributes: Record<string, string>;
      languages: Record<string, string>[];
      parameters: Record<string, string>;
    };

const RELAY_ATTRIBUTES = new Set([
  "url",
  "welcomeGreeting",
  "welcomeGreetingInterruptible",
  "language",
  "ttsLanguage",
  "ttsProvider",
  "voice",
  "transcriptionLanguage",
  "transcriptionProvider",
  "speechModel",
  "interruptible",
  "dtmfDetection",
  "partialPrompts",
]);
const LANGUAGE_ATTRIBUTES = new Set(["code", "ttsProvider", "voice", "transcriptionProvider", "speechModel"]);
const wss = z.url({ protocol: /^wss$/ });
const https = z.url({ protocol: /^https$/ });
const e164 = z.string().regex(/^\+[1-9]\d{6,14}$/);

/** Reads TwiML as strictly as a carrier's schema does: an element or an attribute that it does not know is an error. */
export function readTwiml(xml: string): Instruction[] {
  if (!xml.startsWith('<?xml version="1.0" encoding="UTF-8"?><Response')) throw new Error(`no TwiML: ${xml}`);
  const root = new DOMParser().parseFromString(xml, "text/xml").documentElement;
  if (root?.tagName !== "Response") throw new Error(`no <Response>: ${xml}`);
  return [...root.children].map((element) => {
    const attributes = attributesOf(element);
    switch (element.tagName) {
      case "Say":
        only(attributes, new Set(["language"]));
        return { verb: "say", text: element.textContent ?? "", language: attributes.language ?? "" };
      case "Hangup":
        only(attributes, new Set());
        return { verb: "hang-up" };
      case "Dial":
        only(attributes, new Set(["action", "callerId", "timeout"]));
        return readDial(element, attributes);
      case "Connect":
        only(attributes, new Set(["action"]));
        return readRelay(element, https.parse(attributes.action));
      default:
        throw new Error(`<${element.tagName}> is no verb`);
    }
  });
}

/** One number is dialled; Telnyx takes no shorter and no longer time than this. */
function readDial(dial: XmlElement, { action, callerId, timeout }: Record<string, string>): Instruction {
  const [number, ...others] = dial.children;
  if (number?.tagName !== "Number" || others.length > 0) throw new Error("<Dial> has one <Number>");
  only(attributesOf(number), new Set());
  return {
    verb: "dial",
    number: e164.parse(number.textContent),
    callerId: e164.parse(callerId),
    timeoutSeconds: z.coerce.number().int().min(5).max(120).parse(timeout),
    action: https.parse(action),
  };
}

/** The little that is read of an element. */
interface XmlElement {
  tagName: string;
  textContent: string | null;
  children: Iterable<XmlElement>;
  attributes: Iterable<{ name: string; value: string }>;
}

function readRelay(connect: XmlElement, action: string): Instruction {
  const [relay, ...others] = connect.children;
  if (relay?.tagName !== "ConversationRelay" || others.length > 0) throw new Error("<Connect> has one noun");
  const { url, ...attributes } = attributesOf(relay);
  only({ url: url ?? "", ...attributes }, RELAY_ATTRIBUTES);
  const languages: Record<string, string>[] = [];
  const parameters: Record<string, string> = {};
  for (const child of relay.children) {
    const given = attributesOf(child);
    if (child.tagName === "Language") {
      only(given, LANGUAGE_ATTRIBUTES);
      languages.push(given);
    } else if (child.tagName === "Parameter") {
      only(given, new Set(["name", "value"]));
      parameters[given.name ?? ""] = given.value ?? "";
    } else throw new Error(`<${child.tagName}> does not belong into <ConversationRelay>`);
  }
  return { verb: "relay", url: wss.parse(url), action, attributes, languages, parameters };
}

function attributesOf(element: XmlElement): Record<string, string> {
  return Object.fromEntries([...element.attributes].map(({ name, value }) => [name, value]));
}

function only(attributes: Record<string, string>, known: ReadonlySet<string>): void {
  const unknown = Object.keys(attributes).filter((name) => !known.has(name));
  if (unknown.length > 0) throw new Error(`unknown attributes: ${unknown.join(", ")}`);
}
