import { z } from "zod";
import { booleanQuery, isoTime } from "../http/schemas.ts";
import { CONNECTION_STATUSES } from "./whatsapp.tables.ts";

export const ConnectToken = z
  .object({
    success: z.literal(true),
    token: z.string().meta({ description: "Shown once; it opens the page and nothing else." }),
    expires_at: isoTime,
    connect_url: z.string().meta({ description: "For the `src` of an iframe, or for a tab of its own." }),
  })
  .meta({ id: "WhatsAppConnectToken" });

export const NEXT_STEPS = [
  "none",
  "connect",
  "continue",
  "enter_pin",
  "verify_number",
  "add_number",
  "wait",
  "try_again",
  "sign_in_again",
  "add_payment",
  "ask_meta",
] as const;

const nullableText = z.string().nullable();

export const WhatsApp = z
  .object({
    status: z.enum(["not_connected", ...CONNECTION_STATUSES]),
    status_reason: nullableText.meta({ description: "Why, in a word a program can switch on." }),
    next_step: z.object({
      what: z.enum(NEXT_STEPS),
      message: z.string().meta({ description: "What to do next, in a sentence." }),
    }),
    number: nullableText.meta({ description: "E.164.", example: "+4930123456" }),
    display_phone_number: nullableText.meta({ example: "+49 30 123456" }),
    name: nullableText.meta({ description: "As people see it in WhatsApp, once Meta has approved it." }),
    name_status: nullableText,
    quality: nullableText.meta({ description: "`GREEN`, `YELLOW`, `RED` or `UNKNOWN`, as Meta rates it." }),
    throughput: nullableText,
    connection_id: z.uuid().nullable(),
    phone_number_id: nullableText.meta({ description: "Meta's id of the number." }),
    waba_id: nullableText.meta({ description: "Meta's id of the WhatsApp Business account." }),
    is_coexistence: z.boolean().meta({ description: "The number stays in the WhatsApp Business app, too." }),
    has_pin: z.boolean().meta({ description: "There is a two-step PIN to be revealed." }),
    token_expires_at: isoTime
      .nullable()
      .meta({ description: "When the customer has to sign in again; null: never.", example: null }),
    last_error: z
      .object({
        code: z.string(),
        message: z.string(),
        trace_id: nullableText.meta({ description: "What Meta's support asks for." }),
        at: isoTime,
      })
      .nullable()
      .meta({ example: null }),
    connected_at: isoTime.nullable(),
    disconnected_at: isoTime.nullable().meta({ example: null }),
  })
  .meta({ id: "WhatsApp" });
export type WhatsApp = z.output<typeof WhatsApp>;

export const WhatsAppFetched = z.object({ whatsapp: WhatsApp }).meta({ id: "WhatsAppFetched" });

export const DisconnectQuery = z.strictObject({
  release_number: booleanQuery.optional().meta({
    description:
      "`true`: the number also leaves the Cloud API, so that it can be used elsewhere. Coming back then needs its PIN, " +
      "and Meta allows ten such changes in three days.",
  }),
});

export const WhatsAppDisconnected = z
  .object({
    success: z.literal(true),
    status: z.enum(["disconnecting", "disconnected"]),
    remote_pending: z
      .boolean()
      .meta({ description: "Meta is still to be told; the customer's token is erased when that is done." }),
  })
  .meta({ id: "WhatsAppDisconnected" });

export const WhatsAppPin = z
  .object({
    success: z.literal(true),
    pin: z.string().meta({ example: "204713" }),
    number: nullableText.meta({ example: "+4930123456" }),
  })
  .meta({ id: "WhatsAppPin" });
