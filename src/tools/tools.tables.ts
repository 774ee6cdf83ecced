import type { Generated } from "kysely";

export interface ToolTables {
  tools: {
    partner_id: string;
    account_id: string;
    organization_id: number;
    id: string;
    name: string;
    description: string;
    kind: string;
    enabled: boolean;
    parameters: unknown;
    http: unknown;
    mcp: unknown;
    secrets: string | null;
    created_at: Generated<Date>;
    updated_at: Generated<Date>;
  };
  workspace_tools: {
    partner_id: string;
    account_id: string;
    organization_id: number;
    workspace_id: number;
    tool_id: string;
    attached_at: Generated<Date>;
  };
  tool_calls: {
    partner_id: string;
    account_id: string;
    organization_id: number;
    workspace_id: number;
    id: string;
    tool_id: string | null;
    tool_name: string;
    conversation_id: string | null;
    turn_id: string;
    arguments_sha256: string;
    status: "ok" | "failed";
    code: string | null;
    http_status: number | null;
    ms: number;
    bytes: number;
    created_at: Generated<Date>;
  };
}
