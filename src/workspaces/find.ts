import { type Selectable, sql } from "kysely";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { fixedQuery } from "../db/fixed-query.ts";
import type { AccountCaller } from "../http/caller.ts";
import { notFound } from "../http/problem.ts";
import { encodeSlug } from "../http/schemas.ts";
import { type Hold, type OrganizationRow, storageBytes } from "../organizations/find.ts";
import type { Workspace } from "./workspaces.schemas.ts";
import type { WorkspaceTables } from "./workspaces.tables.ts";

type Row = Selectable<WorkspaceTables["workspaces"]>;
/** A workspace with the slug of its organization. */
export type WorkspaceRow = Row & { organization_slug: string };

/** The workspace of this account, or 404, also for one that exists elsewhere or is being erased. */
export async function getWorkspaceRow(
  tx: Tx,
  caller: AccountCaller,
  slug: string,
  hold: Hold = "none",
): Promise<WorkspaceRow> {
  let select = selectWorkspace(tx, caller, slug);
  if (hold === "share") select = select.forShare("workspaces");
  if (hold === "update") select = select.forUpdate("workspaces");
  const row = await select.executeTakeFirst();
  if (row === undefined) throw notFound("workspace");
  return row;
}

const oneWorkspace = fixedQuery((db: Tx, accountId: string, slug: string) =>
  selectWorkspace(db, { accountId }, slug),
);

/** The same in one round trip, for verbs that only read. */
export async function readWorkspaceRow(app: App, caller: AccountCaller, slug: string): Promise<WorkspaceRow> {
  const [row] = await app.db.readAsTenant<WorkspaceRow>(caller, (db) =>
    oneWorkspace(db, caller.accountId, slug),
  );
  if (row === undefined) throw notFound("workspace");
  return row;
}

/** Those of the slugs that an organization's workspaces have; with `key share` they stay until the transaction ends. */
export async function findWorkspacesBySlug(
  tx: Tx,
  organizationId: number,
  slugs: readonly string[],
  hold: "none" | "key share" = "none",
): Promise<{ id: number; slug: string }[]> {
  const select = tx
    .selectFrom("workspaces")
    .select(["id", "slug"])
    .where("organization_id", "=", organizationId)
    .where("slug", "in", [...slugs])
    .where("erasing_at", "is", null)
    .orderBy("id");
  return (hold === "key share" ? select.forKeyShare() : select).execute();
}

/** An organization with what it stores and those of the slugs that its workspaces have, in one round trip; else 404. */
export async function readOrganizationWithWorkspaces(
  app: App,
  caller: AccountCaller,
  orgSlug: string,
  slugs: readonly string[],
): Promise<{
  organization: OrganizationRow;
  storageBytes: number;
  workspaces: { id: number; slug: string }[];
}> {
  const [row] = await app.db.readAsTenant(caller, (db) =>
    organizationWithWorkspaces(db, caller.accountId, orgSlug, JSON.stringify(slugs)),
  );
  if (row === undefined) throw notFound("organization");
  const { workspaces, storageBytes: stored, ...organization } = row;
  return { organization, storageBytes: stored, workspaces };
}

const organizationWithWorkspaces = fixedQuery((db: Tx, accountId: string, orgSlug: string, slugs: string) =>
  db
    .selectFrom("organizations")
    .selectAll()
    .select(storageBytes.as("storageBytes"))
    .select(
      sql<
        { id: number; slug: string }[]
      >`(select coalesce(json_agg(json_build_object('id', workspaces.id, 'slug',
        workspaces.slug) order by workspaces.id), '[]') from workspaces
        where workspaces.organization_id = organizations.id and workspaces.erasing_at is null
        and workspaces.slug in (select json_array_elements_text(${slugs}::json)))`.as("workspaces"),
    )
    .where("account_id", "=", accountId)
    .where("slug", "=", orgSlug)
    .where("erasing_at", "is", null),
);

/** Those of the ids whose workspaces are not being erased. */
export async function livingWorkspaces(tx: Tx, ids: readonly number[]): Promise<number[]> {
  const rows = await tx
    .selectFrom("workspaces")
    .select("id")
    .where("id", "in", [...ids])
    .where("erasing_at", "is", null)
    .execute();
  return rows.map(({ id }) => id);
}

