import type { Generated } from "kysely";

export interface AuditTables {
  audit_events: {
    partner_id: string;
    account_id: string | null;
    organization_id: number | null;
    workspace_id: number | null;
    id: string;
    actor_kind: string;
    actor_id: string | null;
    action: string;
    resource_type: string;
    resource_id: string;
    details: unknown;
    request_id: string | null;
    created_at: Generated<Date>;
  };
}
