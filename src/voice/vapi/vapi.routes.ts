import type { App } from "../../context.ts";
import { Problem } from "../../http/problem.ts";
import type { PublicAnswer, PublicRequest, PublicRoute } from "../../http/public-route.ts";
import { isSameSecret } from "../../http/same-secret.ts";
import { takeMessage } from "./take-message.ts";
import { readVapiMessage } from "./vapi-call.ts";

/** A report holds all that was said, several times over. */
const BODY_LIMIT_BYTES = 8 * 1024 * 1024;

/** Where Vapi tells of its calls. */
export const vapiRoutes: readonly PublicRoute[] = [
  {
    id: "receiveVapiMessage",
    method: "POST",
    path: "/webhooks/vapi",
    bodyLimitBytes: BODY_LIMIT_BYTES,
    handle: receive,
  },
];

/**
 * Written before it is answered: what could not be written is sent again. What nobody can read or what is nobody's here
 * would be no better the next time, so it is counted and taken.
 */
async function receive(app: App, { body, headers, requestId }: PublicRequest): Promise<PublicAnswer> {
  const { vapi } = app.config;
  if (vapi === undefined) throw new Problem("route_not_found", "Vapi is not set up here.");
  const secret = headers["x-vapi-secret"];
  if (typeof secret !== "string" || !isSameSecret(secret, vapi.webhookSecret)) {
    app.engineMessages.count("unsigned");
    return answer(401, { error: "X-Vapi-Secret is missing or wrong." });
  }
  const message = readVapiMessage(body);
  if (message === undefined) {
    app.engineMessages.count("unreadable");
    app.log.warn({ requestId, sizeBytes: body.length }, "Vapi sent what cannot be read");
    return answer(200, {});
  }
  const taken = await takeMessage(app, message);
  app.engineMessages.count(taken === undefined ? "unknown" : "taken");
  if (taken === undefined)
    app.log.warn({ requestId, type: message.type }, "Vapi told of a call that is nobody's here");
  return answer(200, taken ?? {});
}

function answer(status: number, body: object): PublicAnswer {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}
