import { type CompiledQuery, sql } from "kysely";
import type { App } from "../../context.ts";
import { ownerOf } from "../../conversations/conversation.ts";
import type { Tx } from "../../db/database.ts";
import { fixedQuery } from "../../db/fixed-query.ts";
import type { CallOwner } from "../call-row.ts";
import type { EndedReason } from "../ended-reasons.ts";
import { RelayConfiguration } from "./relay-attributes.ts";

/** Who answers a number, and how. */
export interface Called {
  owner: CallOwner;
  workspaceSlug: string;
  numberId: number;
  integrationId: string;
  version: number;
  configuration: RelayConfiguration;
}

/**
 * Whom a number rings at, by the number alone: whatever else a request says about it is not asked. `undefined`: nobody
 * that may answer, be it that the number is not ours, is linked to no assistant, or that its account is suspended.
 */
export async function findCalled(app: App, number: string): Promise<Called | undefined> {
  const { rows } = await app.db.asSystem("jobs", (tx) => tx.executeQuery(calledOf(tx, number).compile()));
  const [row] = rows;
  if (row === undefined) return undefined;
  return { ...calledFrom(row), numberId: row.number_id };
}

/** Who would answer a workspace's number, whether or not it has one; `undefined` as in {@link findCalled}. */
export async function findAnswering(
  app: App,
  { accountId, workspaceId }: CallOwner,
): Promise<Omit<Called, "numberId"> | undefined> {
  const { rows } = await app.db.asSystem("jobs", (tx) =>
    tx.executeQuery(answeringOf(tx, accountId, workspaceId).compile()),
  );
  return rows[0] === undefined ? undefined : calledFrom(rows[0]);
}

/** A call that was opened before, with the configuration that it was opened with. */
export interface KnownCall {
  owner: CallOwner;
  workspaceSlug: string;
  provider: string;
  providerCallId: string | null;
  status: "ringing" | "in_progress" | "ended" | "finalized";
  from: string | null;
  /** The number of ours that was called. */
  to: string | null;
  startedAt: Date;
  endedReason: EndedReason | null;
  /** Where a human answers who may be dialled now. */
  handoffNumber: string | null;
  /** `null`: it was opened for another engine. */
  configuration: RelayConfiguration | null;
}

export async function findCall(app: App, callId: string): Promise<KnownCall | undefined> {
  const { rows } = await app.db.asSystem("jobs", (tx) => tx.executeQuery(callOf(tx, callId).compile()));
  return rows[0] === undefined ? undefined : knownFrom(rows[0]);
}

/** By the own name that a carrier, or a voice platform, has for it. */
export async function findCarrierCall(
  app: App,
  provider: string,
  providerCallId: string,
): Promise<(KnownCall & { id: string }) | undefined> {
  const { rows } = await app.db.asSystem("jobs", (tx) =>
    tx.executeQuery(carrierCallOf(tx, provider, providerCallId).compile()),
  );
  return rows[0] === undefined ? undefined : { ...knownFrom(rows[0]), id: rows[0].id };
}

interface OwnerColumns {
  partner_id: string;
  account_id: string;
  organization_id: number;
  workspace_id: number;
  workspace_slug: string;
}

interface AnsweringRow extends OwnerColumns {
  integration_id: string;
  version: number;
  config: unknown;
}

interface CalledRow extends AnsweringRow {
  number_id: number;
}

interface CallRowFound extends OwnerColumns {
  id: string;
  provider: string;
  provider_call_id: string | null;
  status: KnownCall["status"];
  from_number: string | null;
  to_number: string | null;
  started_at: Date;
  ended_reason: EndedReason | null;
  handoff_number: string | null;
  config: unknown;
}

type Fixed<Row> = { compile(): CompiledQuery<Row> };

const calledOf = fixedQuery(
  (db: Tx, number: string): Fixed<CalledRow> => ({
    compile: () =>
      sql<CalledRow>`
      select i.partner_id, i.account_id, i.organization_id, i.workspace_id, w.slug as workspace_slug,
        n.id as number_id, i.id as integration_id, i.version, c.config
      from numbers n
      join voice_integrations i on i.number_id = n.id and i.engine = 'relay'
      join voice_configurations c on c.integration_id = i.id and c.version = i.version
      join workspaces w on w.id = i.workspace_id and w.erasing_at is null
      join accounts a on a.id = i.account_id and a.suspended_at is null and a.erasing_at is null
      where n.number = ${number} and n.status = 'active'`.compile(db),
  }),
);

const answeringOf = fixedQuery(
  (db: Tx, accountId: string, workspaceId: number): Fixed<AnsweringRow> => ({
    compile: () =>
      sql<AnsweringRow>`
      select i.partner_id, i.account_id, i.organization_id, i.workspace_id, w.slug as workspace_slug,
        i.id as integration_id, i.version, c.config
      from voice_integrations i
      join voice_configurations c on c.integration_id = i.id and c.version = i.version
      join workspaces w on w.id = i.workspace_id and w.erasing_at is null
      join accounts a on a.id = i.account_id and a.suspended_at is null and a.erasing_at is null
      where i.account_id = ${accountId} and i.workspace_id = ${workspaceId}`.compile(db),
  }),
);

/** A suspended account dials nobody; callers who are put through to another assistant would go in a circle. */
const CALL = sql.raw(`
  select k.id, k.partner_id, k.account_id, k.organization_id, k.workspace_id, w.slug as workspace_slug,
    k.provider, k.provider_call_id, k.status, k.from_number, k.to_number, k.started_at, k.ended_reason, c.config,
    case when a.suspended_at is null and a.erasing_at is null and not exists (
      select from numbers n join voice_integrations i on i.number_id = n.id
      where n.number = w.handoff_number and n.status <> 'released'
    ) then w.handoff_number end as handoff_number
  from calls k
  join workspaces w on w.id = k.workspace_id
  join accounts a on a.id = k.account_id
  left join voice_configurations c on c.integration_id = k.integration_id and c.version = k.config_version`);

const callOf = fixedQuery(
  (db: Tx, callId: string): Fixed<CallRowFound> => ({
    compile: () => sql<CallRowFound>`${CALL} where k.id = ${callId}::uuid`.compile(db),
  }),
);

const carrierCallOf = fixedQuery(
  (db: Tx, provider: string, providerCallId: string): Fixed<CallRowFound> => ({
    compile: () =>
      sql<CallRowFound>`${CALL} where k.provider = ${provider} and k.provider_call_id = ${providerCallId}`.compile(
        db,
      ),
  }),
);

function calledFrom(row: AnsweringRow): Omit<Called, "numberId"> {
  return {
    owner: ownerOf(row),
    workspaceSlug: row.workspace_slug,
    integrationId: row.integration_id,
    version: row.version,
    configuration: RelayConfiguration.parse(row.config),
  };
}

function knownFrom(row: CallRowFound): KnownCall {
  return {
    owner: ownerOf(row),
    workspaceSlug: row.workspace_slug,
    provider: row.provider,
    providerCallId: row.provider_call_id,
    status: row.status,
    from: row.from_number,
    to: row.to_number,
    startedAt: row.started_at,
    endedReason: row.ended_reason,
    handoffNumber: row.handoff_number,
    configuration: RelayConfiguration.safeParse(row.config).data ?? null,
  };
}
