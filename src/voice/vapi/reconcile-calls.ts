import { sql } from "kysely";
import type { App } from "../../context.ts";
import { type OwnerColumns, ownerOf } from "../../conversations/conversation.ts";
import { type CallOwner, readCallEvents } from "../call-row.ts";
import { endCall } from "../end-call.ts";
import { renewCalls } from "../sweep-calls.ts";
import { PROVIDER } from "./open-vapi-call.ts";
import { takeReport } from "./take-message.ts";
import { VapiCall } from "./vapi-call.ts";
import { toEndedReason } from "./vapi-ended-reason.ts";

const AT_ONCE = 20;
/** A call that nothing was heard of for so long is given up, with what was written of it. */
const GIVE_UP_MS = 15 * 60_000;

interface QuietCall {
  id: string;
  engineId: string;
  owner: CallOwner;
  /** Since when nothing was heard of it. */
  quietSince: Date;
}

/**
 * Asks Vapi for the calls that it has not told of for a minute: whether they go on, or how they ended when the message
 * that said so was lost. While Vapi does not answer they stay as they are, for a quarter of an hour.
 *
 * @returns how many have ended
 */
export async function reconcileCalls(app: App, signal: AbortSignal): Promise<number> {
  const quiet = await findQuiet(app);
  const haveEnded = await Promise.all(quiet.map((call) => reconcileOrGiveUp(app, call, signal)));
  return haveEnded.filter((hasEnded) => hasEnded).length;
}

async function reconcileOrGiveUp(app: App, call: QuietCall, signal: AbortSignal): Promise<boolean> {
  try {
    return await reconcile(app, call, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    app.log.warn({ error, callId: call.id }, "Vapi could not be asked for a call; it is asked again");
    return giveUp(app, call);
  }
}

async function reconcile(app: App, call: QuietCall, signal: AbortSignal): Promise<boolean> {
  const answer = await app.engineCalls?.findCall(call.engineId, signal);
  const found = VapiCall.safeParse(answer);
  if (!found.success || found.data.id !== call.engineId) {
    if (answer !== undefined) throw new Error("Vapi answered something that is not the call");
    const detail = "Vapi does not know this call any more.";
    return endCall(app, call.owner, call.id, { reason: "engine_failed", at: call.quietSince, detail });
  }
  if (found.data.status !== "ended") {
    await renewCalls(app, [call.id]);
    return false;
  }
  await takeReport(app, call, found.data);
  return true;
}

async function giveUp(app: App, { id, owner, quietSince }: QuietCall): Promise<boolean> {
  if (app.now().getTime() - quietSince.getTime() < GIVE_UP_MS) return false;
  const events = await app.db.asTenant(owner, (tx) => readCallEvents(tx, id), "background");
  const words = events.flatMap((event) =>
    event.kind === "provider_status" && typeof event.data?.endedReason === "string"
      ? [event.data.endedReason]
      : [],
  )[0];
  return endCall(app, owner, id, {
    reason: words === undefined ? "engine_failed" : toEndedReason(words),
    at: quietSince,
    detail: words ?? "Nothing was heard of this call any more, and Vapi could not be asked.",
  });
}

async function findQuiet(app: App): Promise<QuietCall[]> {
  interface Row extends OwnerColumns {
    id: string;
    provider_call_id: string;
    lease_until: Date;
  }
  const { rows } = await app.db.asSystem(
    "jobs",
    (tx) =>
      sql<Row>`
        select id, partner_id, account_id, organization_id, workspace_id, provider_call_id, lease_until
        from calls
        where lease_until < ${app.now()} and provider = ${PROVIDER} and provider_call_id is not null
        order by lease_until limit ${sql.lit(AT_ONCE)}`.execute(tx),
    "background",
  );
  return rows.map((row) => ({
    id: row.id,
    engineId: row.provider_call_id,
    owner: ownerOf(row),
    quietSince: row.lease_until,
  }));
}
