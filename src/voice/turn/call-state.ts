import type { DialogEffect, EndReason, HandoffReason, TimerName } from "./dialog.ts";

/** What a call is held with; it does not change while it lasts. */
export interface CallSettings {
  /** Spoken by the carrier when the line opens. */
  greeting: string;
  /** The tag it begins in, such as `de-DE`. */
  language: string;
  /** Tags that the carrier was told it may change to. */
  languages: readonly string[];
  /** A human can be dialled; otherwise somebody gets back to the caller. */
  canTransfer: boolean;
  waits: CallWaits;
}

export interface CallWaits {
  /** Without a word of the caller; the second time ends the call. */
  silenceMs: number;
  /** The same after an interruption. */
  resumeMs: number;
  /** After the last key. */
  keysMs: number;
  /** Until an answer begins, before the caller is asked for patience. */
  slowAnswerMs: number;
  slowToolMs: number;
  /** After that, before the answer counts as failed. */
  giveUpMs: number;
  longestMs: number;
  /** How long a voice takes for a character; on the generous side, since nobody likes to be cut off. */
  speechMsPerChar: number;
  /** Beside what the last sentence takes. */
  farewellMs: number;
}

export const USUAL_WAITS: CallWaits = {
  silenceMs: 10_000,
  resumeMs: 4_000,
  keysMs: 2_500,
  slowAnswerMs: 4_000,
  slowToolMs: 1_500,
  giveUpMs: 20_000,
  longestMs: 30 * 60_000,
  speechMsPerChar: 70,
  farewellMs: 800,
};

export interface CallState {
  readonly settings: CallSettings;
  /** `leaving`: the last sentence is being spoken. */
  readonly phase: "talking" | "leaving" | "over";
  /** The tag now spoken. */
  readonly language: string;
  /** Questions asked so far; the last one's number. */
  readonly turns: number;
  /** The answer that is being written or spoken; `null` from the next word of the caller on. */
  readonly answer: Answer | null;
  /** What we said last that is no answer: the caller may interrupt it. */
  readonly phrase: string;
  readonly digits: string;
  /** Nobody answered the question whether somebody is there. */
  readonly isReminded: boolean;
  /** The last thing that happened was an interruption. */
  readonly isInterrupted: boolean;
  /** Answers that failed one after the other. */
  readonly failures: number;
  /** A human is to go on: whatever is said meanwhile. */
  readonly handoff: HandoffReason | null;
  readonly ending: Ending | null;
  readonly timers: readonly TimerName[];
}

/** How a call ends. */
export interface Ending {
  reason: EndReason;
  /** Why a human is to go on; `null`: nobody is. */
  handoff: HandoffReason | null;
}

export interface Answer {
  readonly turn: number;
  /** The model is at work. */
  readonly isAlive: boolean;
  /** Written, and not yet a whole clause. */
  readonly pending: string;
  /** The next clause goes on with a line. */
  readonly isInLine: boolean;
  /** What went to be spoken. */
  readonly said: string;
  /** Calls of tools under way. */
  readonly calls: readonly string[];
  /** The caller was asked for patience. */
  readonly isExcused: boolean;
}

export function newCall(settings: CallSettings): CallState {
  return {
    settings,
    phase: "talking",
    language: settings.language,
    turns: 0,
    answer: null,
    phrase: "",
    digits: "",
    isReminded: false,
    isInterrupted: false,
    failures: 0,
    handoff: null,
    ending: null,
    timers: [],
  };
}

/** A call while one event is worked on: its state is replaced, never changed. */
export interface Working {
  state: CallState;
  readonly effects: DialogEffect[];
}

export function set(call: Working, changes: Partial<CallState>): void {
  call.state = { ...call.state, ...changes };
}

export function emit(call: Working, effect: DialogEffect): void {
  call.effects.push(effect);
}

export function startTimer(call: Working, timer: TimerName, ms: number): void {
  const { timers } = call.state;
  if (!timers.includes(timer)) set(call, { timers: [...timers, timer] });
  emit(call, { type: "start-timer", timer, ms });
}

/** Nothing where it does not run. */
export function stopTimer(call: Working, timer: TimerName): void {
  const { timers } = call.state;
  if (!timers.includes(timer)) return;
  set(call, { timers: timers.filter((one) => one !== timer) });
  emit(call, { type: "stop-timer", timer });
}
