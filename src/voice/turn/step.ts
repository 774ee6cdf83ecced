import { addToken, answerEnded, answerFailed, ask, toolEnded, toolStarted } from "./answering.ts";
import { type CallState, type Ending, emit, set, startTimer, stopTimer, type Working } from "./call-state.ts";
import type { DialogEffect, DialogEvent, TimerName } from "./dialog.ts";
import { isBackchannel, isGoodbye } from "./goodbye.ts";
import { heardOf } from "./heard.ts";
import { dropAnswer, finish, leave, listen, partingOf, phrasesOf, sayPhrase, speechMs } from "./leaving.ts";

/** What a call becomes by an event, and what is to be done about it. */
export interface Step {
  state: CallState;
  effects: readonly DialogEffect[];
}

/**
 * How a call goes on. Pure: it knows no clock, no socket and no model, so a call can be replayed from its events.
 *
 * An answer is alive from `ask` until `cancel`, or until its end or failure comes in; there is never more than one.
 * After `end`, or once the caller has hung up, there are no effects any more.
 */
export function step(state: CallState, event: DialogEvent): Step {
  const call: Working = { state, effects: [] };
  if (state.phase === "talking") talk(call, event);
  else if (state.phase === "leaving") depart(call, event);
  return call;
}

function talk(call: Working, event: DialogEvent): void {
  switch (event.type) {
    case "started":
      begin(call);
      break;
    case "prompt":
      hear(call, event.text.trim(), event.isLast, event.language);
      break;
    case "interrupt":
      interrupt(call, event.heard);
      break;
    case "key":
      pressKey(call, event.digit);
      break;
    case "timer":
      expire(call, event.timer);
      break;
    case "carrier-error":
      emit(call, { type: "log", entry: { kind: "carrier-error", description: event.description } });
      break;
    case "stopping":
      leave(call, "server_stopped", phrasesOf(call).stopping);
      break;
    case "hung-up":
      finish(call, { reason: event.isClean ? "caller_hung_up" : "connection_lost", handoff: null });
      break;
    default:
      follow(call, event);
  }
}

/** What comes from the model at work; all else is of an answer that nobody waits for. */
function follow(call: Working, event: Extract<DialogEvent, { turn: number }>): void {
  const { answer } = call.state;
  if (answer === null || !answer.isAlive || answer.turn !== event.turn) return;
  switch (event.type) {
    case "token":
      addToken(call, answer, event.text);
      break;
    case "tool-started":
      toolStarted(call, answer, event);
      break;
    case "tool-ended":
      toolEnded(call, answer, event);
      break;
    case "answered":
      answerEnded(call, answer, event.isPaused);
      break;
    case "failed":
      answerFailed(call, answer);
      break;
  }
}

/** The last sentence is being spoken: only what ends the call matters, and a caller who comes back. */
function depart(call: Working, event: DialogEvent): void {
  const { ending } = call.state;
  if (ending === null) return;
  if (event.type === "timer") {
    if (!isDue(call, event.timer)) return;
    if (event.timer === "farewell" || event.timer === "longest") finish(call, ending, "end");
  } else if (event.type === "hung-up") finish(call, goneBefore(ending, event.isClean));
  else if (ending.reason === "caller_silent" && isWord(event)) {
    stopTimer(call, "farewell");
    set(call, { phase: "talking", ending: null });
    talk(call, event);
  } else if (event.type === "interrupt") {
    // The carrier has fallen silent: what is left of the sentence is never spoken.
    if (ending.reason !== "caller_silent") finish(call, ending, "end");
  } else if (event.type === "prompt" && event.isLast && event.text.trim() !== "")
    emit(call, { type: "log", entry: { kind: "caller", text: event.text.trim() } });
}

/** Whoever hangs up before they are put through is not put through. */
function goneBefore(ending: Ending, isClean: boolean): Ending {
  if (ending.reason !== "transferred") return ending;
  return { ...ending, reason: isClean ? "caller_hung_up" : "connection_lost" };
}

/** A carrier's empty prompt says nothing: whoever went on for it would wait for ever. */
function isWord(event: DialogEvent): boolean {
  return event.type === "key" || (event.type === "prompt" && event.text.trim() !== "");
}

function begin(call: Working): void {
  const { greeting, waits } = call.state.settings;
  startTimer(call, "longest", waits.longestMs);
  set(call, { phrase: greeting });
  if (greeting !== "") emit(call, { type: "log", entry: { kind: "agent", turn: null, text: greeting } });
  listen(call, waits.silenceMs + speechMs(call, greeting));
}

