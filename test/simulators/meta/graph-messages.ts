import { done } from "./graph-accounts.ts";
import { GraphError, invalid } from "./graph-error.ts";
import { requireBody, requireMessagingProduct, requireNumber } from "./graph-token.ts";
import type { MetaAnswer, MetaRequest } from "./meta-server.ts";
import { type MetaWorld, newWamid, type SimNumber } from "./meta-world.ts";

const TYPES = [
  "text",
  "image",
  "audio",
  "video",
  "document",
  "sticker",
  "reaction",
  "location",
  "contacts",
  "interactive",
  "template",
];
const KEYS = [
  "messaging_product",
  "recipient_type",
  "to",
  "recipient",
  "type",
  "context",
  "biz_opaque_callback_data",
  ...TYPES,
];
const MAX_TEXT = 4_096;
const WINDOW_MS = 24 * 3_600_000;
const BURST = 45;
const PAIR_MS = 6_000;
/** Country code, a point, and what Meta made up; with `ENT.` for a whole group of businesses. */
const BSUID = /^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$/;

/** A message that was accepted. */
export interface SimSent {
  phoneNumberId: string;
  /** Digits; null when it went to a BSUID. */
  to: string | null;
  /** BSUID, where nobody said `to`. */
  recipient: string | null;
  type: string;
  /** The node of that type: `{body: …}`. */
  body: unknown;
  biz_opaque_callback_data: string | null;
  context: unknown;
  wamid: string;
  at: Date;
}

export interface SimRead {
  phoneNumberId: string;
  wamid: string;
  at: Date;
}

/** What became of a request to `/{number}/messages`. */
export type MessageOutcome =
  | { kind: "sent" | "dropped"; sent: SimSent; answer: MetaAnswer }
  | { kind: "read"; read: SimRead; isTyping: boolean; answer: MetaAnswer };

export function takeMessage(world: MetaWorld, request: MetaRequest, id: string): MessageOutcome {
  const number = requireNumber(world, request, id, "whatsapp_business_messaging");
  const { body } = request;
  if (typeof body === "object" && body !== null && "status" in body) return takeRead(world, request, number);
  const message = requireBody(request, KEYS);
  requireMessagingProduct(message);
  const person = requirePerson(message);
  const node = requireNode(message);
  const reference = requireReference(message.biz_opaque_callback_data);
  if (number.platformType !== "CLOUD_API") throw new GraphError({ code: 133010 });
  refuseOutsideWindow(world, number, person.id, node.type);
  refuseTooFast(world, number, person.id);
  const sent: SimSent = {
    phoneNumberId: number.id,
    to: person.isPhone ? person.id : null,
    recipient: person.isPhone ? null : person.id,
    type: node.type,
    body: node.body,
    biz_opaque_callback_data: reference,
    context: message.context ?? null,
    wamid: newWamid(),
    at: new Date(world.nowMs()),
  };
  const contact = person.isPhone
    ? { input: person.given, wa_id: person.id }
    : { input: person.given, user_id: person.id };
  const answer: MetaAnswer = {
    status: 200,
    body: { messaging_product: "whatsapp", contacts: [contact], messages: [{ id: sent.wamid }] },
  };
  return { kind: person.isLost ? "dropped" : "sent", sent, answer };
}

/** Marks as read; with the typing indicator, if asked. */
function takeRead(world: MetaWorld, request: MetaRequest, number: SimNumber): MessageOutcome {
  const body = requireBody(request, ["messaging_product", "status", "message_id", "typing_indicator"]);
  requireMessagingProduct(body);
  if (body.status !== "read") throw invalid("Param status must be one of {READ}");
  const wamid = body.message_id;
  if (typeof wamid !== "string" || !world.inbound.has(`${number.id}/${wamid}`)) {
    throw new GraphError({ code: 131009, message: "(#131009) Parameter value is not valid: message_id" });
  }
  const indicator = body.typing_indicator;
  if (indicator !== undefined && JSON.stringify(indicator) !== '{"type":"text"}') {
    throw invalid("Param typing_indicator['type'] must be one of {TEXT}");
  }
  const read = { phoneNumberId: number.id, wamid, at: new Date(world.nowMs()) };
  return { kind: "read", read, isTyping: indicator !== undefined, answer: done() };
}

