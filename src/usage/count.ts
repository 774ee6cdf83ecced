import { sql } from "kysely";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";

/** Whose usage it is. */
export interface UsageTenant {
  partnerId: string;
  accountId: string;
  organizationId: number;
  /** `null`: of the organization as a whole. */
  workspaceId: number | null;
}

/** What is added to the day. */
export interface UsageCounts {
  /** Answers given, on any channel. */
  messages?: number;
  inputTokens?: number;
  outputTokens?: number;
  searches?: number;
  /** Documents taken in. */
  documents?: number;
  callSeconds?: number;
}

/** Rows a day and workspace: those who count at the same moment rarely meet in one. */
export const SHARDS = 16;

let next = 0;

/**
 * Counts what is billed, in the transaction of what is counted: exactly what was committed is counted, also when the
 * process is killed. It holds one of {@link SHARDS} rows until the transaction ends, so call it last.
 */
export async function countUsage(app: App, tx: Tx, tenant: UsageTenant, counts: UsageCounts): Promise<void> {
  next = (next + 1) % SHARDS;
  await sql`
    insert into usage_counts as stored (partner_id, account_id, organization_id, workspace_id, day, shard, messages,
      input_tokens, output_tokens, searches, documents, call_seconds)
    values (${tenant.partnerId}, ${tenant.accountId}, ${tenant.organizationId}, ${tenant.workspaceId ?? 0},
      ${dayOf(app.now())}::date, ${next}, ${counts.messages ?? 0}, ${counts.inputTokens ?? 0},
      ${counts.outputTokens ?? 0}, ${counts.searches ?? 0}, ${counts.documents ?? 0}, ${counts.callSeconds ?? 0})
    on conflict (organization_id, day, workspace_id, shard) do update set
      messages = stored.messages + excluded.messages,
      input_tokens = stored.input_tokens + excluded.input_tokens,
      output_tokens = stored.output_tokens + excluded.output_tokens,
      searches = stored.searches + excluded.searches,
      documents = stored.documents + excluded.documents,
      call_seconds = stored.call_seconds + excluded.call_seconds`.execute(tx);
}

/** The UTC day of a time, e.g. `2026-05-25`. */
export function dayOf(time: Date): string {
  return time.toISOString().slice(0, 10);
}
