import type { Generated, GeneratedAlways } from "kysely";

export interface OrganizationTables {
  organizations: {
    partner_id: string;
    account_id: string;
    id: GeneratedAlways<number>;
    name: string;
    slug: string;
    storage_quota_bytes: number | null;
    erasing_at: Date | null;
    created_at: Generated<Date>;
    updated_at: Generated<Date>;
  };
  organization_storage: {
    partner_id: string;
    account_id: string;
    organization_id: number;
    shard: number;
    bytes: number;
  };
}
