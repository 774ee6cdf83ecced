import { type RawBuilder, type Selectable, sql } from "kysely";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { DocumentTables } from "./documents.tables.ts";
import type { EmbedPayload } from "./embed.jobs.ts";
import type { DocumentRow } from "./find.ts";

/** A document in a workspace, since when. */
export type Membership = Pick<
  Selectable<DocumentTables["workspace_documents"]>,
  "partner_id" | "account_id" | "organization_id" | "workspace_id" | "document_id" | "added_at"
>;

type Owned = Pick<DocumentRow, "id" | "partner_id" | "account_id" | "organization_id">;

/** The columns that say which document is in which workspace, and whose both are. */
export function memberOf(document: Owned, workspaceId: number) {
  return {
    partner_id: document.partner_id,
    account_id: document.account_id,
    organization_id: document.organization_id,
    workspace_id: workspaceId,
    document_id: document.id,
  };
}

/** The document's place in the workspace: the one it has, or a new one that waits to be embedded. */
export async function joinWorkspace(tx: Tx, document: DocumentRow, workspaceId: number): Promise<Membership> {
  return (
    tx
      .insertInto("workspace_documents")
      .values({ ...memberOf(document, workspaceId), status: "embedding" })
      // An update that changes nothing, so that the row there is is answered.
      .onConflict((conflict) =>
        conflict.columns(["workspace_id", "document_id"]).doUpdateSet({ document_id: document.id }),
      )
      .returning(["partner_id", "account_id", "organization_id", "workspace_id", "document_id", "added_at"])
      .executeTakeFirstOrThrow()
  );
}

/**
 * The job that embeds it; one at a time for each stay in the workspace. A document that was taken out and put in again
 * gets another one: the one before may have come to its end without seeing that.
 */
export async function enqueueEmbedding(app: App, tx: Tx, member: Membership): Promise<string> {
  const payload: EmbedPayload = { documentId: member.document_id, workspaceId: member.workspace_id };
  return app.queue.enqueue(tx, {
    kind: "embed",
    partnerId: member.partner_id,
    accountId: member.account_id,
    organizationId: member.organization_id,
    workspaceId: member.workspace_id,
    key: `${member.workspace_id}:${member.document_id}:${member.added_at.getTime()}`,
    payload,
  });
}

/** Whether {@link enqueueEmbedding}'s job of the row `workspace_documents` of a query is unfinished. */
export function isBeingEmbedded(): RawBuilder<boolean> {
  return sql<boolean>`exists (select from jobs where jobs.kind = 'embed' and jobs.status in ('queued', 'running')
    and jobs.key = workspace_documents.workspace_id || ':' || workspace_documents.document_id || ':'
      || trunc(extract(epoch from workspace_documents.added_at) * 1000))`;
}