function hear(call: Working, text: string, isLast: boolean, language: string | null): void {
  const { state } = call;
  const isAnswering = state.answer?.isAlive === true;
  if (!isLast || text === "") {
    // Somebody speaks: it is not silent.
    if (!isAnswering && text !== "") listen(call, state.settings.waits.silenceMs);
    return;
  }
  emit(call, { type: "log", entry: { kind: "caller", text } });
  // Somebody is being fetched already; whatever is said meanwhile is in the log.
  if (state.handoff !== null) return;
  if (isAnswering && isBackchannel(text)) return;
  set(call, { isReminded: false, isInterrupted: false });
  changeLanguage(call, language);
  if (state.turns > 0 && isGoodbye(text)) leave(call, "goodbye", phrasesOf(call).goodbye);
  else ask(call, text);
}

/** Only to one that the carrier was told of. */
function changeLanguage(call: Working, language: string | null): void {
  const { settings } = call.state;
  if (language === null || language === call.state.language || !settings.languages.includes(language)) return;
  set(call, { language });
  emit(call, { type: "language", language });
}

/**
 * The caller speaks over us. What was not heard was not said; a transfer that was promised takes place all the same, and
 * noise that no words follow does not leave the line silent for ever.
 */
function interrupt(call: Working, spoken: string): void {
  const { answer, handoff, phrase, settings } = call.state;
  if (answer === null) {
    if (phrase === "") return;
    const heard = heardOf(phrase, spoken);
    emit(call, { type: "log", entry: { kind: "interrupted", turn: null, heard } });
  } else {
    const heard = heardOf(answer.said, spoken);
    dropAnswer(call, answer, heard);
    emit(call, { type: "log", entry: { kind: "interrupted", turn: answer.turn, heard } });
  }
  set(call, { phrase: "", isInterrupted: true });
  if (handoff === null) listen(call, settings.waits.resumeMs);
  else if (settings.canTransfer) finish(call, { reason: "transferred", handoff }, "end");
  else leave(call, "transferred", partingOf(call, true));
}

/** Keys come one by one; `#` or a pause ends what they say. */
function pressKey(call: Working, digit: string): void {
  const { digits, handoff, settings } = call.state;
  if (handoff !== null) return;
  set(call, { isReminded: false, isInterrupted: false });
  stopTimer(call, "silence");
  if (digit === "#" && digits !== "") submitKeys(call);
  else {
    set(call, { digits: digits + digit });
    startTimer(call, "keys", settings.waits.keysMs);
  }
}

function submitKeys(call: Working): void {
  const { digits } = call.state;
  stopTimer(call, "keys");
  set(call, { digits: "" });
  emit(call, { type: "log", entry: { kind: "keys", digits } });
  ask(call, digits);
}

function expire(call: Working, timer: TimerName): void {
  if (!isDue(call, timer)) return;
  if (timer === "silence") remind(call);
  else if (timer === "keys") submitKeys(call);
  else if (timer === "slow") beSlow(call);
  else if (timer === "longest") leave(call, "max_duration", phrasesOf(call).tooLong);
}

/** `false`: it was stopped while its event was on its way. */
function isDue(call: Working, timer: TimerName): boolean {
  const { timers } = call.state;
  set(call, { timers: timers.filter((one) => one !== timer) });
  return timers.includes(timer);
}

function remind(call: Working): void {
  const { isReminded, isInterrupted, settings } = call.state;
  const { resumeMs, silenceMs } = settings.waits;
  emit(call, { type: "log", entry: { kind: "silence", ms: isInterrupted ? resumeMs : silenceMs } });
  if (isReminded) {
    leave(call, "caller_silent", phrasesOf(call).goodbyeSilence);
    return;
  }
  const phrases = phrasesOf(call);
  const phrase = isInterrupted ? phrases.goOn : phrases.stillThere;
  set(call, { isReminded: !isInterrupted, isInterrupted: false, answer: null });
  sayPhrase(call, phrase);
  listen(call, silenceMs + speechMs(call, phrase));
}

/** Once, the caller is asked for patience; after that, nobody waits any longer. */
function beSlow(call: Working): void {
  const { answer, settings } = call.state;
  if (answer === null) return;
  if (answer.isExcused) {
    emit(call, { type: "cancel", turn: answer.turn });
    answerFailed(call, answer);
    return;
  }
  const { oneMoment } = phrasesOf(call);
  emit(call, { type: "say", turn: null, text: `${oneMoment} `, isLast: false });
  emit(call, { type: "log", entry: { kind: "agent", turn: answer.turn, text: `${oneMoment} ` } });
  set(call, { answer: { ...answer, said: `${answer.said}${oneMoment} `, isExcused: true } });
  startTimer(call, "slow", settings.waits.giveUpMs);
}
