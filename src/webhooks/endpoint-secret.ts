import { createHmac, randomBytes } from "node:crypto";
import type { App } from "../context.ts";

const PREFIX = "whsec_";
const SECRET_BYTES = 32;

/** In the form of Standard Webhooks, which receivers hand to its libraries as it is. */
export function newSecret(): string {
  return `${PREFIX}${randomBytes(SECRET_BYTES).toString("base64")}`;
}

export function sealSecret(app: App, endpointId: string, secret: string): string {
  return app.secrets.seal(secret, purposeOf(endpointId));
}

export function openSecret(app: App, endpointId: string, sealed: string): string {
  return app.secrets.open(sealed, purposeOf(endpointId));
}

/** Seals what an older key has sealed; returns how many endpoints that were. For `rotate-secrets`. */
export async function resealWebhookSecrets(app: App): Promise<number> {
  return app.db.asSystem("superadmin", async (tx) => {
    const rows = await tx
      .selectFrom("webhook_endpoints")
      .select(["id", "secret", "previous_secret"])
      .forUpdate()
      .execute();
    const isOld = (sealed: string | null) => sealed !== null && sealed.split(".")[1] !== app.secrets.keyId;
    const old = rows.filter((row) => isOld(row.secret) || isOld(row.previous_secret));
    for (const { id, secret, previous_secret: previous } of old) {
      const again = (sealed: string) => sealSecret(app, id, openSecret(app, id, sealed));
      const change = { secret: again(secret), previous_secret: previous === null ? null : again(previous) };
      await tx.updateTable("webhook_endpoints").set(change).where("id", "=", id).execute();
    }
    return old.length;
  });
}

/** The header `webhook-signature`: one signature a secret, so that a receiver may hold the old or the new one. */
export function sign(secrets: readonly string[], id: string, timestamp: number, body: string): string {
  return secrets
    .map((secret) => {
      const key = Buffer.from(secret.slice(PREFIX.length), "base64");
      return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
    })
    .join(" ");
}

function purposeOf(endpointId: string): string {
  return `webhook-endpoint:${endpointId}`;
}
