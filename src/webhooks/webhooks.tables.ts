import type { Generated } from "kysely";

export interface WebhookTables {
  webhook_endpoints: {
    partner_id: string;
    account_id: string | null;
    id: string;
    url: string;
    description: string | null;
    events: string[] | null;
    secret: string;
    previous_secret: string | null;
    previous_secret_until: Date | null;
    failing_since: Date | null;
    disabled_at: Date | null;
    disabled_reason: string | null;
    created_at: Generated<Date>;
    updated_at: Generated<Date>;
  };
  webhook_sequences: {
    partner_id: string;
    account_id: string | null;
    organization_id: number | null;
    subject_kind: string;
    subject_id: string;
    sequence: Generated<number>;
  };
  webhook_events: {
    partner_id: string;
    account_id: string | null;
    organization_id: number | null;
    workspace_id: number | null;
    id: string;
    type: string;
    subject_kind: string;
    subject_id: string;
    sequence: number;
    data: unknown;
    is_fanned_out: Generated<boolean>;
    created_at: Generated<Date>;
  };
  webhook_deliveries: {
    partner_id: string;
    account_id: string | null;
    endpoint_id: string;
    event_id: string;
    status: string;
    attempts: Generated<number>;
    retries: Generated<number>;
    queued_at: Generated<Date>;
    due_at: Generated<Date>;
    last_attempt_at: Date | null;
    delivered_at: Date | null;
    response_status: number | null;
    response_ms: number | null;
    error: string | null;
  };
}
