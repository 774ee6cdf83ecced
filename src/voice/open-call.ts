import { sql } from "kysely";
import type { App } from "../context.ts";
import { ownerColumns } from "../conversations/conversation.ts";
import { type CallOwner, type CallRow, leaseFrom } from "./call-row.ts";

/** A call as it begins to ring. */
export interface NewCall {
  direction: "inbound" | "outbound";
  /** Who brings it: `twilio`, `telnyx`, `vapi`, or `test` for one without a carrier. */
  provider: string;
  /** The provider's own name for it; the same name is the same call. */
  providerCallId: string | null;
  /** E.164; null: withheld. */
  from: string | null;
  to: string | null;
  /** The number of ours that takes part. */
  numberId: number | null;
  /** The configuration that it runs with. */
  configuration: { integrationId: string; version: number } | null;
  startedAt: Date;
  /** Shown in the call log as it is. */
  metadata?: Record<string, unknown>;
}

export interface OpenedCall {
  id: string;
  /** `false`: the provider has announced it before. */
  isNew: boolean;
  status: CallRow["status"];
}

/**
 * Writes a call into the log. Announced twice, it is the same call: the first wins. From here on somebody must be heard
 * of every minute (`appendCallEvents`, `renewCalls`), or the call is ended as lost.
 */
export async function openCall(app: App, owner: CallOwner, call: NewCall): Promise<OpenedCall> {
  const { provider, providerCallId, configuration } = call;
  return app.db.asTenant(owner, async (tx) => {
    const id = app.newId();
    const inserted = await tx
      .insertInto("calls")
      .values({
        ...ownerColumns(owner),
        id,
        integration_id: configuration?.integrationId ?? null,
        config_version: configuration?.version ?? null,
        number_id: call.numberId,
        direction: call.direction,
        provider,
        provider_call_id: providerCallId,
        status: "ringing",
        from_number: call.from,
        to_number: call.to,
        started_at: call.startedAt,
        metadata: sql`${JSON.stringify(call.metadata ?? {})}::json`,
        lease_until: leaseFrom(app.now()),
      })
      .onConflict((conflict) => conflict.doNothing())
      .returning(["id", "status"])
      .executeTakeFirst();
    if (inserted !== undefined) return { ...inserted, isNew: true };
    const known = await tx
      .selectFrom("calls")
      .select(["id", "status"])
      .where("workspace_id", "=", owner.workspaceId)
      .where("provider", "=", provider)
      .where("provider_call_id", "=", providerCallId)
      .executeTakeFirst();
    if (known === undefined) throw new Error(`the ${provider} call ${providerCallId} is another workspace's`);
    return { ...known, isNew: false };
  });
}
