import type { Generated, GeneratedAlways } from "kysely";
import type { ChatProvider } from "../ports/chat-model.ts";

export interface WorkspaceTables {
  workspaces: {
    partner_id: string;
    account_id: string;
    organization_id: number;
    id: GeneratedAlways<number>;
    name: string;
    slug: string;
    open_ai_temp: number | null;
    open_ai_history: Generated<number>;
    open_ai_prompt: string | null;
    similarity_threshold: Generated<number>;
    top_n: Generated<number>;
    chat_mode: Generated<"automatic" | "chat" | "query">;
    chat_provider: ChatProvider | null;
    chat_model: string | null;
    agent_provider: ChatProvider | null;
    agent_model: string | null;
    query_refusal_response: string | null;
    retention_days: number | null;
    handoff_number: string | null;
    vector_search_mode: Generated<"default" | "rerank">;
    index_version: Generated<number>;
    erasing_at: Date | null;
    created_at: Generated<Date>;
    updated_at: Generated<Date>;
  };
}
