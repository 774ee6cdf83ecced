// Shapes that Meta's documentation and OpenAPI file describe, written from those facts; the schemas are not Meta's.

export const digits = { type: "string", pattern: "^\\d+$" };
export const text = { type: "string", minLength: 1 };

/** An object of exactly these keys; `?` marks those that may be absent. */
export function exactly(properties: Record<string, object>): object {
  const names = Object.entries(properties).map(([name, schema]) => [name.replace("?", ""), schema] as const);
  return {
    type: "object",
    properties: Object.fromEntries(names),
    required: Object.keys(properties).filter((name) => !name.endsWith("?")),
    additionalProperties: false,
  };
}

export const listOf = (items: object) => ({ type: "array", items });
const oneOf = (...values: string[]) => ({ enum: values });

export const success = exactly({ success: { const: true } });
export const error = exactly({
  error: exactly({
    message: text,
    type: oneOf("OAuthException", "GraphMethodException"),
    code: { type: "integer" },
    "error_subcode?": { type: "integer" },
    "error_data?": exactly({ messaging_product: { const: "whatsapp" }, details: text }),
    "is_transient?": { type: "boolean" },
    fbtrace_id: text,
  }),
});
const number = exactly({
  id: digits,
  display_phone_number: text,
  verified_name: text,
  code_verification_status: oneOf("VERIFIED", "NOT_VERIFIED", "EXPIRED"),
  name_status: text,
  status: oneOf("CONNECTED", "PENDING", "DISCONNECTED"),
  quality_rating: oneOf("GREEN", "YELLOW", "RED", "UNKNOWN"),
  platform_type: oneOf("CLOUD_API", "ON_PREMISE", "NOT_APPLICABLE"),
  throughput: exactly({ level: oneOf("STANDARD", "HIGH", "NOT_APPLICABLE") }),
  is_on_biz_app: { type: "boolean" },
});
const cursors = exactly({ before: text, after: text });
export const numbers = exactly({
  data: listOf(number),
  "paging?": exactly({ cursors, "next?": { type: "string", pattern: "^http.*after=" } }),
});
export const debugged = exactly({
  data: exactly({
    app_id: digits,
    type: text,
    application: text,
    data_access_expires_at: { type: "integer" },
    "error?": exactly({ code: { type: "integer" }, message: text, subcode: { type: "integer" } }),
    expires_at: { type: "integer" },
    is_valid: { type: "boolean" },
    scopes: listOf(text),
    granular_scopes: listOf(exactly({ scope: text, target_ids: listOf(digits) })),
    user_id: digits,
  }),
});
export const sent = exactly({
  messaging_product: { const: "whatsapp" },
  contacts: listOf(exactly({ input: text, "wa_id?": digits, "user_id?": text })),
  messages: listOf(exactly({ id: { type: "string", pattern: "^wamid\\." } })),
});
export const media = exactly({
  url: text,
  mime_type: text,
  sha256: { type: "string", pattern: "^[0-9a-f]{64}$" },
  file_size: { type: "integer" },
  id: digits,
  messaging_product: { const: "whatsapp" },
});

export const metadata = exactly({ display_phone_number: digits, phone_number_id: digits });
export const timestamp = { type: "string", pattern: "^\\d{10}$" };
export const webhook = (field: string, value: object) =>
  exactly({
    object: { const: "whatsapp_business_account" },
    entry: listOf(
      exactly({
        id: digits,
        "time?": { type: "integer" },
        changes: listOf(exactly({ field: { const: field }, value })),
      }),
    ),
  });
export const inbound = webhook(
  "messages",
  exactly({
    messaging_product: { const: "whatsapp" },
    metadata,
    contacts: listOf(exactly({ profile: exactly({ name: text }), "wa_id?": digits, "user_id?": text })),
    messages: listOf(
      exactly({
        "from?": digits,
        "from_user_id?": text,
        id: text,
        timestamp,
        type: { const: "text" },
        text: exactly({ body: text }),
      }),
    ),
  }),
);
export const status = webhook(
  "messages",
  exactly({
    messaging_product: { const: "whatsapp" },
    metadata,
    statuses: listOf(
      exactly({
        id: text,
        status: oneOf("sent", "delivered", "read", "played", "failed"),
        timestamp,
        "recipient_id?": digits,
        "recipient_user_id?": text,
        "pricing?": { type: "object" },
        "errors?": listOf(exactly({ code: { type: "integer" }, title: text, "message?": text })),
        "biz_opaque_callback_data?": text,
      }),
    ),
  }),
);
