import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { JobError } from "../jobs/queue.ts";
import { recordEvent } from "../webhooks/record-event.ts";
import type { DocumentRow } from "./find.ts";

/** A document with whose it is. */
export type Owned = Pick<DocumentRow, "id" | "partner_id" | "account_id" | "organization_id">;

/** Tells the partner that a workspace can find the document now. */
export async function tellEmbedded(
  app: App,
  tx: Tx,
  document: Owned,
  workspaceId: number,
  { chunks, tokens }: { chunks: number; tokens: number },
): Promise<void> {
  await recordEvent(app, tx, tenantOf(document, workspaceId), {
    type: "document.embedded",
    subject: { kind: "document", id: document.id },
    data: { document_id: document.id, workspace_id: workspaceId, chunks, tokens },
  });
}

/** Tells the partner that the document could not be read (`workspaceId` null), or not be put into a workspace. */
export async function tellFailed(
  app: App,
  tx: Tx,
  document: Owned,
  workspaceId: number | null,
  { code }: Pick<JobError, "code">,
): Promise<void> {
  await recordEvent(app, tx, tenantOf(document, workspaceId), {
    type: "document.failed",
    subject: { kind: "document", id: document.id },
    data: { document_id: document.id, workspace_id: workspaceId, code },
  });
}

function tenantOf(document: Owned, workspaceId: number | null) {
  return {
    partnerId: document.partner_id,
    accountId: document.account_id,
    organizationId: document.organization_id,
    workspaceId,
  };
}
