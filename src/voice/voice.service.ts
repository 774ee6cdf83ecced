import { isDeepStrictEqual } from "node:util";
import { recordAudit } from "../audit/record.ts";
import type { App } from "../context.ts";
import { ownerColumns } from "../conversations/conversation.ts";
import type { Tx } from "../db/database.ts";
import { isUniqueViolation } from "../db/violations.ts";
import type { AccountCaller } from "../http/caller.ts";
import { notFound, Problem } from "../http/problem.ts";
import { holdVoiceNumber } from "../numbers/find-number.ts";
import { getWorkspaceRow, type WorkspaceRow } from "../workspaces/find.ts";
import { CATALOG } from "./catalog.ts";
import { changeConfiguration } from "./check-configuration.ts";
import { forgetAtEngine, tellEngine } from "./engine/engine.jobs.ts";
import {
  configurationColumns,
  findIntegration,
  type IntegrationRow,
  nextVersion,
  storeConfiguration,
  toConfiguration,
} from "./integration-row.ts";
import { showIntegration } from "./show-integration.ts";
import {
  type CreateVoiceIntegration,
  type UpdateVoiceIntegration,
  VoiceConfiguration,
} from "./voice.schemas.ts";

/** Lets a workspace's assistant answer the phone; what is not sent comes from the catalog's defaults. */
export async function provisionVoice(
  app: App,
  caller: AccountCaller,
  slug: string,
  sent: CreateVoiceIntegration,
) {
  return refuseTaken(() =>
    app.db.asTenant(caller, async (tx) => {
      const workspace = await getWorkspaceRow(tx, caller, slug, "share");
      const defaults = VoiceConfiguration.parse({ ...CATALOG.defaults, number_id: null });
      const configuration = changeConfiguration(defaults, sent);
      await holdNumber(tx, workspace, configuration.number_id);
      const owner = ownerOf(caller, workspace);
      const row = await tx
        .insertInto("voice_integrations")
        .values({
          ...ownerColumns(owner),
          ...configurationColumns(configuration),
          id: app.newId(),
          engine: app.config.voiceEngine,
          version: await nextVersion(tx, workspace.id),
          created_at: app.now(),
          updated_at: app.now(),
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      await storeConfiguration(tx, row, configuration);
      await tellEngine(app, tx, row, null);
      await audit(app, tx, caller, "voice_integration.created", row, {});
      return { success: true as const, voice_integration: await showIntegration(app, tx, row) };
    }),
  );
}

export async function getVoice(app: App, caller: AccountCaller, slug: string) {
  return app.db.asTenant(caller, async (tx) => {
    const workspace = await getWorkspaceRow(tx, caller, slug);
    const row = await findIntegration(tx, workspace.id);
    if (row === undefined) throw noIntegration();
    return { voice_integration: await showIntegration(app, tx, row) };
  });
}

/** Changes what is sent and nothing else, from the next call on. */
export async function updateVoice(
  app: App,
  caller: AccountCaller,
  slug: string,
  sent: UpdateVoiceIntegration,
  ifMatch: string | undefined,
) {
  return refuseTaken(() =>
    app.db.asTenant(caller, async (tx) => {
      const workspace = await getWorkspaceRow(tx, caller, slug, "share");
      const before = await getHeld(tx, workspace, ifMatch);
      const stored = toConfiguration(before);
      const configuration = changeConfiguration(stored, sent);
      if (configuration.number_id !== stored.number_id)
        await holdNumber(tx, workspace, configuration.number_id);
      if (isDeepStrictEqual(configuration, stored))
        return { success: true as const, voice_integration: await showIntegration(app, tx, before) };
      const row = await tx
        .updateTable("voice_integrations")
        .set({
          ...configurationColumns(configuration),
          version: before.version + 1,
          updated_at: app.now(),
        })
        .where("id", "=", before.id)
        .returningAll()
        .executeTakeFirstOrThrow();
      await storeConfiguration(tx, row, configuration);
      await tellEngine(app, tx, row, before.number_id);
      await audit(app, tx, caller, "voice_integration.updated", row, { fields: Object.keys(sent) });
      return { success: true as const, voice_integration: await showIntegration(app, tx, row) };
    }),
  );
}

/** Callers are answered no more; their number is free for another workspace, and the call log stays. */
export async function removeVoice(app: App, caller: AccountCaller, slug: string) {
  return app.db.asTenant(caller, async (tx) => {
    const workspace = await getWorkspaceRow(tx, caller, slug, "share");
    const row = await getHeld(tx, workspace, undefined);
    await tx.deleteFrom("voice_integrations").where("id", "=", row.id).execute();
    await forgetAtEngine(app, tx, row);
    await audit(app, tx, caller, "voice_integration.deleted", row, {});
    return { success: true as const };
  });
}

async function getHeld(tx: Tx, { id }: WorkspaceRow, ifMatch: string | undefined): Promise<IntegrationRow> {
  const row = await findIntegration(tx, id, "update");
  if (row === undefined) throw noIntegration();
  const wanted = ifMatch?.split(",").map((one) => one.trim());
  if (wanted !== undefined && !wanted.includes("*") && !wanted.includes(`"${row.version}"`)) {
    throw new Problem(
      "precondition_failed",
      `The voice integration has changed since: it is at version ${row.version}. Get it again and decide anew.`,
    );
  }
  return row;
}

/** It stays in its organization until the transaction ends. */
async function holdNumber(tx: Tx, workspace: WorkspaceRow, numberId: number | null): Promise<void> {
  if (numberId === null) return;
  if ((await holdVoiceNumber(tx, workspace.organization_id, numberId)) !== undefined) return;
  throw badNumber(
    "invalid_request",
    "is not an active number of the workspace's organization that takes calls",
  );
}

/** Of two who take the same thing at the same moment, the index lets one through. */
async function refuseTaken<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isUniqueViolation(error, "voice_integrations_number"))
      throw badNumber("conflict", "is linked to another voice integration: unlink it there first");
    if (isUniqueViolation(error, "voice_integrations_workspace"))
      throw new Problem("conflict", "This workspace has a voice integration already. Change it with PATCH.");
    throw error;
  }
}

function badNumber(code: "invalid_request" | "conflict", message: string): Problem {
  const path = "body.number_id";
  return new Problem(code, `${path}: ${message}.`, { details: [{ path, message }] });
}

function noIntegration(): Problem {
  return notFound("voice integration of this workspace");
}

function ownerOf({ partnerId, accountId }: AccountCaller, workspace: WorkspaceRow) {
  return { partnerId, accountId, organizationId: workspace.organization_id, workspaceId: workspace.id };
}

async function audit(
  app: App,
  tx: Tx,
  caller: AccountCaller,
  action: `voice_integration.${string}`,
  row: IntegrationRow,
  details: Record<string, unknown>,
): Promise<void> {
  await recordAudit(app, tx, caller, {
    action,
    resourceType: "voice_integration",
    resourceId: row.id,
    organizationId: row.organization_id,
    workspaceId: row.workspace_id,
    details: { ...details, version: row.version },
  });
}
