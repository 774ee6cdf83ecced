import { type Answer, emit, set, startTimer, stopTimer, type Working } from "./call-state.ts";
import { takeClauses } from "./clauses.ts";
import type { DialogEvent, HandoffReason } from "./dialog.ts";
import { dropAnswer, leave, listen, partingOf, phrasesOf, sayPhrase, speechMs } from "./leaving.ts";
import { speakable } from "./speakable.ts";

/** The built-in tool by which a model asks for a human. */
const HANDOFF_TOOL = "request_handoff";
/** After so many answers that failed in a row, somebody else must help. */
const FAILURES_MAX = 2;

/** Asks a model; an answer that is still being written makes room. */
export function ask(call: Working, text: string): void {
  const { answer, settings } = call.state;
  if (answer !== null) dropAnswer(call, answer, null);
  stopTimer(call, "silence");
  stopTimer(call, "keys");
  const turn = call.state.turns + 1;
  set(call, {
    turns: turn,
    digits: "",
    phrase: "",
    answer: { turn, isAlive: true, pending: "", isInLine: false, said: "", calls: [], isExcused: false },
  });
  emit(call, { type: "ask", turn, text });
  startTimer(call, "slow", settings.waits.slowAnswerMs);
}

export function addToken(call: Working, answer: Answer, text: string): void {
  stopTimer(call, "slow");
  const { clauses, rest } = takeClauses(answer.pending + text, answer.said === "");
  let next: Answer = { ...answer, pending: rest };
  for (const clause of clauses) next = speak(call, next, clause, false);
  set(call, { answer: next });
}

/**
 * Sends a clause to be spoken; one that is all marks has no words. The log has it from now on, whether the answer comes
 * to its end or not.
 */
function speak(call: Working, answer: Answer, clause: string, isLast: boolean): Answer {
  const words = speakable(clause, answer.isInLine);
  const text = words === "" ? "" : `${words} `;
  if (text !== "" || isLast) emit(call, { type: "say", turn: answer.turn, text, isLast });
  if (text !== "") emit(call, { type: "log", entry: { kind: "agent", turn: answer.turn, text } });
  return { ...answer, said: answer.said + text, isInLine: !clause.endsWith("\n") };
}

type ToolEvent<Type extends string> = Extract<DialogEvent, { type: Type }>;

export function toolStarted(call: Working, answer: Answer, event: ToolEvent<"tool-started">): void {
  const { turn, callId, tool } = event;
  const { waits } = call.state.settings;
  // What the model said before its tool is a whole sentence.
  const spoken = flush(call, answer, false);
  emit(call, { type: "log", entry: { kind: "tool-started", turn, callId, tool } });
  set(call, { answer: { ...spoken, calls: [...answer.calls, callId] } });
  startTimer(call, "slow", answer.isExcused ? waits.giveUpMs : waits.slowToolMs);
}

export function toolEnded(call: Working, answer: Answer, event: ToolEvent<"tool-ended">): void {
  const { turn, callId, tool, isOk, ms } = event;
  const { waits } = call.state.settings;
  emit(call, { type: "log", entry: { kind: "tool-ended", turn, callId, tool, isOk, ms } });
  const calls = answer.calls.filter((one) => one !== callId);
  set(call, { answer: { ...answer, calls } });
  // From here on it is a promise: neither a word of the caller nor a failure takes it back.
  if (isOk && tool === HANDOFF_TOOL) promise(call, turn, "human");
  if (calls.length === 0) startTimer(call, "slow", answer.isExcused ? waits.giveUpMs : waits.slowAnswerMs);
}

export function answerEnded(call: Working, answer: Answer, isPaused: boolean): void {
  const { handoff, settings } = call.state;
  stopTimer(call, "slow");
  const phrases = phrasesOf(call);
  if (isPaused) {
    set(call, { answer: null });
    promise(call, answer.turn, "human");
    leave(call, "transferred", partingOf(call, true));
    return;
  }
  let spoken = flush(call, answer, true);
  const isEmpty = spoken.said === "";
  spoken = { ...spoken, isAlive: false };
  set(call, { answer: spoken, failures: 0 });
  if (handoff !== null) leave(call, "transferred", partingOf(call, isEmpty));
  else {
    if (isEmpty) sayPhrase(call, phrases.noAnswer);
    listen(call, settings.waits.silenceMs + speechMs(call, isEmpty ? phrases.noAnswer : spoken.said));
  }
}

/** What the caller has heard stands; the rest is not said, since nobody knows how it would have gone on. */
export function answerFailed(call: Working, answer: Answer): void {
  const { handoff, settings } = call.state;
  const failures = call.state.failures + 1;
  const phrases = phrasesOf(call);
  const { turn } = answer;
  stopTimer(call, "slow");
  emit(call, { type: "truncate", turn, heard: answer.said.trim() });
  emit(call, { type: "log", entry: { kind: "failed", turn } });
  set(call, { answer: null, failures });
  if (handoff !== null) leave(call, "transferred", partingOf(call, true));
  else if (failures >= FAILURES_MAX) {
    promise(call, turn, "failure");
    leave(call, "model_failed", settings.canTransfer ? phrases.colleague : phrases.cannotHelp);
  } else {
    sayPhrase(call, phrases.apology);
    listen(call, settings.waits.silenceMs + speechMs(call, answer.said + phrases.apology));
  }
}

/** That a human goes on: once. */
function promise(call: Working, turn: number, reason: HandoffReason): void {
  if (call.state.handoff !== null) return;
  set(call, { handoff: reason });
  emit(call, { type: "log", entry: { kind: "handoff", turn, reason } });
}

function flush(call: Working, answer: Answer, isLast: boolean): Answer {
  const { pending } = answer;
  return pending === "" && !isLast ? answer : speak(call, { ...answer, pending: "" }, pending, isLast);
}
