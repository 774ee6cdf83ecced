import { recordAudit } from "../audit/record.ts";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { AccountCaller } from "../http/caller.ts";
import { getWorkspaceRow } from "../workspaces/find.ts";
import { asJson, type ConnectionRow, type LastError, OVER, selectLive, tell } from "./connection.ts";

export const DISCONNECT_JOB = "whatsapp-disconnect";

/** How a connection ends. */
export interface Ending {
  /** In a word a program can switch on. */
  reason: string;
  /** Gives the number itself back, too: it leaves the Cloud API. */
  releaseNumber: boolean;
  /** What Meta said, where that is why it ends. */
  error?: LastError;
}

/**
 * Ends what the workspace has with WhatsApp: from the commit on nothing is received or answered. What is to be said to
 * Meta is said by a job; until then the token is kept, sealed. Without a connection there is nothing to do.
 */
export async function disconnectWhatsApp(
  app: App,
  caller: AccountCaller,
  slug: string,
  releaseNumber: boolean,
) {
  return app.db.asTenant(caller, async (tx) => {
    const workspace = await getWorkspaceRow(tx, caller, slug, "update");
    await revokeLinks(app, tx, workspace.id);
    const live = await selectLive(tx, workspace.id).forUpdate().execute();
    for (const connection of live) {
      await beginDisconnection(app, tx, connection, { reason: "by_partner", releaseNumber });
      await recordAudit(app, tx, caller, {
        action: "whatsapp.disconnected",
        resourceType: "whatsapp_connection",
        resourceId: connection.id,
        organizationId: workspace.organization_id,
        workspaceId: workspace.id,
        details: { release_number: releaseNumber },
      });
    }
    const last = await tx
      .selectFrom("whatsapp_connections")
      .select(["status"])
      .where("workspace_id", "=", workspace.id)
      .orderBy("created_at", "desc")
      .limit(1)
      .executeTakeFirst();
    const status = last?.status === "disconnecting" ? ("disconnecting" as const) : ("disconnected" as const);
    return { success: true as const, status, remote_pending: status === "disconnecting" };
  });
}

/** The links of a workspace open nothing any more. */
export async function revokeLinks(app: App, tx: Tx, workspaceId: number): Promise<void> {
  await tx
    .updateTable("whatsapp_page_tokens")
    .set({ revoked_at: app.now(), updated_at: app.now() })
    .where("workspace_id", "=", workspaceId)
    .where("consumed_at", "is", null)
    .where("revoked_at", "is", null)
    .execute();
}

/** Ends signups that never came to their end, with their links; what was connected once stays. */
export async function retireUnfinished(app: App, tx: Tx, workspaceId: number): Promise<void> {
  await revokeLinks(app, tx, workspaceId);
  const live = await selectLive(tx, workspaceId).forUpdate().execute();
  for (const connection of live.filter(isUnfinished))
    await beginDisconnection(app, tx, connection, { reason: "abandoned", releaseNumber: false });
}

/** Its customer has not come to the end of the signup, and never had before. */
export function isUnfinished({ step, connected_at: connectedAt }: ConnectionRow): boolean {
  return step !== "finished" && connectedAt === null;
}

/**
 * Over for us at once. Where Meta has to be told, the token stays until a job has done so. Call it towards the end of a
 * transaction that holds the connection's row.
 */
export async function beginDisconnection(
  app: App,
  tx: Tx,
  connection: ConnectionRow,
  { reason, releaseNumber, error }: Ending,
): Promise<void> {
  const isRemote = connection.token !== null && hasRemoteTraces(connection);
  await tx
    .updateTable("whatsapp_connections")
    .set({
      status: isRemote ? "disconnecting" : "disconnected",
      status_reason: reason,
      check_at: null,
      disconnected_at: app.now(),
      updated_at: app.now(),
      ...(isRemote ? {} : { token: null }),
      ...(error === undefined ? {} : { last_error: asJson(error) }),
    })
    .where("id", "=", connection.id)
    .where("status", "not in", OVER)
    .execute();
  if (isRemote) {
    await app.queue.enqueue(tx, {
      kind: DISCONNECT_JOB,
      partnerId: connection.partner_id,
      accountId: connection.account_id,
      organizationId: connection.organization_id,
      workspaceId: connection.workspace_id,
      payload: { connectionId: connection.id, releaseNumber },
      key: connection.id,
    });
  }
  if (connection.connected_at !== null)
    await tell(app, tx, connection, "whatsapp.disconnected", { reason, phone_number: connection.phone });
}

/** From the subscription on, which may have reached Meta although we never heard so. */
function hasRemoteTraces({ waba_id: wabaId, phone_number_id: phoneNumberId }: ConnectionRow): boolean {
  return wabaId !== null && phoneNumberId !== null;
}
