import type { EndedReason } from "../ended-reasons.ts";

/**
 * What can happen in a call, whatever carries it. `turn` names the question that an event belongs to: what comes from
 * an earlier one is out of date and dropped.
 */
export type DialogEvent =
  /** The line is open, and the greeting is being spoken. */
  | { type: "started" }
  /** `isLast: false` while the caller is still speaking. */
  | { type: "prompt"; text: string; isLast: boolean; language: string | null }
  /** The caller spoke over us and the carrier fell silent; `heard` is what it had spoken by then. */
  | { type: "interrupt"; heard: string }
  | { type: "key"; digit: string }
  | { type: "token"; turn: number; text: string }
  | { type: "tool-started"; turn: number; callId: string; tool: string }
  | { type: "tool-ended"; turn: number; callId: string; tool: string; isOk: boolean; ms: number }
  /** `isPaused`: a human has taken the conversation over, and nothing was answered. */
  | { type: "answered"; turn: number; isPaused: boolean }
  | { type: "failed"; turn: number }
  | { type: "timer"; timer: TimerName }
  | { type: "carrier-error"; description: string }
  /** This process is told to stop. */
  | { type: "stopping" }
  /** `isClean: false`: the connection broke. */
  | { type: "hung-up"; isClean: boolean };

/**
 * - `silence`: nobody says anything
 * - `keys`: no further key is pressed
 * - `slow`: the caller waits for an answer
 * - `longest`: the call is as long as calls may be
 * - `farewell`: the last sentence has been spoken
 */
export type TimerName = "silence" | "keys" | "slow" | "longest" | "farewell";

/** What is to be done about it, in this order. */
export type DialogEffect =
  | { type: "ask"; turn: number; text: string }
  | { type: "cancel"; turn: number }
  /** The history keeps no more of that answer than what was heard. */
  | { type: "truncate"; turn: number; heard: string }
  /** `turn: null`: a sentence of ours, no part of an answer. `isLast`: nothing is added to it. */
  | { type: "say"; turn: number | null; text: string; isLast: boolean }
  /** A tag such as `de-DE`, for what is spoken and for what is understood. */
  | { type: "language"; language: string }
  /** One that runs begins anew. */
  | { type: "start-timer"; timer: TimerName; ms: number }
  | { type: "stop-timer"; timer: TimerName }
  | { type: "log"; entry: DialogEntry }
  /** `handoff`: why a human is to go on; `null`: nobody is. */
  | { type: "end"; reason: EndReason; handoff: HandoffReason | null };

export type HandoffReason = "human" | "failure";

/** Why a call ended, as far as the dialog itself can tell. */
export type EndReason = Extract<
  EndedReason,
  | "caller_hung_up"
  | "caller_silent"
  | "connection_lost"
  | "goodbye"
  | "max_duration"
  | "model_failed"
  | "server_stopped"
  | "transferred"
>;

/** A line of the call's log. */
export type DialogEntry =
  | { kind: "caller"; text: string }
  | { kind: "keys"; digits: string }
  /** A sentence, or one more clause of an answer with the space behind it. */
  | { kind: "agent"; turn: number | null; text: string }
  | { kind: "interrupted"; turn: number | null; heard: string }
  | { kind: "tool-started"; turn: number; callId: string; tool: string }
  | { kind: "tool-ended"; turn: number; callId: string; tool: string; isOk: boolean; ms: number }
  | { kind: "failed"; turn: number }
  | { kind: "silence"; ms: number }
  | { kind: "handoff"; turn: number; reason: HandoffReason }
  | { kind: "carrier-error"; description: string }
  | { kind: "ended"; reason: EndReason; handoff: HandoffReason | null };
