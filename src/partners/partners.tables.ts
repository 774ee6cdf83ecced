import type { Generated } from "kysely";

export interface PartnerTables {
  partners: { id: string; name: string; has_webhooks: Generated<boolean>; created_at: Generated<Date> };
  api_keys: {
    id: string;
    partner_id: string | null;
    account_id: string | null;
    organization_id: number | null;
    workspace_id: number | null;
    name: string;
    prefix: string;
    hash: Buffer;
    scopes: string[] | null;
    expires_at: Date | null;
    revoked_at: Date | null;
    last_used_at: Date | null;
    created_at: Generated<Date>;
  };
}
