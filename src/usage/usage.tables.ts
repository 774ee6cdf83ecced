import type { Generated } from "kysely";

export interface UsageTables {
  usage_counts: {
    partner_id: string;
    account_id: string;
    organization_id: number;
    workspace_id: Generated<number>;
    day: string;
    shard: number;
    messages: Generated<number>;
    input_tokens: Generated<number>;
    output_tokens: Generated<number>;
    searches: Generated<number>;
    documents: Generated<number>;
    call_seconds: Generated<number>;
  };
  usage_storage: {
    partner_id: string;
    account_id: string;
    organization_id: number;
    day: string;
    bytes: number;
  };
}
