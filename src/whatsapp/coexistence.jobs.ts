import { z } from "zod";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { JobFailure, type JobHandler } from "../jobs/worker.ts";
import { asMessengerError, type ConnectionRow, OVER, openToken } from "./connection.ts";

export const SYNC_JOB = "whatsapp-sync";

const CALL_MS = 15_000;
/** Meta takes it within a day of the signup only. */
const SYNC_WITHIN_MS = 24 * 3_600_000;
const WHAT = ["smb_app_state_sync", "history"] as const;

const Payload = z.object({ connectionId: z.uuid(), workspaceId: z.int() });

/** Has Meta tell us of the contacts and chats that are in the app on the customer's phone, in this order; each can be asked for once. */
export async function enqueueSync(app: App, tx: Tx, connection: ConnectionRow): Promise<void> {
  await app.queue.enqueue(tx, {
    kind: SYNC_JOB,
    partnerId: connection.partner_id,
    accountId: connection.account_id,
    organizationId: connection.organization_id,
    workspaceId: connection.workspace_id,
    payload: { connectionId: connection.id, workspaceId: connection.workspace_id },
    key: connection.id,
  });
}

export const syncHandler: JobHandler = async (app, job) => {
  const payload = Payload.safeParse(job.payload);
  if (!payload.success || job.accountId === null)
    throw new JobFailure("bad_payload", "This job does not say what to ask Meta for.");
  const { connectionId, workspaceId } = payload.data;
  const tenant = { partnerId: job.partnerId, accountId: job.accountId, workspaceId };
  const connection = await app.db.asTenant(
    tenant,
    (tx) =>
      tx
        .selectFrom("whatsapp_connections")
        .selectAll()
        .where("id", "=", connectionId)
        .where("status", "not in", OVER)
        .executeTakeFirst(),
    "background",
  );
  const { messenger } = app;
  if (messenger === null || connection === undefined || connection.phone_number_id === null) return;
  if (app.now().getTime() - connection.created_at.getTime() > SYNC_WITHIN_MS)
    throw new JobFailure("too_late", "Meta shares what is in the app within 24 hours of the signup only.");
  const token = openToken(app, connection);
  for (const what of WHAT) {
    try {
      const signal = AbortSignal.any([job.signal, AbortSignal.timeout(CALL_MS)]);
      await messenger.startSync(token, connection.phone_number_id, what, signal);
    } catch (error) {
      const refusal = asMessengerError(error);
      if (refusal === undefined || refusal.retryable) throw error;
      // Asked for already, or declined by the customer: nothing that trying again would change.
      app.log.info(
        { connectionId, what, metaSubcode: refusal.metaSubcode },
        "Meta does not share what is in the app",
      );
    }
  }
};
