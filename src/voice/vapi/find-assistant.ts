import { sql } from "kysely";
import type { App } from "../../context.ts";
import { type OwnerColumns, ownerOf } from "../../conversations/conversation.ts";
import type { CallOwner } from "../call-row.ts";

/** Whose assistant it is that answers at Vapi, and how it is set. */
export interface VapiAssistant {
  owner: CallOwner;
  integrationId: string;
  /** Of the configuration that Vapi has. */
  version: number;
  numberId: number | null;
  firstMessage: string;
}

interface AssistantRow extends OwnerColumns {
  integration_id: string;
  applied: string | null;
  version: number;
  number_id: number | null;
  first_message: string;
}

/** By Vapi's id of it. `undefined`: none of ours that may answer. */
export async function findAssistantById(app: App, engineId: string): Promise<VapiAssistant | undefined> {
  return find(app, "engine_id", engineId);
}

/** By the key with which it asks for its answers. */
export async function findAssistantByKey(app: App, keyId: string): Promise<VapiAssistant | undefined> {
  return find(app, "key_id", keyId);
}

async function find(
  app: App,
  column: "engine_id" | "key_id",
  value: string,
): Promise<VapiAssistant | undefined> {
  const { rows } = await app.db.asSystem("jobs", (tx) =>
    sql<AssistantRow>`
      select i.partner_id, i.account_id, i.organization_id, i.workspace_id, i.id as integration_id, e.applied,
        i.version, i.number_id, i.first_message
      from voice_engine_entries e
      join voice_integrations i on i.workspace_id = e.workspace_id and i.id::text = e.subject
      join workspaces w on w.id = i.workspace_id and w.erasing_at is null
      join accounts a on a.id = i.account_id and a.suspended_at is null and a.erasing_at is null
      where e.kind = 'assistant' and e.engine = 'vapi' and e.${sql.ref(column)} = ${value}`.execute(tx),
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  return {
    owner: ownerOf(row),
    integrationId: row.integration_id,
    version: versionOf(row),
    numberId: row.number_id,
    firstMessage: row.first_message,
  };
}

/** What the engine took last begins with the version; while it is being told, it is the newest that it will have. */
function versionOf({ applied, version }: AssistantRow): number {
  const taken = Number.parseInt(applied ?? "", 10);
  return Number.isNaN(taken) ? version : taken;
}
