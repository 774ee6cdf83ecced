import { z } from "zod";
import type { MetaMessage } from "./inbound.ts";

const Text = z.string().nullish();
const Reply = z.looseObject({ title: Text, description: Text });

const Interactive = z.looseObject({
  button_reply: Reply.optional(),
  list_reply: Reply.optional(),
  nfm_reply: z.looseObject({ body: Text, response_json: Text }).optional(),
});
const Location = z.looseObject({ latitude: z.number(), longitude: z.number(), name: Text, address: Text });
const Contacts = z.array(
  z.looseObject({
    name: z.looseObject({ formatted_name: Text }).nullish(),
    phones: z.array(z.looseObject({ phone: Text, wa_id: Text })).nullish(),
  }),
);
const Order = z.looseObject({
  text: Text,
  product_items: z
    .array(
      z.looseObject({
        product_retailer_id: z.string(),
        quantity: z.coerce.number(),
        item_price: z.coerce.number().optional(),
        currency: Text,
      }),
    )
    .default([]),
});

/** What a message says in words, for those types that can be said in words; `null` for all others. */
export function textOfMessage(message: MetaMessage): string | null {
  const text = wordsOf(message)?.trim();
  return text === undefined || text === "" ? null : text;
}

function wordsOf(message: MetaMessage): string | null {
  switch (message.type) {
    case "text":
      return z.looseObject({ body: z.string() }).safeParse(message.text).data?.body ?? null;
    case "button":
      return message.button?.text ?? message.button?.payload ?? null;
    case "interactive":
      return interactiveText(message.interactive);
    case "location":
      return locationText(message.location);
    case "contacts":
      return contactsText(message.contacts);
    case "order":
      return orderText(message.order);
    default:
      return null;
  }
}

function interactiveText(value: unknown): string | null {
  const parsed = Interactive.safeParse(value).data;
  const reply = parsed?.button_reply ?? parsed?.list_reply;
  if (reply !== undefined) return [reply.title, reply.description].filter(Boolean).join(": ");
  return parsed?.nfm_reply === undefined ? null : formText(parsed.nfm_reply);
}

/** A form that was filled in: its fields, one a line. */
function formText({ body, response_json }: { body?: string | null; response_json?: string | null }): string {
  const fields = z.record(z.string(), z.unknown()).safeParse(parseJson(response_json ?? "")).data ?? {};
  const lines = Object.entries(fields)
    .filter(([name]) => name !== "flow_token")
    .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`);
  return lines.length > 0 ? lines.join("\n") : (body ?? "");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function locationText(value: unknown): string | null {
  const location = Location.safeParse(value).data;
  if (location === undefined) return null;
  const { latitude, longitude, name, address } = location;
  return ["[location]", name, address, `(${latitude}, ${longitude})`].filter(Boolean).join(" ");
}

function contactsText(value: unknown): string | null {
  const contacts = Contacts.safeParse(value).data ?? [];
  if (contacts.length === 0) return null;
  const people = contacts.map(({ name, phones }) =>
    [name?.formatted_name, ...(phones ?? []).map(({ phone, wa_id }) => phone ?? wa_id)]
      .filter(Boolean)
      .join(" "),
  );
  return `[contact] ${people.join(", ")}`;
}

function orderText(value: unknown): string | null {
  const order = Order.safeParse(value).data;
  if (order === undefined) return null;
  const items = order.product_items.map(({ quantity, product_retailer_id, item_price, currency }) => {
    const price = item_price === undefined ? "" : ` (${[item_price, currency].filter(Boolean).join(" ")})`;
    return `${quantity} × ${product_retailer_id}${price}`;
  });
  return ["[order]", items.join(", "), order.text].filter(Boolean).join(" ");
}
