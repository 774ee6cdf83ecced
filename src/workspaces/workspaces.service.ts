import { type CompiledQuery, sql } from "kysely";
import { recordAudit } from "../audit/record.ts";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { fixedQuery } from "../db/fixed-query.ts";
import type { AccountCaller } from "../http/caller.ts";
import { integerCursor, type PageRequest, toPage } from "../http/page.ts";
import { notFound } from "../http/problem.ts";
import { answerErasure, beginErasure } from "../jobs/erasure.ts";
import { type ChoiceToCheck, checkModelChoices } from "../models/check-choice.ts";
import { getOrganizationRow, type OrganizationRow } from "../organizations/find.ts";
import { slugTaken } from "../organizations/organizations.service.ts";
import { insertWithFreeSlug, slugOf } from "../organizations/slug.ts";
import {
  getWorkspaceRow,
  readWorkspaceRow,
  selectWorkspace,
  selectWorkspaces,
  toWorkspace,
  type WorkspaceRow,
} from "./find.ts";
import type { CreateWorkspace, WorkspaceDetail, WorkspaceSettings } from "./workspaces.schemas.ts";

/** Newest first. */
export async function listWorkspaces(app: App, caller: AccountCaller, orgSlug: string, page: PageRequest) {
  const before = integerCursor(page.cursor);
  return app.db.asTenant(caller, async (tx) => {
    const { id } = await getOrganizationRow(tx, caller, orgSlug);
    const select = selectWorkspaces(tx)
      .where("workspaces.organization_id", "=", id)
      .orderBy("workspaces.id", "desc")
      .limit(page.limit + 1);
    const fetched = await (before === undefined
      ? select
      : select.where("workspaces.id", "<", before)
    ).execute();
    const { rows, nextCursor } = toPage(fetched, page.limit, (row) => row.id);
    return { workspaces: rows.map(toWorkspace), next_cursor: nextCursor };
  });
}

export async function createWorkspace(
  app: App,
  caller: AccountCaller,
  orgSlug: string,
  fields: CreateWorkspace,
) {
  const choices = changedChoices(fields, NO_CHOICE);
  if (choices.length > 0) {
    const { id } = await app.db.asTenant({ ...caller, beforeCommit: undefined }, (tx) =>
      getOrganizationRow(tx, caller, orgSlug),
    );
    await checkModelChoices(app, caller, id, choices);
  }
  return app.db.asTenant(caller, async (tx) => {
    const organization = await getOrganizationRow(tx, caller, orgSlug, "share");
    const { id } = await insertWorkspace(app, tx, caller, organization, fields);
    const row = await selectWorkspaces(tx).where("workspaces.id", "=", id).executeTakeFirstOrThrow();
    return { success: true as const, workspace: toWorkspace(row) };
  });
}

/** With what the later rooms keep in it; all in one round trip. */
export async function getWorkspace(
  app: App,
  caller: AccountCaller,
  slug: string,
): Promise<{ workspace: WorkspaceDetail }> {
  const query = detailQueryOf(app.workspaceParts);
  const [row] = await app.db.readAsTenant<WorkspaceRow & Record<string, unknown>>(caller, (db) =>
    query(db, caller.accountId, slug),
  );
  if (row === undefined) throw notFound("workspace");
  const parts = app.workspaceParts.map((part) => part.show(row[part.name], row.organization_slug));
  const totals = Object.assign({ ...EMPTY_WORKSPACE.totals }, ...parts.map((part) => part.totals));
  return { workspace: Object.assign(toWorkspace(row), EMPTY_WORKSPACE, ...parts, { totals }) };
}

type DetailQuery = (
  db: Tx,
  accountId: string,
  slug: string,
) => { compile(): CompiledQuery<WorkspaceRow & Record<string, unknown>> };
const detailQueries = new WeakMap<App["workspaceParts"], DetailQuery>();

function detailQueryOf(parts: App["workspaceParts"]): DetailQuery {
  const known = detailQueries.get(parts);
  if (known !== undefined) return known;
  const query = fixedQuery((db: Tx, accountId: string, slug: string) =>
    selectWorkspace(db, { accountId }, slug).select(parts.map((part) => part.select.as(part.name))),
  );
  detailQueries.set(parts, query);
  return query;
}

/** What a workspace holds of rooms that hold nothing. */
const EMPTY_WORKSPACE = {
  documents: [],
  threads: [],
  totals: { documents: 0, threads: 0, chunks: 0, tokens: 0 },
};

export async function updateWorkspace(
  app: App,
  caller: AccountCaller,
  slug: string,
  sent: WorkspaceSettings,
) {
  const settings = clearModels(sent);
  if (MODEL_FIELDS.some((field) => settings[field] !== undefined)) {
    const row = await readWorkspaceRow(app, caller, slug);
    await checkModelChoices(app, caller, row.organization_id, changedChoices(settings, toWorkspace(row)));
  }
  return app.db.asTenant(caller, async (tx) => {
    const before = await getWorkspaceRow(tx, caller, slug, "update");
    await tx
      .updateTable("workspaces")
      .set({ ...toColumns(settings), updated_at: sql`now()` })
      .where("id", "=", before.id)
      .execute();
    await audit(app, tx, caller, "workspace.updated", before, { fields: Object.keys(settings) });
    return { success: true as const, workspace: toWorkspace(await getWorkspaceRow(tx, caller, slug)) };
  });
}

