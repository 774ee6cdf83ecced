import type { App } from "../context.ts";
import { ProviderError } from "../ports/provider-error.ts";
import type { Claimed } from "./claim.ts";
import { openSecret, sign } from "./endpoint-secret.ts";

/** How one attempt ended. */
export interface Attempt {
  /** `null`: there was no answer. */
  status: number | null;
  ms: number;
  /** `null`: it arrived. */
  error: string | null;
  /** What the receiver asked for with `Retry-After`. */
  retryAfterMs: number | null;
}

const TIMEOUT_MS = 15_000;
const ANSWER_MAX_BYTES = 65_536;

/** One signed request. Any 2xx means that it arrived; a redirect does not, since it is not followed. */
export async function send(app: App, delivery: Claimed, signal: AbortSignal): Promise<Attempt> {
  const started = performance.now();
  const ms = () => Math.round(performance.now() - started);
  try {
    const body = JSON.stringify(toPayload(delivery));
    const answer = await app.fetchWebhook(delivery.url, {
      method: "POST",
      headers: { "content-type": "application/json", ...signatureOf(app, delivery, body) },
      body,
      redirects: "answer",
      maxBytes: ANSWER_MAX_BYTES,
      timeoutMs: TIMEOUT_MS,
      signal,
    });
    // The answer's head decides. The rest is let in, so that the receiver is not cut off, and thrown away.
    answer.body.on("error", () => undefined).resume();
    const { status } = answer;
    const isAccepted = status >= 200 && status < 300;
    return {
      status,
      ms: ms(),
      error: isAccepted ? null : `It answered ${status}.`,
      retryAfterMs: secondsOf(answer.headers.get("retry-after")),
    };
  } catch (error) {
    if (signal.aborted) throw error;
    if (!(error instanceof ProviderError))
      app.log.error({ error, endpointId: delivery.endpoint_id }, "a webhook could not be sent");
    const message = error instanceof ProviderError ? error.message : "An internal error; the log has it.";
    return { status: null, ms: ms(), error: message, retryAfterMs: null };
  }
}

function toPayload(delivery: Claimed) {
  return {
    id: delivery.event_id,
    type: delivery.type,
    timestamp: delivery.created_at.toISOString(),
    account_id: delivery.account_id,
    organization_id: delivery.organization_id,
    workspace_id: delivery.workspace_id,
    subject: { kind: delivery.subject_kind, id: delivery.subject_id },
    sequence: delivery.sequence,
    data: delivery.data,
  };
}

function signatureOf(app: App, delivery: Claimed, body: string): Record<string, string> {
  const timestamp = Math.floor(app.now().getTime() / 1000);
  const secrets = [delivery.secret, delivery.previous_secret].flatMap((sealed) =>
    sealed === null ? [] : [openSecret(app, delivery.endpoint_id, sealed)],
  );
  return {
    "webhook-id": delivery.event_id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": sign(secrets, delivery.event_id, timestamp, body),
  };
}

function secondsOf(retryAfter: string | null): number | null {
  return retryAfter !== null && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) * 1000 : null;
}
