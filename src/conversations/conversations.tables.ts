import type { Generated, GeneratedAlways } from "kysely";
import type { Channel, IdentityKind } from "./channel.ts";

type Owner = { partner_id: string; account_id: string; organization_id: number; workspace_id: number };

export interface ConversationTables {
  contacts: Owner & {
    id: string;
    name: string | null;
    created_at: Generated<Date>;
    updated_at: Generated<Date>;
  };
  contact_identities: Owner & {
    contact_id: string;
    kind: IdentityKind;
    value: string;
    created_at: Generated<Date>;
  };
  conversations: Owner & {
    id: string;
    channel: Channel;
    contact_id: string | null;
    session_id: string | null;
    session_key: GeneratedAlways<string>;
    thread_slug: string | null;
    name: string | null;
    status: Generated<"open" | "handoff" | "closed">;
    bot_paused: Generated<boolean>;
    handoff_reason: string | null;
    handoff_requested_at: Date | null;
    forgotten_until: Generated<number>;
    last_message_at: Date;
    created_at: Generated<Date>;
    updated_at: Generated<Date>;
  };
  messages: Owner & {
    conversation_id: string;
    id: Generated<number>;
    turn_id: string;
    role: "user" | "assistant" | "human";
    text: string;
    status: Generated<"complete" | "pending" | "cancelled" | "failed">;
    sources: unknown;
    attachments: unknown;
    metrics: unknown;
    provider: string | null;
    model: string | null;
    created_at: Generated<Date>;
  };
}
