import type { App } from "../../context.ts";
import { ownerOf } from "../../conversations/conversation.ts";
import type { Tx } from "../../db/database.ts";
import type { Caller } from "../../http/caller.ts";
import type { RunningJob } from "../../jobs/worker.ts";
import { insertKey, revokeKeyIn } from "../../partners/keys.service.ts";
import type { EngineAssistant } from "../../ports/voice-engine.ts";
import { findWorkspaceById } from "../../workspaces/find.ts";
import { type IntegrationRow, toConfiguration } from "../integration-row.ts";
import { bringPart, type EnginePart } from "./bring-part.ts";
import type { EntryRow, WantedEntry } from "./engine-entry.ts";

interface WantedAssistant extends WantedEntry {
  integration: IntegrationRow;
  workspaceSlug: string;
  baseUrl: string;
}

/** Sees to it that the engine has an integration's assistant as it is now, or none. */
export async function bringAssistant(app: App, job: RunningJob, integrationId: string): Promise<void> {
  await bringPart(app, job, assistantPart(app, job, integrationId));
}

function assistantPart(app: App, job: RunningJob, integrationId: string): EnginePart<WantedAssistant> {
  return {
    kind: "assistant",
    subject: integrationId,
    async want(tx) {
      const integration = await tx
        .selectFrom("voice_integrations")
        .selectAll()
        .where("id", "=", integrationId)
        .executeTakeFirst();
      if (integration === undefined) return null;
      const workspace = await findWorkspaceById(tx, integration.workspace_id);
      return workspace === undefined ? null : wantAssistant(app, integration, workspace.slug);
    },
    prepare: (tx, entry, wanted) => makeKey(app, tx, job, entry, wanted),
    async tell(engine, wanted, entry, signal) {
      const assistant = toAssistant(app, wanted, entry);
      return engine.assistants?.putAssistant(assistant, entry.engine_id, signal) ?? null;
    },
    async remove(engine, { subject, engine_id: knownId }, signal) {
      await engine.assistants?.removeAssistant({ reference: subject, knownId }, signal);
    },
    async removed(tx, { key_id: keyId, partner_id: partnerId }) {
      if (keyId !== null) await revokeKeyIn(app, tx, operatorOf(job, partnerId), keyId);
    },
  };
}

/** Null: the engine has no assistants, or nobody could answer for one. */
export function wantAssistant(
  app: App,
  integration: IntegrationRow,
  workspaceSlug: string,
): WantedAssistant | null {
  const engine = app.voiceEngines[integration.engine];
  const { publicUrl } = app.config;
  if (engine?.assistants === null || publicUrl === undefined) return null;
  const target = engine?.assistants.target ?? "-";
  const baseUrl = `${publicUrl}/api/v1/openai`;
  return {
    owner: ownerOf(integration),
    engine: integration.engine,
    state: `${integration.version} ${baseUrl} ${target}`,
    integration,
    workspaceSlug,
    baseUrl,
  };
}

function toAssistant(
  app: App,
  { integration, workspaceSlug, baseUrl }: WantedAssistant,
  { secret }: EntryRow,
): EngineAssistant {
  if (secret === null) throw new Error("an assistant is told before it has a key");
  const { number_id: _, ...configuration } = toConfiguration(integration);
  const apiKey = app.secrets.open(secret, purposeOf(integration.id));
  return {
    ...configuration,
    reference: integration.id,
    model: { baseUrl, name: workspaceSlug, apiKey },
  };
}

/** One for each assistant, which may chat with its workspace and nothing else. */
async function makeKey(
  app: App,
  tx: Tx,
  job: RunningJob,
  entry: EntryRow,
  { integration }: WantedAssistant,
): Promise<Partial<EntryRow>> {
  if (entry.secret !== null) return {};
  const { partner_id, account_id, organization_id, workspace_id } = integration;
  const { id, key } = await insertKey(app, tx, operatorOf(job, partner_id), {
    name: "Voice engine",
    scopes: ["chat"],
    accountId: account_id,
    workspace: { id: workspace_id, organization: { id: organization_id } },
  });
  return { key_id: id, secret: app.secrets.seal(key, purposeOf(integration.id)) };
}

function purposeOf(integrationId: string): string {
  return `voice-engine:${integrationId}`;
}

function operatorOf({ id }: RunningJob, partnerId: string): Caller {
  return { partnerId, actor: { kind: "system", id: null }, requestId: id };
}
