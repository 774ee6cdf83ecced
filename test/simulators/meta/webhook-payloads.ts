import { randomBytes } from "node:crypto";
import { type MetaWorld, newId, newWamid, type SimNumber } from "./meta-world.ts";

/** The body of one POST to our webhook. */
export interface WebhookPayload {
  object: string;
  entry: { id: string; time?: number; changes: { field: string; value: Record<string, unknown> }[] }[];
}

/** Who writes. By default somebody new with a phone and a BSUID. */
export interface Person {
  /** Digits; null: the person has a username, and no number is told. */
  from?: string | null;
  /** null: a webhook of before 31 March 2026. */
  bsuid?: string | null;
  name?: string;
}

export interface InboundMessage extends Person {
  wamid?: string;
  /** `text` when absent. The node of that name holds what it says: `{type: "image", image: {…}}`. */
  type?: string;
  /** Short for `text: {body}`. */
  body?: string;
  timestampMs?: number;
  /** The same for `context`, `referral`, `group_id`, … */
  [node: string]: unknown;
}

export interface Echo {
  /** Digits; null: only the BSUID is told. */
  to: string | null;
  bsuid?: string;
  wamid?: string;
  body?: string;
}

export interface StatusUpdate {
  /** Digits; null: only the BSUID is told. */
  recipient?: string | null;
  bsuid?: string | null;
  errors?: { code: number; title: string; message?: string; error_data?: { details: string } }[];
  reference?: string;
  timestampMs?: number;
}

/** Webhook bodies in the shapes of Meta's examples. */
export interface PayloadMaker {
  message(number: SimNumber, message?: InboundMessage): WebhookPayload;
  status(number: SimNumber, wamid: string, status: string, update?: StatusUpdate): WebhookPayload;
  /** What the business itself wrote in its app (coexistence). */
  echo(number: SimNumber, echo: Echo): WebhookPayload;
  /** Messages of before the number was connected (coexistence), in conversations with these people. */
  history(number: SimNumber, threads: { person: string; bodies: string[] }[]): WebhookPayload;
  /** Anything else that concerns one number: `numberChange(number, "messages", {errors: […]})`. */
  numberChange(number: SimNumber, field: string, value: Record<string, unknown>): WebhookPayload;
  /** For `PARTNER_…` events `entry.id` is the partner's business, and not the WhatsApp account. */
  accountUpdate(
    number: Pick<SimNumber, "wabaId">,
    event: string,
    value?: Record<string, unknown>,
  ): WebhookPayload;
  /** Any other field of an account: `phone_number_name_update`, `message_template_status_update`, … */
  change(number: Pick<SimNumber, "wabaId">, field: string, value: Record<string, unknown>): WebhookPayload;
  /** One POST for all of them, whose ever they are. */
  batch(...payloads: WebhookPayload[]): WebhookPayload;
  /** About as large as Meta makes them: texts of 4,000 characters up to `bytes`. */
  large(number: SimNumber, bytes?: number): WebhookPayload;
}

/** What a message of 4,000 characters takes. */
const LARGE_MESSAGE_BYTES = 4_450;

export function payloadMaker(world: MetaWorld): PayloadMaker {
  const nowMs = () => world.nowMs();
  const maker: PayloadMaker = {
    message: (number, message = {}) => ofNumber(number, "messages", messageValue(message, nowMs())),
    status: (number, wamid, status, update = {}) =>
      ofNumber(number, "messages", { statuses: [statusNode(wamid, status, update, nowMs())] }),
    echo: (number, echo) =>
      ofNumber(number, "smb_message_echoes", { message_echoes: [echoNode(number, echo, nowMs())] }),
    history: (number, threads) => ofNumber(number, "history", historyValue(threads, nowMs())),
    numberChange: ofNumber,
    accountUpdate(number, event, value = {}) {
      if (!event.startsWith("PARTNER_")) {
        return ofAccount(number.wabaId, "account_update", { event, ...value }, nowMs());
      }
      const owner = world.wabas.get(number.wabaId)?.business.businessId;
      const info = { waba_id: number.wabaId, owner_business_id: owner };
      return ofAccount(PARTNER_ID, "account_update", { event, waba_info: info, ...value }, nowMs());
    },
    change: (number, field, value) => ofAccount(number.wabaId, field, value, nowMs()),
    batch: (...payloads) => ({ object: OBJECT, entry: payloads.flatMap(({ entry }) => entry) }),
    large(number, bytes = 3_000_000) {
      const count = Math.floor(bytes / LARGE_MESSAGE_BYTES);
      const bodies = Array.from({ length: count }, (_, index) => `${index} `.padEnd(4_000, "x"));
      return maker.batch(...bodies.map((body) => maker.message(number, { body })));
    },
  };
  return maker;
}

