import type { App } from "../../context.ts";
import { appendCallEvents } from "../append-call-events.ts";
import type { CallEvent, NewCallEvent } from "../call-events.ts";
import { type CallOwner, readCallEvents } from "../call-row.ts";
import { endCall } from "../end-call.ts";
import type { EndedReason } from "../ended-reasons.ts";
import { findCarrierCall } from "../relay/find-called.ts";
import { chooseDestination } from "./choose-destination.ts";
import { findAssistantById } from "./find-assistant.ts";
import { openVapiCall, PROVIDER } from "./open-vapi-call.ts";
import { readReport } from "./read-report.ts";
import type { VapiCall, VapiMessage } from "./vapi-call.ts";
import { toEndedReason } from "./vapi-ended-reason.ts";

/** A call in the log, whoever has announced it. */
interface LoggedCall {
  id: string;
  owner: CallOwner;
}

/**
 * Writes what Vapi tells of a call. It may come twice, late, out of order or not at all: each thing is written once, and
 * the call ends with the report, or when Vapi is asked for it; see `reconcile-calls.ts`.
 *
 * @returns what Vapi is answered; undefined: it told of an assistant that is not ours
 */
export async function takeMessage(app: App, message: VapiMessage): Promise<object | undefined> {
  if (message.type === "transfer-destination-request") {
    const known = await findCarrierCall(app, PROVIDER, message.call.id);
    return known && chooseDestination(app, known);
  }
  const logged = await findLogged(app, message.call);
  if (logged === undefined) return undefined;
  if (message.type === "end-of-call-report") await takeReport(app, logged, message.call);
  else await appendCallEvents(app, logged.owner, logged.id, eventsOf(message, message.at ?? app.now()));
  return {};
}

/** All that Vapi says of a call that is over. Of one that has ended here, bill and recording are added. */
export async function takeReport(app: App, { id, owner }: LoggedCall, call: VapiCall): Promise<void> {
  const known = await app.db.asTenant(owner, (tx) => readCallEvents(tx, id));
  const at = call.endedAt == null ? app.now() : new Date(call.endedAt);
  const answered = answeredOf(call, known);
  await appendCallEvents(app, owner, id, [...answered, ...readReport(call, known, at)]);
  const wasAnswered = answered.length > 0 || known.some(({ kind }) => kind === "answered");
  const detail = call.endedReason ?? "";
  await endCall(app, owner, id, {
    reason: reasonOf(detail, known, wasAnswered),
    at,
    ...(detail === "" ? {} : { detail: detail.slice(0, 500) }),
  });
}

async function findLogged(app: App, call: VapiCall): Promise<LoggedCall | undefined> {
  const known = await findCarrierCall(app, PROVIDER, call.id);
  if (known !== undefined) return known;
  if (call.assistantId == null) return undefined;
  const assistant = await findAssistantById(app, call.assistantId);
  if (assistant === undefined) return undefined;
  const { id } = await openVapiCall(app, assistant, call);
  return { id, owner: assistant.owner };
}

function eventsOf({ type, call }: VapiMessage, at: Date): NewCallEvent[] {
  switch (type) {
    case "status-update": {
      const status = (call.status ?? "unknown").slice(0, 100);
      const data = call.endedReason == null ? {} : { endedReason: call.endedReason.slice(0, 500) };
      return [
        ...(status === "in-progress" ? [{ kind: "answered" as const, at, key: "answered" }] : []),
        { kind: "provider_status", status, data, at, key: `status:${status}` },
      ];
    }
    case "user-interrupted":
    case "hang":
      return [{ kind: "provider_status", status: type, at, key: `${type}:${at.getTime()}` }];
    default:
      // It was heard of.
      return [];
  }
}

/** Nobody was told that it was answered, but it was. */
function answeredOf({ startedAt }: VapiCall, known: readonly CallEvent[]): NewCallEvent[] {
  if (startedAt == null || known.some(({ kind }) => kind === "answered")) return [];
  return [{ kind: "answered", at: new Date(startedAt), key: "answered" }];
}

function reasonOf(words: string, known: readonly CallEvent[], wasAnswered: boolean): EndedReason {
  const reason = toEndedReason(words);
  if (reason === "caller_hung_up" && !wasAnswered) return "caller_gave_up";
  // It hangs up after our words; whether they were a goodbye or a hand-over, we know.
  const isHandedOver = known.some(({ kind }) => kind === "transfer_requested");
  return reason === "goodbye" && isHandedOver ? "transferred" : reason;
}
