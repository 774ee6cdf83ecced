import type { App } from "../../context.ts";

/** Between our answer and the carrier's connection lie seconds. */
const GOOD_FOR_MS = 2 * 60_000;
const PURPOSE = "relay_call";

/** Which call a connection belongs to, in words that only we can write. */
export interface CallPass {
  callId: string;
  /** How often this call's line was opened before. */
  attempt: number;
}

export function issueCallToken(app: App, { callId, attempt }: CallPass): string {
  return app.secrets.seal(`${callId} ${attempt} ${app.now().getTime() + GOOD_FOR_MS}`, PURPOSE);
}

/** `null`: it is not ours, or too old. That it is used once is seen to where the call is answered. */
export function readCallToken(app: App, token: string): CallPass | null {
  const [callId, attempt, expiresAt] = opened(app, token).split(" ");
  if (callId === undefined || attempt === undefined || expiresAt === undefined) return null;
  return Number(expiresAt) < app.now().getTime() ? null : { callId, attempt: Number(attempt) };
}

function opened(app: App, token: string): string {
  try {
    return app.secrets.open(token, PURPOSE);
  } catch {
    return "";
  }
}
