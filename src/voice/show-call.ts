import type { CallLog } from "./call-log.schemas.ts";
import type { CallRow } from "./call-row.ts";
import { ENDED_REASONS } from "./ended-reasons.ts";
import type { CallCost, CallLatency, TranscriptEntry } from "./project-call.ts";
import type { CallTransfer } from "./project-transfer.ts";

/** A call with its transcript; null while it has none. */
export type ShownCall = CallRow & { transcript: unknown };

export function toCallLog(row: ShownCall, workspace: string): CallLog {
  const reason = row.ended_reason === null ? null : ENDED_REASONS[row.ended_reason];
  return {
    id: row.id,
    workspace,
    organization_id: row.organization_id,
    direction: row.direction,
    status: row.status,
    from_number: row.from_number,
    to_number: row.to_number,
    number_id: row.number_id,
    started_at: row.started_at.toISOString(),
    ended_at: row.ended_at?.toISOString() ?? null,
    finalized_at: row.finalized_at?.toISOString() ?? null,
    duration_seconds: row.duration_seconds,
    ended_reason: row.ended_reason,
    ended_by: reason?.fault ?? null,
    remedy: reason?.remedy ?? null,
    summary: row.summary,
    recording_url: row.recording_url,
    provider: row.provider,
    config_version: row.config_version,
    metadata: { ...Object(row.metadata) },
    ...asProjected(row),
  };
}

/** Safe: `endCall` and `appendCallEvents` write these columns, from what `projectCall` answers. */
function asProjected({ transcript, latency, cost, transfer }: ShownCall) {
  return {
    transcript: (transcript ?? []) as TranscriptEntry[],
    latency: latency as CallLatency | null,
    cost: cost as CallCost | null,
    transfer: transfer as CallTransfer | null,
  };
}
