import type { App } from "../../context.ts";
import { appendCallEvents } from "../append-call-events.ts";
import type { TransferOutcome } from "../call-events.ts";
import { readCallEvents } from "../call-row.ts";
import { DIAL_TIMEOUT_SECONDS } from "../dialing.ts";
import { type DueTransfer, findDueTransfer } from "../project-transfer.ts";
import { SPOKEN, spokenLanguage } from "../turn/spoken-phrases.ts";
import { type CarrierRequest, publicUrl } from "./carrier-request.ts";
import { findCarrierCall, type KnownCall } from "./find-called.ts";
import { dialMarkup, farewellMarkup, hangUpMarkup } from "./markup.ts";
import { type CarrierName, languageOfNumber } from "./relay-attributes.ts";

type CarrierCall = KnownCall & { id: string };

/**
 * Puts a caller through whom the assistant has left to a human. Asked again, since our answer was lost, it answers the
 * same; once the outcome is known, or for a call that nobody was asked for in, it is to hang up.
 */
export async function dialHuman(
  app: App,
  carrier: CarrierName,
  call: CarrierCall,
  { form }: CarrierRequest,
): Promise<string> {
  // Nobody is there any more who could be put through.
  if (GONE.includes(form.get("CallStatus") ?? "")) return hangUpMarkup();
  const due = await readDueTransfer(app, call);
  if (due === null || due.isOver) return hangUpMarkup();
  const { handoffNumber, to, owner } = call;
  const action = publicUrl(app, `/voice/${carrier}/transfer`);
  if (handoffNumber === null || to === null || action === null) {
    const { accountId, workspaceId } = owner;
    app.log.warn({ callId: call.id, accountId, workspaceId }, "a caller could not be put through any more");
    return apology(call, due);
  }
  const number = due.dialed ?? handoffNumber;
  await appendCallEvents(app, owner, call.id, [
    { kind: "transfer_dialed", at: app.now(), to: number, key: "transfer" },
  ]);
  // The human sees the number that was called: carriers let nobody show one that is not theirs.
  return dialMarkup({ number, callerId: to, timeoutSeconds: DIAL_TIMEOUT_SECONDS, action });
}

/** What came of it: the first report counts, and whoever reached nobody hears so. */
export async function noteTransfer(
  app: App,
  carrier: CarrierName,
  { callSid, form }: CarrierRequest,
): Promise<string> {
  const call = await findCarrierCall(app, carrier, callSid);
  const outcome = OUTCOMES[form.get("DialCallStatus") ?? ""];
  if (call === undefined || outcome === undefined) return hangUpMarkup();
  const due = await readDueTransfer(app, call);
  if (due === null || due.dialed === null) return hangUpMarkup();
  const seconds = Number(form.get("DialCallDuration") ?? Number.NaN);
  await appendCallEvents(app, call.owner, call.id, [
    {
      kind: "transfer_ended",
      at: app.now(),
      status: outcome,
      ...(outcome === "answered" && seconds >= 0 ? { seconds } : {}),
      key: "transfer-ended",
    },
  ]);
  return outcome === "answered" || outcome === "canceled" ? hangUpMarkup() : apology(call, due);
}

/** The carriers' words; the two share them. */
const OUTCOMES: Readonly<Record<string, TransferOutcome>> = {
  completed: "answered",
  answered: "answered",
  busy: "busy",
  "no-answer": "no_answer",
  failed: "failed",
  canceled: "canceled",
};

/** States of a call in which nobody holds the line. */
const GONE = ["completed", "canceled", "busy", "failed", "no-answer"];

async function readDueTransfer(app: App, { owner, id }: CarrierCall): Promise<DueTransfer | null> {
  return app.db.asTenant(owner, async (tx) => findDueTransfer(await readCallEvents(tx, id)));
}

function apology({ to }: CarrierCall, { language }: DueTransfer): string {
  const tag = language ?? languageOfNumber(to ?? "");
  return farewellMarkup(SPOKEN[spokenLanguage(tag)].nobodyReached, tag);
}
