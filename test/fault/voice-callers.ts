import { setTimeout as sleep } from "node:timers/promises";
import { ask, type Caller, type CarrierSide, placeCall } from "../simulators/carrier/relay-caller.ts";

/** What a person says over the phone; `heard` is all that came back to it, in the order in which it came. */
export interface Asked {
  text: string;
  at: number;
  heard: { text: string; at: number }[];
  isInterrupted: boolean;
}

/** A person's call, as the carrier and the person know it. Times are milliseconds since 1970. */
export interface PersonCall {
  callSid: string;
  from: string;
  to: string;
  begunAt: number;
  /** The server said what is to be done with it: it knows of it. */
  isAnnounced: boolean;
  /** When the person hung up, or the server died. */
  endedAt: number | null;
  asked: Asked[];
}

/** What people do on the phone, each of which stands for a place where a process may die. */
export const HABITS = [
  "talks",
  "interrupts",
  "hangs up",
  "rings only",
  "presses keys",
  "breaks off",
  "hangs up on an answer",
  "calls late",
  "listens for long",
] as const;
export type Habit = (typeof HABITS)[number];

export interface Round {
  side: CarrierSide;
  /** How long people talk; then the process is killed. */
  talkMs: number;
  isOver(): boolean;
}

/** In a question whose answer takes longer than anybody has. */
export const AT_LENGTH = "at length";
const ANSWER_MS = 10_000;

/** Holds a call in its way until it is over, or the server gone. Never rejects. */
export async function holdCall(call: PersonCall, habit: Habit, round: Round): Promise<void> {
  const { side, talkMs } = round;
  await sleep(habit === "calls late" ? talkMs * Math.random() : Math.random() * Math.min(800, talkMs / 2));
  call.begunAt = Date.now();
  try {
    if (habit === "rings only") {
      await ask(side, "/voice/twilio/incoming", formOf(call, "ringing"));
      call.isAnnounced = true;
      return;
    }
    const caller = await placeCall(side, call);
    call.isAnnounced = true;
    for (let turn = 0; !round.isOver(); turn += 1) {
      if (await talk(call, caller, habit, turn, round)) {
        call.endedAt = Date.now();
        return;
      }
      await sleep(50 + Math.random() * 150);
    }
  } catch {
    // A server that is killed answers nothing: that is what this is about.
  }
}

/** @returns whether the person has hung up */
async function talk(
  call: PersonCall,
  caller: Caller,
  habit: Habit,
  turn: number,
  round: Round,
): Promise<boolean> {
  const asked: Asked = { text: textOf(call, habit, turn), at: Date.now(), heard: [], isInterrupted: false };
  const from = caller.commands.length;
  call.asked.push(asked);
  if (habit === "presses keys") caller.press(`${asked.text}#`);
  else caller.say(asked.text);
  const isCut = habit === "interrupts" && turn % 2 === 1;
  const until = Date.now() + ANSWER_MS;
  while (!round.isOver() && Date.now() < until) {
    const heard = listen(asked, caller, from);
    if (heard.isComplete) break;
    if (heard.pieces >= 2 && habit === "hangs up on an answer" && turn === 1) {
      await caller.hangUp();
      return true;
    }
    if (heard.pieces >= 2 && isCut) {
      asked.isInterrupted = true;
      caller.interrupt(asked.heard[0]?.text.trim() ?? "");
      break;
    }
    await sleep(5);
  }
  listen(asked, caller, from);
  if (habit === "hangs up") await caller.hangUp();
  if (habit === "breaks off" && turn === 1) caller.cut();
  return habit === "hangs up" || (habit === "breaks off" && turn === 1);
}

/** What came since the question; after an interruption nothing more of it is listened to. */
function listen(asked: Asked, caller: Caller, from: number): { pieces: number; isComplete: boolean } {
  const commands = caller.commands.slice(from);
  asked.heard = commands.flatMap((command, index) =>
    command.type === "text"
      ? [{ text: command.token, at: performance.timeOrigin + (caller.arrivals[from + index] ?? 0) }]
      : [],
  );
  const isComplete = commands.some((command) => command.type === "text" && command.last);
  return { pieces: asked.heard.length, isComplete };
}

/** Its words are found nowhere else; keys have no words. */
function textOf({ callSid }: PersonCall, habit: Habit, turn: number): string {
  if (habit === "presses keys") return String(1_000 + turn);
  return `Question ${callSid.slice(-8)} number ${turn}${habit === "listens for long" ? ` ${AT_LENGTH}` : ""}?`;
}

export function formOf({ callSid, from, to }: PersonCall, status: string): Record<string, string> {
  return { CallSid: callSid, From: from, To: to, CallStatus: status };
}

/** What the carrier reports of a call, some of it twice, some of it never, in any order. */
export function reportsOf(
  call: PersonCall,
  times: () => number,
): { path: string; form: Record<string, string> }[] {
  const reports = [
    ...["ringing", "in-progress", "completed"].map((status) => ({
      path: "/voice/twilio/status",
      form: formOf(call, status),
    })),
    {
      path: "/voice/twilio/action?attempt=0",
      form: { ...formOf(call, "completed"), SessionStatus: "ended", SessionId: "VX1" },
    },
    // Of a call that the server knows: asked again, as when its answer was lost.
    ...(call.isAnnounced ? [{ path: "/voice/twilio/incoming", form: formOf(call, "ringing") }] : []),
  ];
  return shuffled(reports.flatMap((report) => Array.from({ length: times() }, () => report)));
}

export function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, key: Math.random() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