const MODEL_FIELDS = ["chatProvider", "chatModel", "agentProvider", "agentModel"] as const;
type ModelSettings = Pick<WorkspaceDetail, (typeof MODEL_FIELDS)[number]>;
const NO_CHOICE: ModelSettings = {
  chatProvider: null,
  chatModel: null,
  agentProvider: null,
  agentModel: null,
};

/** Without its provider a model's name means another model, or none: it goes with it. */
function clearModels(sent: WorkspaceSettings): WorkspaceSettings {
  return {
    ...(sent.chatProvider === null ? { chatModel: null } : {}),
    ...(sent.agentProvider === null ? { agentModel: null } : {}),
    ...sent,
  };
}

/** The pairs of provider and model that a change touches, as they will be after it. */
function changedChoices(sent: WorkspaceSettings, before: ModelSettings): ChoiceToCheck[] {
  const pairs = [
    { provider: "chatProvider", model: "chatModel" },
    { provider: "agentProvider", model: "agentModel" },
  ] as const;
  return pairs.flatMap((fields) => {
    if (sent[fields.provider] === undefined && sent[fields.model] === undefined) return [];
    const { [fields.provider]: provider = before[fields.provider] } = sent;
    const { [fields.model]: model = before[fields.model] } = sent;
    return [{ provider, model, fields }];
  });
}

/** Takes the workspace out of sight at once and erases everything in it; the organization's documents stay. */
export async function deleteWorkspace(app: App, caller: AccountCaller, slug: string) {
  const jobId = await app.db.asTenant(caller, async (tx) => {
    const row = await getWorkspaceRow(tx, caller, slug, "update");
    await audit(app, tx, caller, "workspace.deleted", row);
    return beginErasure(app, tx, {
      level: "workspace",
      partnerId: caller.partnerId,
      accountId: caller.accountId,
      organizationId: row.organization_id,
      workspaceId: row.id,
    });
  });
  return answerErasure(app, jobId);
}

/** For {@link App.organizationCounters}. */
export async function countWorkspaces(tx: Tx, organizationId: number): Promise<number> {
  const { count } = await tx
    .selectFrom("workspaces")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("organization_id", "=", organizationId)
    .where("erasing_at", "is", null)
    .executeTakeFirstOrThrow();
  return count;
}

export async function insertWorkspace(
  app: App,
  tx: Tx,
  caller: AccountCaller,
  organization: OrganizationRow,
  fields: CreateWorkspace,
): Promise<{ id: number }> {
  const { slug: wanted, name, ...settings } = fields;
  const insert = (slug: string) =>
    tx
      .insertInto("workspaces")
      .values({
        ...toColumns(settings),
        partner_id: caller.partnerId,
        account_id: caller.accountId,
        organization_id: organization.id,
        name,
        slug,
      })
      .onConflict((conflict) => conflict.doNothing())
      .returning("id")
      .executeTakeFirst();
  const row =
    wanted === undefined
      ? await insertWithFreeSlug(tx, "workspaces", caller.accountId, slugOf(name, "workspace"), insert)
      : await insert(wanted);
  if (row === undefined) throw slugTaken(wanted ?? "");
  await audit(app, tx, caller, "workspace.created", { id: row.id, organization_id: organization.id });
  return row;
}

/** Only what was sent becomes a column; the rest keeps its value or gets the table's default. */
function toColumns(settings: WorkspaceSettings) {
  const columns = {
    name: settings.name,
    open_ai_temp: settings.openAiTemp,
    open_ai_history: settings.openAiHistory,
    open_ai_prompt: settings.openAiPrompt,
    similarity_threshold: settings.similarityThreshold,
    top_n: settings.topN,
    chat_mode: settings.chatMode,
    chat_provider: settings.chatProvider,
    chat_model: settings.chatModel,
    agent_provider: settings.agentProvider,
    agent_model: settings.agentModel,
    query_refusal_response: settings.queryRefusalResponse,
    vector_search_mode: settings.vectorSearchMode,
    retention_days: settings.retention_days,
    handoff_number: settings.handoff_number,
  };
  return columns;
}

async function audit(
  app: App,
  tx: Tx,
  caller: AccountCaller,
  action: `workspace.${string}`,
  row: Pick<WorkspaceRow, "id" | "organization_id">,
  details: Record<string, unknown> = {},
): Promise<void> {
  await recordAudit(app, tx, caller, {
    action,
    resourceType: "workspace",
    resourceId: row.id,
    organizationId: row.organization_id,
    workspaceId: row.id,
    details,
  });
}
