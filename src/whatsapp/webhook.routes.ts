import type { App } from "../context.ts";
import { Problem } from "../http/problem.ts";
import type { PublicAnswer, PublicRequest, PublicRoute } from "../http/public-route.ts";
import { isSameSecret } from "../http/same-secret.ts";
import { isSigned } from "./webhook-signature.ts";
import { readUpdates } from "./webhook-updates.ts";

const PATH = "/webhooks/whatsapp";
/** Meta sends up to 3 MB. */
const BODY_LIMIT_BYTES = 4 * 1024 * 1024;

/** What Meta calls: once to see whether we are who it was told, and then for everything that happens. */
export const whatsappWebhookRoutes: readonly PublicRoute[] = [
  {
    id: "verifyWhatsAppWebhook",
    method: "GET",
    path: PATH,
    handle: (app, { query }) => answerChallenge(app, query),
  },
  {
    id: "receiveWhatsAppWebhook",
    method: "POST",
    path: PATH,
    bodyLimitBytes: BODY_LIMIT_BYTES,
    handle: receive,
  },
];

function answerChallenge(app: App, query: URLSearchParams): PublicAnswer {
  const { webhookVerifyToken } = metaOf(app);
  const isRight =
    query.get("hub.mode") === "subscribe" &&
    isSameSecret(query.get("hub.verify_token") ?? "", webhookVerifyToken);
  return isRight ? say(200, query.get("hub.challenge") ?? "") : say(403, "The verify token is another one.");
}

/**
 * Stores, and answers; the work comes later. What is signed is never refused: Meta sends whatever was not answered by
 * 200 again and again for days, and holds back other customers' messages when too much of it fails. So a body that
 * nobody can read is counted and taken, for it would be no better the next time. Only when it could not be stored is
 * it to come again.
 */
async function receive(app: App, { body, headers, requestId }: PublicRequest): Promise<PublicAnswer> {
  const { appSecret, appSecretPrevious } = metaOf(app);
  const secrets = appSecretPrevious === undefined ? [appSecret] : [appSecret, appSecretPrevious];
  if (!isSigned(body, headers["x-hub-signature-256"], secrets)) {
    app.whatsappInbox.count("unsigned");
    return say(401, "The signature is missing or wrong.");
  }
  const updates = readUpdates(body);
  if (updates === undefined) {
    app.whatsappInbox.count("unreadable");
    app.log.error({ requestId, sizeBytes: body.length }, "Meta sent what cannot be read");
  } else if (updates.length > 0) {
    await app.whatsappInbox.store(updates);
  }
  return say(200, "");
}

function metaOf(app: App) {
  const { meta } = app.config;
  if (meta === undefined) throw new Problem("route_not_found", "WhatsApp is not configured here.");
  return meta;
}

function say(status: number, body: string): PublicAnswer {
  // A challenge is Meta's text, and whoever asks may choose it: never to be taken for a page.
  const headers = { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" };
  return { status, headers, body };
}