const OBJECT = "whatsapp_business_account";
/** Our own business with Meta. */
const PARTNER_ID = "2729063490586005";

function ofNumber(number: SimNumber, field: string, rest: Record<string, unknown>): WebhookPayload {
  const metadata = { display_phone_number: number.digits, phone_number_id: number.id };
  const value = { messaging_product: "whatsapp", metadata, ...rest };
  return { object: OBJECT, entry: [{ id: number.wabaId, changes: [{ field, value }] }] };
}

/** What concerns the account says when it happened; messages say it themselves. */
function ofAccount(id: string, field: string, value: Record<string, unknown>, nowMs: number): WebhookPayload {
  return {
    object: OBJECT,
    entry: [{ id, time: Math.floor(nowMs / 1000), changes: [{ field, value }] }],
  };
}

function messageValue(message: InboundMessage, nowMs: number): Record<string, unknown> {
  const { from, bsuid, name = "Sheena Nelson", wamid, type = "text", timestampMs, body, ...nodes } = message;
  const person = personOf(from, bsuid);
  const contact = {
    profile: { name },
    ...(person.from !== null && { wa_id: person.from }),
    ...(person.bsuid !== null && { user_id: person.bsuid }),
  };
  return {
    // `system` messages speak of a person and introduce nobody.
    ...(type !== "system" && { contacts: [contact] }),
    messages: [
      {
        ...(person.from !== null && { from: person.from }),
        ...(person.bsuid !== null && { from_user_id: person.bsuid }),
        id: wamid ?? newWamid(),
        timestamp: seconds(timestampMs ?? nowMs),
        type,
        ...(type === "text" && nodes.text === undefined && { text: { body: body ?? "Hello" } }),
        ...nodes,
      },
    ],
  };
}

/** Pricing comes with the first status only. */
const PRICING = { billable: false, pricing_model: "PMP", category: "service", type: "free_customer_service" };

function statusNode(wamid: string, status: string, update: StatusUpdate, nowMs: number): object {
  const { recipient = "16505551234", bsuid, errors, reference, timestampMs } = update;
  return {
    id: wamid,
    status,
    timestamp: seconds(timestampMs ?? nowMs),
    ...(recipient !== null && { recipient_id: recipient }),
    ...(bsuid && { recipient_user_id: bsuid }),
    ...(status === "sent" && { pricing: PRICING }),
    ...(errors && { errors }),
    ...(reference !== undefined && { biz_opaque_callback_data: reference }),
  };
}

function echoNode(number: SimNumber, echo: Echo, nowMs: number): object {
  return {
    from: number.digits,
    ...(echo.to !== null && { to: echo.to }),
    ...(echo.bsuid !== undefined && { to_user_id: echo.bsuid }),
    id: echo.wamid ?? newWamid(),
    timestamp: seconds(nowMs),
    type: "text",
    text: { body: echo.body ?? "A colleague answers this one." },
  };
}

function historyValue(
  threads: { person: string; bodies: string[] }[],
  nowMs: number,
): Record<string, unknown> {
  const messages = (person: string, bodies: string[]) =>
    bodies.map((body) => ({
      from: person,
      id: newWamid(),
      timestamp: seconds(nowMs - 86_400_000),
      type: "text",
      text: { body },
      history_context: { status: "READ" },
    }));
  return {
    history: [
      {
        metadata: { phase: 0, chunk_order: 1, progress: 100 },
        threads: threads.map(({ person, bodies }) => ({ id: person, messages: messages(person, bodies) })),
      },
    ],
  };
}

function personOf(from: string | null | undefined, bsuid: string | null | undefined) {
  return {
    from: from === undefined ? `1650${newId(7)}` : from,
    bsuid: bsuid === undefined ? `US.${randomBytes(8).toString("hex").toUpperCase()}` : bsuid,
  };
}

function seconds(ms: number): string {
  return String(Math.floor(ms / 1000));
}
