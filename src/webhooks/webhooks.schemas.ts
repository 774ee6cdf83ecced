import { z } from "zod";
import { isoTime, nextCursor, PageQuery } from "../http/schemas.ts";
import { EVENT_TYPES } from "./event-types.ts";

const uuid = z.uuid().transform((id) => id.toLowerCase());
const url = z
  .string()
  .max(2_000)
  .meta({
    description:
      "Where events are sent by POST: `https://`, on port 443 or 8443. `http://localhost[:port]` only while this " +
      "installation itself is not on https.",
    example: "https://app.example.com/webhooks/lumenone",
  });
const events = z
  .array(z.enum(EVENT_TYPES))
  .min(1)
  .max(50)
  .nullable()
  .meta({
    description: "Which events it is sent; null: all, also those of later versions.",
    example: ["document.embedded", "document.failed"],
  });
const description = z.string().max(500).nullable().meta({ example: "Production CRM" });

export const WebhookEndpoint = z
  .object({
    id: z.uuid(),
    account_id: z
      .uuid()
      .nullable()
      .meta({ description: "Null: it hears of all your accounts.", example: null }),
    url,
    description,
    events: z.array(z.string()).nullable(),
    status: z.enum(["enabled", "disabled"]),
    disabled_at: isoTime.nullable(),
    disabled_reason: z.enum(["manual", "gone", "failing"]).nullable().meta({
      description: "`manual`: by you; `gone`: it answered 410; `failing`: nothing arrived for three days.",
    }),
    failing_since: isoTime
      .nullable()
      .meta({ description: "Since when every attempt has failed; null: the last one succeeded." }),
    previous_secret_until: isoTime
      .nullable()
      .meta({ description: "Until then the secret before the last rotation signs, too." }),
    created_at: isoTime,
    updated_at: isoTime,
  })
  .meta({ id: "WebhookEndpoint" });
export type WebhookEndpoint = z.output<typeof WebhookEndpoint>;

export const CreateWebhookEndpoint = z
  .strictObject({ url, events: events.optional(), description: description.optional() })
  .meta({ id: "CreateWebhookEndpoint" });
export type CreateWebhookEndpoint = z.output<typeof CreateWebhookEndpoint>;

export const UpdateWebhookEndpoint = CreateWebhookEndpoint.partial()
  .refine((fields) => Object.keys(fields).length > 0, "needs at least one field")
  .meta({ id: "UpdateWebhookEndpoint", minProperties: 1 });
export type UpdateWebhookEndpoint = z.output<typeof UpdateWebhookEndpoint>;

export const EndpointParams = z.strictObject({ endpointId: uuid });
export const DeliveryParams = EndpointParams.extend({ deliveryId: uuid });

export const WebhookEndpointList = z
  .object({ webhook_endpoints: z.array(WebhookEndpoint), next_cursor: nextCursor })
  .meta({ id: "WebhookEndpointList" });
export const WebhookEndpointShown = z
  .object({ webhook_endpoint: WebhookEndpoint })
  .meta({ id: "WebhookEndpointShown" });
export const WebhookEndpointResponse = z
  .object({ success: z.literal(true), webhook_endpoint: WebhookEndpoint })
  .meta({ id: "WebhookEndpointResponse" });
export const WebhookSecretResponse = WebhookEndpointResponse.extend({
  secret: z.string().meta({
    description: "For checking signatures (Standard Webhooks). Shown this once.",
    example: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  }),
}).meta({ id: "WebhookSecretResponse" });

const DELIVERY_STATUSES = ["pending", "sending", "delivered", "failed", "held"] as const;

export const WebhookDelivery = z
  .object({
    id: z.uuid().meta({ description: "The event's id, which is sent as `webhook-id`." }),
    account_id: z.uuid().nullable(),
    event_type: z.string().meta({ example: "document.embedded" }),
    subject: z.object({ kind: z.string().meta({ example: "document" }), id: z.string() }),
    sequence: z.int().meta({ description: "Counts the subject's events from 1." }),
    status: z.enum(DELIVERY_STATUSES).meta({
      description:
        "`pending`: waits for its next attempt; `failed`: given up after 24 h; `held`: the endpoint was disabled.",
    }),
    attempts: z.int(),
    response_status: z.int().nullable().meta({ description: "Of the last attempt.", example: 200 }),
    response_ms: z.int().nullable(),
    error: z.string().nullable().meta({ description: "Why the last attempt failed.", example: null }),
    next_attempt_at: isoTime.nullable(),
    last_attempt_at: isoTime.nullable(),
    delivered_at: isoTime.nullable(),
    created_at: isoTime,
  })
  .meta({ id: "WebhookDelivery" });
export type WebhookDelivery = z.output<typeof WebhookDelivery>;

const time = z.iso.datetime();

export const DeliveryQuery = PageQuery.extend({
  status: z.enum(DELIVERY_STATUSES).optional().meta({ description: "Only these." }),
  event_type: z.enum(EVENT_TYPES).optional().meta({ description: "Only events of this type." }),
  subject_id: z.string().max(100).optional().meta({ description: "Only events of this subject." }),
  from: time.optional().meta({ description: "Of events from this time on (ISO 8601, UTC)." }),
  to: time.optional().meta({ description: "Of events before this time (ISO 8601, UTC)." }),
});
export type DeliveryQuery = z.output<typeof DeliveryQuery>;

export const WebhookDeliveryList = z
  .object({ deliveries: z.array(WebhookDelivery), next_cursor: nextCursor })
  .meta({ id: "WebhookDeliveryList" });
export const WebhookDeliveryResponse = z
  .object({ success: z.literal(true), delivery: WebhookDelivery })
  .meta({ id: "WebhookDeliveryResponse" });

export const ReplayDeliveries = z
  .strictObject({
    since: time.meta({ description: "Events from this time on; they are kept for 30 days." }),
    include_delivered: z.boolean().default(false).meta({
      description:
        "Also those that arrived; otherwise what failed, or was held while the endpoint was disabled.",
    }),
  })
  .meta({ id: "ReplayDeliveries" });
export type ReplayDeliveries = z.output<typeof ReplayDeliveries>;

export const Replayed = z
  .object({ success: z.literal(true), replayed: z.int().meta({ description: "How many are sent again." }) })
  .meta({ id: "Replayed" });
