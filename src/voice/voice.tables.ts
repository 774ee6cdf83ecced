import type { Generated, GeneratedAlways } from "kysely";
import type { EndedReason } from "./ended-reasons.ts";

export interface VoiceTables {
  voice_integrations: {
    partner_id: string;
    account_id: string;
    organization_id: number;
    workspace_id: number;
    id: string;
    engine: "relay" | "vapi";
    first_message: string;
    prompt: string;
    voice: unknown;
    transcriber: unknown;
    fallback_voices: unknown;
    fallback_transcribers: unknown;
    number_id: number | null;
    version: Generated<number>;
    created_at: Generated<Date>;
    updated_at: Generated<Date>;
  };
  voice_configurations: {
    partner_id: string;
    account_id: string;
    organization_id: number;
    workspace_id: number;
    integration_id: string;
    version: number;
    config: unknown;
    created_at: Generated<Date>;
  };
  calls: {
    partner_id: string;
    account_id: string;
    organization_id: number;
    workspace_id: number;
    id: string;
    integration_id: string | null;
    config_version: number | null;
    number_id: number | null;
    direction: "inbound" | "outbound";
    provider: string;
    provider_call_id: string | null;
    status: "ringing" | "in_progress" | "ended" | "finalized";
    from_number: string | null;
    to_number: string | null;
    caller_number: GeneratedAlways<string | null>;
    started_at: Date;
    answered_at: Date | null;
    ended_at: Date | null;
    finalized_at: Date | null;
    duration_seconds: number | null;
    ended_reason: EndedReason | null;
    has_tool_calls: Generated<boolean>;
    summary: string | null;
    recording_url: string | null;
    latency: unknown;
    cost: unknown;
    transfer: unknown;
    metadata: unknown;
    last_sequence: Generated<number>;
    lease_until: Date | null;
    updated_at: Generated<Date>;
  };
  call_events: {
    partner_id: string;
    account_id: string;
    organization_id: number;
    workspace_id: number;
    call_id: string;
    sequence: number;
    kind: string;
    at: Date;
    data: unknown;
    key: string | null;
  };
  call_transcripts: {
    partner_id: string;
    account_id: string;
    organization_id: number;
    workspace_id: number;
    call_id: string;
    transcript: unknown;
    words: string;
  };
}
