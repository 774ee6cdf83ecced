import { type Answer, type Ending, emit, set, startTimer, stopTimer, type Working } from "./call-state.ts";
import type { EndReason, TimerName } from "./dialog.ts";
import { SPOKEN, type SpokenPhrases, spokenLanguage } from "./spoken-phrases.ts";

/**
 * Says a last sentence, which may be empty, and ends the call once it has been spoken: whoever ends it at once cuts the
 * sentence off.
 */
export function leave(call: Working, reason: EndReason, sentence: string): void {
  const { answer, handoff, settings } = call.state;
  if (answer !== null) dropAnswer(call, answer, null);
  stopAll(call, "longest");
  if (sentence !== "") sayPhrase(call, sentence);
  const unspoken = answer?.said ?? "";
  set(call, { phase: "leaving", ending: { reason, handoff }, digits: "" });
  startTimer(call, "farewell", settings.waits.farewellMs + speechMs(call, unspoken + sentence));
}

/**
 * What a caller hears before a human goes on. Without anybody to dial it is said in any case: whatever the model has
 * promised, the line is about to be closed.
 *
 * @param isUnsaid the model has not said that somebody is being fetched
 */
export function partingOf(call: Working, isUnsaid: boolean): string {
  const { callBack, colleague } = phrasesOf(call);
  if (!call.state.settings.canTransfer) return callBack;
  return isUnsaid ? colleague : "";
}

/** @param how `end`: the carrier is told to; otherwise it has told us */
export function finish(call: Working, ending: Ending, how: "end" | "gone" = "gone"): void {
  const { answer } = call.state;
  if (answer !== null) dropAnswer(call, answer, null);
  stopAll(call);
  set(call, { phase: "over", ending });
  emit(call, { type: "log", entry: { kind: "ended", ...ending } });
  if (how === "end") emit(call, { type: "end", ...ending });
}

/** @param heard what the caller heard of it; `null`: all that was spoken */
export function dropAnswer(call: Working, { turn, isAlive, said }: Answer, heard: string | null): void {
  if (isAlive) emit(call, { type: "cancel", turn });
  stopTimer(call, "slow");
  const kept = heard ?? said;
  // What went to be spoken is all that is known of an answer that was cancelled: more was written than that.
  if (isAlive || kept.trim() !== said.trim()) emit(call, { type: "truncate", turn, heard: kept.trim() });
  set(call, { answer: null });
}

/** A sentence of ours, which the log keeps as what the assistant said. */
export function sayPhrase(call: Working, text: string): void {
  emit(call, { type: "say", turn: null, text, isLast: true });
  emit(call, { type: "log", entry: { kind: "agent", turn: null, text } });
  set(call, { phrase: text });
}

/** It is the caller's turn to say something. */
export function listen(call: Working, ms: number): void {
  startTimer(call, "silence", ms);
}

export function speechMs(call: Working, text: string): number {
  return text.length * call.state.settings.waits.speechMsPerChar;
}

export function phrasesOf(call: Working): SpokenPhrases {
  return SPOKEN[spokenLanguage(call.state.language)];
}

function stopAll(call: Working, except?: TimerName): void {
  for (const timer of call.state.timers) if (timer !== except) stopTimer(call, timer);
}