/** `to` wins over `recipient`. A BSUID in `to` is taken, and reaches nobody. */
function requirePerson({ to, recipient, recipient_type: kind }: Record<string, unknown>): {
  id: string;
  given: string;
  isPhone: boolean;
  isLost: boolean;
} {
  if (kind !== undefined && kind !== "individual")
    throw invalid("Param recipient_type must be one of {INDIVIDUAL}");
  if (to !== undefined) {
    if (typeof to !== "string") throw invalid("Param to must be a string");
    if (BSUID.test(to)) return { id: to, given: to, isPhone: false, isLost: true };
    const digits = to.replace(/[\s()+-]/g, "");
    if (!/^\d{7,15}$/.test(digits)) {
      throw new GraphError({ code: 131009, message: "(#131009) Parameter value is not valid: to" });
    }
    return { id: digits, given: to, isPhone: true, isLost: false };
  }
  if (recipient === undefined) {
    throw new GraphError({ code: 131008, message: "(#131008) Required parameter is missing: to" });
  }
  if (typeof recipient !== "string" || !BSUID.test(recipient)) {
    throw new GraphError({ code: 131009, message: "(#131009) Parameter value is not valid: recipient" });
  }
  return { id: recipient, given: recipient, isPhone: false, isLost: false };
}

/** The one node that `type` names; text needs a body that is not too long. */
function requireNode(message: Record<string, unknown>): { type: string; body: unknown } {
  const type = message.type ?? "text";
  if (typeof type !== "string" || !TYPES.includes(type)) {
    throw invalid(`Param type must be one of {${TYPES.join(", ").toUpperCase()}}`);
  }
  const body = message[type];
  if (typeof body !== "object" || body === null) {
    throw new GraphError({ code: 131008, message: `(#131008) Required parameter is missing: ${type}` });
  }
  const stray = TYPES.find((other) => other !== type && message[other] !== undefined);
  if (stray !== undefined) throw invalid(`Unexpected key "${stray}" on param "body"`);
  if (type === "text") refuseBadText(body);
  const { context } = message;
  const isContext = typeof context === "object" && context !== null && "message_id" in context;
  if (context !== undefined && !isContext) throw invalid("Param context must have a message_id");
  return { type, body };
}

function refuseBadText(node: object): void {
  const unexpected = Object.keys(node).find((key) => key !== "body" && key !== "preview_url");
  if (unexpected !== undefined) throw invalid(`Unexpected key "${unexpected}" on param "text"`);
  const body = "body" in node ? node.body : undefined;
  if (typeof body !== "string" || body === "") throw invalid("The parameter text['body'] is required.");
  if ([...body].length > MAX_TEXT) {
    throw invalid(`Param text['body'] must be at most ${MAX_TEXT} characters long.`);
  }
}

function requireReference(reference: unknown): string | null {
  if (reference === undefined) return null;
  if (typeof reference === "string" && reference.length <= 512) return reference;
  throw invalid("Param biz_opaque_callback_data must be at most 512 characters long.");
}

function refuseOutsideWindow(world: MetaWorld, number: SimNumber, person: string, type: string): void {
  if (type === "template") return;
  const last = world.lastInboundMs.get(`${number.id}/${person}`);
  if (last !== undefined && world.nowMs() - last < WINDOW_MS) return;
  throw new GraphError({
    code: 131047,
    details:
      "Message failed to send because more than 24 hours have passed since the customer last replied to this number.",
  });
}

/** A burst of 45, and then one in six seconds. */
function refuseTooFast(world: MetaWorld, number: SimNumber, person: string): void {
  const key = `${number.id}/${person}`;
  const now = world.nowMs();
  const before = world.bursts.get(key) ?? { left: BURST, atMs: now };
  const left = Math.min(BURST, before.left + (now - before.atMs) / PAIR_MS);
  if (left < 1) throw new GraphError({ code: 131056 });
  world.bursts.set(key, { left: left - 1, atMs: now });
}