/** By id, for work that has no caller who names it. */
export async function findWorkspaceById(tx: Tx, id: number): Promise<WorkspaceRow | undefined> {
  return selectWorkspaces(tx).where("workspaces.id", "=", id).executeTakeFirst();
}

/** A workspace whose conversations are kept for so many days only. */
export type RetainingWorkspace = Pick<Row, "id" | "partner_id" | "account_id" | "organization_id"> & {
  retention_days: number;
};

/** By id, from just behind `afterId`; those that keep everything for ever are left out. */
export async function listRetainingWorkspaces(
  tx: Tx,
  afterId: number,
  limit: number,
): Promise<RetainingWorkspace[]> {
  return tx
    .selectFrom("workspaces")
    .select(["id", "partner_id", "account_id", "organization_id", "retention_days"])
    .where("retention_days", "is not", null)
    .where("erasing_at", "is", null)
    .where("id", ">", afterId)
    .orderBy("id")
    .limit(limit)
    .$narrowType<{ retention_days: number }>()
    .execute();
}

/**
 * To be called in the transaction that changes what a workspace can find; see `index_version`.
 *
 * @returns how many of them are there and not being erased
 */
export async function bumpIndexVersions(tx: Tx, workspaceIds: readonly number[]): Promise<number> {
  if (workspaceIds.length === 0) return 0;
  const ids = [...workspaceIds];
  if (ids.length > 1) {
    // In one order always. A statement of its own, since the update must see the rows as they are once all are held:
    // locking them inside it has two transactions wait for each other's version of one row.
    await tx
      .selectFrom("workspaces")
      .select("id")
      .where("id", "in", ids)
      .orderBy("id")
      .forNoKeyUpdate()
      .execute();
  }
  const bumped = await tx
    .updateTable("workspaces")
    .set({ index_version: sql`index_version + 1` })
    .where("id", "in", ids)
    .returning("erasing_at")
    .execute();
  return bumped.filter(({ erasing_at }) => erasing_at === null).length;
}

export function selectWorkspace(db: Tx, caller: Pick<AccountCaller, "accountId">, slug: string) {
  return selectWorkspaces(db)
    .where("workspaces.account_id", "=", caller.accountId)
    .where("workspaces.slug", "=", slug);
}

export function selectWorkspaces(db: Tx) {
  return db
    .selectFrom("workspaces")
    .innerJoin("organizations", "organizations.id", "workspaces.organization_id")
    .selectAll("workspaces")
    .select("organizations.slug as organization_slug")
    .where("workspaces.erasing_at", "is", null);
}

export function toWorkspace(row: WorkspaceRow): Workspace {
  return {
    id: row.id,
    name: row.name,
    slug: encodeSlug(row.slug),
    originalSlug: row.slug,
    organization: {
      id: row.organization_id,
      slug: encodeSlug(row.organization_slug),
      originalSlug: row.organization_slug,
    },
    createdAt: row.created_at.toISOString(),
    lastUpdatedAt: row.updated_at.toISOString(),
    openAiTemp: row.open_ai_temp,
    openAiHistory: row.open_ai_history,
    openAiPrompt: row.open_ai_prompt,
    similarityThreshold: row.similarity_threshold,
    topN: row.top_n,
    chatMode: row.chat_mode,
    chatProvider: row.chat_provider,
    chatModel: row.chat_model,
    agentProvider: row.agent_provider,
    agentModel: row.agent_model,
    queryRefusalResponse: row.query_refusal_response,
    vectorSearchMode: row.vector_search_mode,
    retention_days: row.retention_days,
    handoff_number: row.handoff_number,
  };
}

/** The slugs of those that are not being erased, by id. */
export async function slugsOf(tx: Tx, ids: readonly number[]): Promise<Map<number, string>> {
  if (ids.length === 0) return new Map();
  const rows = await tx
    .selectFrom("workspaces")
    .select(["id", "slug"])
    .where("id", "in", [...ids])
    .where("erasing_at", "is", null)
    .execute();
  return new Map(rows.map(({ id, slug }) => [id, slug]));
}
