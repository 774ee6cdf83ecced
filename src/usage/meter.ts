import { sql } from "kysely";
import type { Database } from "../db/database.ts";
import { dayOf, SHARDS, type UsageCounts, type UsageTenant } from "./count.ts";

/**
 * Counts in memory and writes once a second, for what happens a thousand times a second and is not billed by the
 * piece, such as searches. A process that is killed loses its last second.
 */
export interface UsageMeter {
  add(tenant: UsageTenant, counts: Pick<UsageCounts, "searches">): void;
  /** Writes what was added so far. */
  flush(): Promise<void>;
  /** Writes what is left, and ends. */
  close(): Promise<void>;
}

interface Sum {
  partner_id: string;
  account_id: string;
  organization_id: number;
  workspace_id: number;
  day: string;
  searches: number;
}

interface Options {
  db: Database;
  now: () => Date;
  onError: (error: unknown) => void;
}

const FLUSH_MS = 1_000;
/** Beside those that are counted in their transactions, so that neither waits for the other. */
const METER_SHARD = SHARDS;

export function createUsageMeter({ db, now, onError }: Options): UsageMeter {
  let sums = new Map<string, Sum>();
  let flushing: Promise<void> = Promise.resolve();
  const timer = setInterval(() => void flush().catch(onError), FLUSH_MS).unref();

  function merge(sum: Sum): void {
    const key = `${sum.organization_id} ${sum.workspace_id} ${sum.day}`;
    const known = sums.get(key);
    if (known === undefined) sums.set(key, sum);
    else known.searches += sum.searches;
  }

  /** One at a time: a look at the counts waits for what is being written. */
  function flush(): Promise<void> {
    flushing = flushing.catch(() => undefined).then(writeAll);
    return flushing;
  }

  async function writeAll(): Promise<void> {
    if (sums.size === 0) return;
    const writing = sums;
    sums = new Map();
    try {
      await write(db, [...writing.values()]);
    } catch (error) {
      for (const sum of writing.values()) merge(sum);
      throw error;
    }
  }

  return {
    add(tenant, { searches = 0 }) {
      merge({
        partner_id: tenant.partnerId,
        account_id: tenant.accountId,
        organization_id: tenant.organizationId,
        workspace_id: tenant.workspaceId ?? 0,
        day: dayOf(now()),
        searches,
      });
    },
    flush,
    async close() {
      clearInterval(timer);
      await flush().catch(onError);
    },
  };
}

/** Always in the same order: two processes that write at the same moment never wait for each other crosswise. */
async function write(db: Database, sums: readonly Sum[]): Promise<void> {
  await db.asSystem(
    "jobs",
    (tx) =>
      sql`insert into usage_counts as stored
          (partner_id, account_id, organization_id, workspace_id, day, shard, searches)
        select organizations.partner_id, organizations.account_id, organizations.id, workspace_id, day,
          ${METER_SHARD}, searches
        from json_to_recordset(${JSON.stringify(sums)}::json) as counted
          (organization_id integer, workspace_id integer, day date, searches bigint)
        join organizations on organizations.id = counted.organization_id
        order by organization_id, workspace_id, day
        on conflict (organization_id, day, workspace_id, shard) do update
          set searches = stored.searches + excluded.searches`.execute(tx),
    "background",
  );
}
