import type { Generated } from "kysely";

export interface JobTables {
  jobs: {
    partner_id: string;
    account_id: string | null;
    organization_id: number | null;
    workspace_id: number | null;
    id: string;
    kind: string;
    lane: string;
    key: string | null;
    payload: unknown;
    status: Generated<string>;
    attempts: Generated<number>;
    max_attempts: number;
    due_at: Generated<Date>;
    progress: Generated<unknown>;
    result: unknown;
    error: unknown;
    created_at: Generated<Date>;
    updated_at: Generated<Date>;
    finished_at: Date | null;
  };
}
