import type { CallEvent, TransferOutcome } from "./call-events.ts";
import type { EndedReason } from "./ended-reasons.ts";

/** In the place of a number: nobody is dialled. */
export const NOBODY = "human";

/** A call that was handed to a human. */
export interface CallTransfer {
  /** Why: somebody asked for a human, or the model failed. */
  reason: string | null;
  /** The number that was dialled; null: none was. */
  to: string | null;
  /** `dialed`: what came of it was not reported (yet). `not_dialed`: somebody has to get back to the caller. */
  status: TransferOutcome | "dialed" | "not_dialed";
  /** How long the caller and the human were connected; null: they were not, or nobody said. */
  seconds: number | null;
}

/** Null: nobody was asked for. */
export function projectTransfer(events: readonly CallEvent[]): CallTransfer | null {
  const requested = findOf(events, "transfer_requested");
  if (requested === undefined) return null;
  const dialed = findOf(events, "transfer_dialed");
  const ended = findOf(events, "transfer_ended");
  return {
    reason: requested.reason ?? null,
    to: dialed?.to ?? null,
    status: dialed === undefined ? "not_dialed" : (ended?.status ?? "dialed"),
    seconds: ended?.seconds === undefined ? null : Math.round(ended.seconds),
  };
}

/** A transfer that a number is to be dialled for, once the assistant has left the call. */
export interface DueTransfer {
  /** The tag in which the caller is spoken to; null: nobody wrote it down. */
  language: string | null;
  /** Null: not yet. */
  dialed: string | null;
  /** What came of it is known. */
  isOver: boolean;
}

/** Null: nobody is dialled, because nobody was asked for, or because the caller hung up before. */
export function findDueTransfer(events: readonly CallEvent[]): DueTransfer | null {
  const end = findOf(events, "ended");
  if (end === undefined || !LEFT_TO_A_HUMAN.includes(end.reason)) return null;
  return findWantedTransfer(events);
}

/** The same while the assistant is still there; null: nobody was asked for, or nobody can be dialled. */
export function findWantedTransfer(events: readonly CallEvent[]): DueTransfer | null {
  const requested = findOf(events, "transfer_requested");
  if (requested === undefined || requested.to === NOBODY) return null;
  return {
    language: requested.language ?? null,
    dialed: findOf(events, "transfer_dialed")?.to ?? null,
    isOver: findOf(events, "transfer_ended") !== undefined,
  };
}

const LEFT_TO_A_HUMAN: readonly EndedReason[] = ["transferred", "model_failed"];

/** A call counts as transferred until it is known that nobody could be reached. */
export function reasonAfter(transfer: CallTransfer | null, reason: EndedReason): EndedReason {
  const isReached = transfer === null || !UNREACHED.includes(transfer.status);
  return reason === "transferred" && !isReached ? "transfer_failed" : reason;
}

const UNREACHED: readonly CallTransfer["status"][] = ["busy", "no_answer", "failed"];

function findOf<Kind extends CallEvent["kind"]>(events: readonly CallEvent[], kind: Kind) {
  return events.find((event): event is Extract<CallEvent, { kind: Kind }> => event.kind === kind);
}
