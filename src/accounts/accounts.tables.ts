import type { Generated } from "kysely";

export interface AccountTables {
  accounts: {
    partner_id: string;
    id: string;
    name: string;
    external_id: string | null;
    allowed_origins: string[];
    suspended_at: Date | null;
    erasing_at: Date | null;
    created_at: Generated<Date>;
  };
}
