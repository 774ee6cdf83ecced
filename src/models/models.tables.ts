import type { Generated } from "kysely";

export interface ModelTables {
  model_providers: {
    partner_id: string;
    account_id: string;
    organization_id: number;
    provider: string;
    base_url: string | null;
    api_key: string | null;
    models: unknown;
    context_tokens: number | null;
    max_output_tokens: number | null;
    version: string;
    created_at: Generated<Date>;
    updated_at: Generated<Date>;
  };
}
