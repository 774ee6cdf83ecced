import type { Generated, GeneratedAlways } from "kysely";

type Owner = { partner_id: string; account_id: string; organization_id: number; workspace_id: number };

/** What a connection can be; `docs/whatsapp.md` says what to do in each. */
export const CONNECTION_STATUSES = [
  "connecting",
  "needs_number",
  "needs_pin",
  "needs_verification",
  "pending_name_review",
  "needs_register",
  "needs_payment",
  "blocked",
  "active",
  "reauth_required",
  "disconnecting",
  "disconnected",
] as const;
export type ConnectionStatus = (typeof CONNECTION_STATUSES)[number];

/** The last step of the onboarding that was done. */
export type ConnectionStep =
  | "started"
  | "exchanged"
  | "inspected"
  | "verified"
  | "reserved"
  | "subscribed"
  | "registered"
  | "finished";

export type InboxKind =
  | "message"
  | "echo"
  | "status"
  | "account"
  | "number"
  | "template"
  | "history"
  | "other";

export type OutgoingState =
  | "pending"
  | "sending"
  | "accepted"
  | "sent"
  | "delivered"
  | "read"
  | "played"
  | "failed"
  | "unknown";

export interface WhatsAppTables {
  whatsapp_connections: Owner & {
    id: string;
    status: ConnectionStatus;
    status_reason: string | null;
    step: Generated<ConnectionStep>;
    attempt: Generated<number>;
    waba_id: string | null;
    business_id: string | null;
    phone_number_id: string | null;
    display_phone_number: string | null;
    phone: string | null;
    verified_name: string | null;
    name_status: string | null;
    quality_rating: string | null;
    throughput: string | null;
    is_coexistence: Generated<boolean>;
    token: string | null;
    token_expires_at: Date | null;
    pin: string | null;
    registrations: Generated<number>;
    health: unknown;
    last_error: unknown;
    check_at: Date | null;
    connected_at: Date | null;
    disconnected_at: Date | null;
    created_at: Generated<Date>;
    updated_at: Generated<Date>;
  };
  whatsapp_page_tokens: Owner & {
    hash: string;
    key_id: string;
    embed_origin: string | null;
    allow_top_level: Generated<boolean>;
    mode: Generated<"new" | "reauth" | "coexistence">;
    expected_phone: string | null;
    expires_at: Date;
    first_rendered_at: Date | null;
    lease_until: Date | null;
    attempt: Generated<number>;
    code_hash: string | null;
    connection_id: string | null;
    resume_until: Date | null;
    result: unknown;
    consumed_at: Date | null;
    revoked_at: Date | null;
    created_at: Generated<Date>;
    updated_at: Generated<Date>;
  };
  whatsapp_contacts: Owner & {
    id: string;
    phone_number_id: string;
    bsuid: string | null;
    phone: string | null;
    name: string | null;
    contact_id: string | null;
    conversation_id: string | null;
    last_inbound_at: Date | null;
    bot_paused_until: Date | null;
    opted_out_at: Date | null;
    told_unsupported_at: Date | null;
    send_after: Date | null;
    created_at: Generated<Date>;
    updated_at: Generated<Date>;
  };
  whatsapp_inbox: Owner & {
    id: GeneratedAlways<number>;
    connection_id: string;
    phone_number_id: string;
    kind: InboxKind;
    key: string;
    contact_key: string | null;
    raw: unknown;
    state: Generated<"waiting" | "done" | "failed">;
    attempts: Generated<number>;
    due_at: Generated<Date>;
    lease_until: Date | null;
    error: string | null;
    received_at: Generated<Date>;
    done_at: Date | null;
  };
  whatsapp_messages: Owner & {
    id: string;
    connection_id: string;
    contact_id: string;
    conversation_id: string | null;
    message_id: number | null;
    reply_key: string | null;
    part: Generated<number>;
    kind: "answer" | "human" | "notice";
    body: unknown;
    state: Generated<OutgoingState>;
    wamid: string | null;
    attempts: Generated<number>;
    due_at: Generated<Date>;
    lease_until: Date | null;
    error: unknown;
    created_at: Generated<Date>;
    updated_at: Generated<Date>;
  };
}
