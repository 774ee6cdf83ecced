import { createHash } from "node:crypto";
import { asList, asRecord, asText, type Json } from "./webhook-json.ts";
import type { InboxKind } from "./whatsapp.tables.ts";

/** One thing that happened, as one row of the inbox will hold it. */
export interface Update {
  /** The number that it happened to; null: an account, or the numbers of an account. */
  phoneNumberId: string | null;
  wabaId: string | null;
  /** Digits. Of an account's numbers only the one that is written so; null: all of them. */
  phone: string | null;
  kind: InboxKind;
  /** Tells it from all others of its kind and number, however often and wherever it arrives. */
  key: string;
  /** Who wrote, or was written to: Meta's id for them where there is one, else the digits of their phone number. */
  contactKey: string | null;
  raw: unknown;
}

/** A `changes` element with what stands around it. */
interface Change {
  field: string;
  value: Json;
  entryId: string | null;
  time: unknown;
}

/** `undefined`: no JSON, or nothing of WhatsApp. Of what is readable, parts that nobody understands are left out. */
export function readUpdates(body: Buffer): Update[] | undefined {
  const payload = parse(body.toString("utf8"));
  if (payload === undefined || payload.object !== "whatsapp_business_account") return undefined;
  return asList(payload.entry).flatMap((entry) =>
    asList(entry.changes).flatMap((change) => {
      const { field, value } = change;
      if (typeof field !== "string") return [];
      return readChange({ field, value: asRecord(value), entryId: asText(entry.id), time: entry.time });
    }),
  );
}

function readChange(change: Change): Update[] {
  const { field, value } = change;
  if (field === "messages") return [...readMessages(value), ...readStatuses(value)];
  if (field === "smb_message_echoes") return readEchoes(value);
  if (field === "history") return [wholeChange("history", { ...change, value: withoutThreads(value) })];
  if (field === "smb_app_state_sync")
    return [wholeChange("other", { ...change, value: withoutAddressBook(value) })];
  if (field.startsWith("phone_number_")) return [wholeChange("number", change)];
  if (/^(message_)?template_/.test(field)) return [wholeChange("template", change)];
  if (/^(account|business)_/.test(field)) return [wholeChange("account", change)];
  return [wholeChange("other", change)];
}

function readMessages(value: Json): Update[] {
  const metadata = asRecord(value.metadata);
  const contacts = asList(value.contacts);
  return asList(value.messages).map((message) => {
    const contact = contactOf(message, contacts);
    const bsuid = asText(message.from_user_id) ?? asText(contact?.user_id);
    return {
      ...ofNumber(metadata),
      kind: "message",
      key: keyOf(message.id, message),
      contactKey: bsuid ?? digitsOf(message.from) ?? digitsOf(contact?.wa_id),
      raw: { message, contact: contact ?? null, metadata },
    };
  });
}

/** Of several the one that is named; a single one is the sender, whatever it is named by. */
function contactOf(message: Json, contacts: readonly Json[]): Json | undefined {
  const named = contacts.find(
    ({ wa_id, user_id }) =>
      (user_id !== undefined && user_id === message.from_user_id) ||
      (wa_id !== undefined && wa_id === message.from),
  );
  return named ?? (contacts.length === 1 ? contacts[0] : undefined);
}

function readStatuses(value: Json): Update[] {
  const metadata = asRecord(value.metadata);
  return asList(value.statuses).map((whole) => {
    const { id, status, timestamp, errors, biz_opaque_callback_data } = whole;
    return {
      ...ofNumber(metadata),
      kind: "status",
      key: `${keyOf(id, whole)} ${keyOf(status, whole)}`,
      // Whose message it was is known from the message.
      contactKey: null,
      raw: { status: { id, status, timestamp, errors, biz_opaque_callback_data }, metadata },
    };
  });
}

/** What somebody wrote to the person on the business's own phone. */
function readEchoes(value: Json): Update[] {
  const metadata = asRecord(value.metadata);
  const contacts = asList(value.contacts);
  return asList(value.message_echoes).map((message) => {
    const contact = contacts.find(({ wa_id }) => wa_id !== undefined && wa_id === message.to);
    const bsuid = asText(message.to_user_id) ?? asText(message.recipient_user_id) ?? asText(contact?.user_id);
    return {
      ...ofNumber(metadata),
      kind: "echo",
      key: keyOf(message.id, message),
      contactKey: bsuid ?? digitsOf(message.to),
      raw: { message, metadata },
    };
  });
}

/**
 * A change that is one row. It belongs to the number that its metadata names, or to the account: `entry.id`, but what
 * a partner is told of a customer stands under the partner's own id.
 */
function wholeChange(kind: InboxKind, { field, value, entryId, time }: Change): Update {
  const phoneNumberId = asText(asRecord(value.metadata).phone_number_id);
  return {
    phoneNumberId,
    wabaId: phoneNumberId === null ? (asText(asRecord(value.waba_info).waba_id) ?? entryId) : null,
    phone: digitsOf(value.display_phone_number) ?? digitsOf(value.phone_number),
    kind,
    key: hashOf({ field, value, time }),
    contactKey: null,
    raw: { field, value, entryId, time: time ?? null },
  };
}

/**
 * Up to half a year of private conversations, which nothing here answers or reads: how far the transfer is, and what
 * went wrong with it, is all that is kept.
 */
function withoutThreads(value: Json): Json {
  const history = asList(value.history).map(({ metadata, errors }) => ({ metadata, errors }));
  return { metadata: value.metadata, history };
}

/** The address book of a business: people who never wrote to it are nobody here. */
function withoutAddressBook(value: Json): Json {
  return { metadata: value.metadata, contacts: asList(value.state_sync).length };
}

function ofNumber(metadata: Json) {
  return { phoneNumberId: asText(metadata.phone_number_id), wabaId: null, phone: null };
}

/** Meta's id as it is, unless it is none. */
function keyOf(id: unknown, whole: Json): string {
  return typeof id === "string" && /^[\x21-\x7e]{1,500}$/.test(id) ? id : hashOf(whole);
}

function hashOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}

function digitsOf(phone: unknown): string | null {
  const digits = asText(phone)?.replace(/\D/g, "");
  return digits === undefined || digits === "" ? null : digits;
}

function parse(text: string): Json | undefined {
  try {
    // Neither a NUL nor half a surrogate pair can be stored as text. Looked for first: it is rare, and takes a while.
    const hasUnstorable = /\\u(0000|d[89a-f])/i.test(text);
    return asRecord(hasUnstorable ? JSON.parse(text, storable) : JSON.parse(text));
  } catch {
    return undefined;
  }
}

function storable(_key: string, value: unknown): unknown {
  return typeof value === "string" ? value.toWellFormed().replaceAll("\0", "") : value;
}
