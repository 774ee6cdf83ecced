import { addEntry, type Entry, part } from "./page.ts";

/** As fast as a voice reads it out, so that it can be interrupted; the server allows for more. */
const MS_PER_CHAR = 55;

interface Utterance {
  turn: number | null;
  entry: Entry;
  said: string;
  pending: string;
  isComplete: boolean;
}

let utterances: Utterance[] = [];
let interruptedTurns = new Set<number>();
const entriesOfTurns = new Map<number, Entry>();
let ticking: number | undefined;

export function resetSpeech(): void {
  clearTimeout(ticking);
  ticking = undefined;
  utterances = [];
  interruptedTurns = new Set();
  entriesOfTurns.clear();
  settle();
}

/** What the assistant says is spoken behind what it has said before. */
export function speak(text: string, turn: number | null, isLast: boolean): void {
  // On its way while its answer was interrupted.
  if (turn !== null && interruptedTurns.has(turn)) return;
  let current = utterances.at(-1);
  if (current === undefined || current.turn !== turn || current.isComplete) {
    if (text === "") return;
    current = { turn, entry: addEntry("assistant", ""), said: "", pending: "", isComplete: false };
    utterances.push(current);
    if (turn !== null) entriesOfTurns.set(turn, current.entry);
  }
  current.pending += text;
  current.isComplete = isLast;
  if (ticking === undefined) tick();
}

/** All that is left, at once: whoever would interrupt it is gone. */
export function finishSpeech(): void {
  clearTimeout(ticking);
  ticking = undefined;
  for (const one of utterances) {
    one.said += one.pending;
    one.entry.write(one.said.trim());
  }
  utterances = [];
  settle();
}

/** Falls silent. @returns what was heard of what was being said; null: nothing was */
export function interruptSpeech(): string | null {
  const [current] = utterances;
  if (current === undefined) return null;
  clearTimeout(ticking);
  ticking = undefined;
  for (const { turn } of utterances) if (turn !== null) interruptedTurns.add(turn);
  current.entry.remark("interrupted");
  utterances = [];
  settle();
  return current.said.trim();
}

/** What an answer took, beside its words. */
export function remarkOn(turn: number, text: string): void {
  entriesOfTurns.get(turn)?.remark(text);
}

function tick(): void {
  ticking = undefined;
  const [current] = utterances;
  if (current === undefined) {
    settle();
    return;
  }
  const word = /^\s*\S+\s*/.exec(current.pending)?.[0] ?? current.pending;
  current.said += word;
  current.pending = current.pending.slice(word.length);
  current.entry.write(current.said.trim());
  part("transcript").setAttribute("aria-busy", "true");
  if (current.pending === "" && (current.isComplete || utterances.length > 1)) utterances.shift();
  const isInstant = part<HTMLInputElement>("instant").checked;
  // The rest of it has not been written yet; whoever adds to it goes on.
  if (current.pending === "" && utterances[0] === current) return;
  ticking = window.setTimeout(tick, isInstant ? 0 : word.length * MS_PER_CHAR);
}

/** What stands there now is read out by whatever reads pages out. */
function settle(): void {
  part("transcript").setAttribute("aria-busy", "false");
}
