import { createHmac } from "node:crypto";
import type { MetaWorld } from "./meta-world.ts";
import type { WebhookPayload } from "./webhook-payloads.ts";

export interface WebhookOptions {
  /** What it is signed with; null: not at all. */
  secret?: string | null;
  /** One byte is changed after it was signed. */
  tamper?: boolean;
  /** Sent so often; one after the other, or with `parallel` at once. */
  times?: number;
  parallel?: boolean;
}

export interface WebhookReply {
  status: number;
  body: string;
}

/** As Meta writes JSON: everything beyond ASCII escaped, and slashes, too. What is signed are these bytes. */
export function webhookBytes(payload: unknown): Buffer {
  const text = JSON.stringify(payload).replaceAll("/", "\\/");
  const escaped = text.replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return Buffer.from(escaped, "ascii");
}

/** The value of `X-Hub-Signature-256`. */
export function webhookSignature(bytes: Uint8Array, secret: string): string {
  return `sha256=${createHmac("sha256", secret).update(bytes).digest("hex")}`;
}

/** @param serverUrl where the server is, or the whole address of the webhook */
export async function sendWebhook(
  world: MetaWorld,
  serverUrl: string,
  payload: WebhookPayload,
  options: WebhookOptions = {},
): Promise<WebhookReply[]> {
  hear(world, payload);
  const { secret = world.appSecret, tamper = false, times = 1, parallel = false } = options;
  const bytes = webhookBytes(payload);
  const signature = secret === null ? undefined : webhookSignature(bytes, secret);
  if (tamper) bytes[bytes.length - 2] = (bytes[bytes.length - 2] ?? 0) ^ 1;
  const url = new URL(serverUrl);
  if (url.pathname === "/") url.pathname = "/webhooks/whatsapp";
  const post = async (): Promise<WebhookReply> => {
    const answer = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "user-agent": "facebookexternalua",
        ...(signature !== undefined && { "x-hub-signature-256": signature }),
      },
      body: new Uint8Array(bytes),
    });
    return { status: answer.status, body: await answer.text() };
  };
  if (parallel) return await Promise.all(Array.from({ length: times }, post));
  const replies: WebhookReply[] = [];
  for (let sent = 0; sent < times; sent += 1) replies.push(await post());
  return replies;
}

/** Who wrote may be answered for 24 hours, and what was written may be marked as read. */
export function hear(world: MetaWorld, payload: WebhookPayload): void {
  for (const { value } of payload.entry.flatMap(({ changes }) => changes)) {
    const numberId = textAt(value.metadata, "phone_number_id");
    if (numberId === undefined || !Array.isArray(value.messages)) continue;
    for (const message of value.messages) {
      const wamid = textAt(message, "id");
      if (wamid !== undefined) world.inbound.add(`${numberId}/${wamid}`);
      for (const person of [textAt(message, "from"), textAt(message, "from_user_id")]) {
        if (person !== undefined) world.lastInboundMs.set(`${numberId}/${person}`, world.nowMs());
      }
    }
  }
}

function textAt(value: unknown, key: string): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const found: unknown = Reflect.get(value, key);
  return typeof found === "string" ? found : undefined;
}
