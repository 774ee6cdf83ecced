import fc from "fast-check";
import { expect, test } from "vitest";
import { newCall, USUAL_WAITS } from "./call-state.ts";
import { takeClauses } from "./clauses.ts";
import type { DialogEffect, DialogEvent, TimerName } from "./dialog.ts";
import { speakable } from "./speakable.ts";
import { step } from "./step.ts";

/** 0 stands for the question that was asked last: most of what a model says is in time. */
const turnArb = fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 6 }));
const toolArb = fc.constantFrom("find_order", "find_order", "find_order", "request_handoff");
const textArb = fc.constantFrom(
  "When do you open?",
  "Goodbye",
  "mhm",
  "",
  "Ein **Satz**. ",
  "a, b [1] ",
  "9. ",
);
const commonArb: fc.Arbitrary<DialogEvent> = fc.oneof(
  fc.record({
    type: fc.constant("prompt" as const),
    text: textArb,
    isLast: fc.boolean(),
    language: fc.constantFrom(null, "en-US", "de-DE", "xx"),
  }),
  fc.record({
    type: fc.constant("interrupt" as const),
    heard: fc.constantFrom("", "Ein", "Ein Satz", "xyz"),
  }),
  fc.record({ type: fc.constant("key" as const), digit: fc.constantFrom("1", "#", "*") }),
  fc.record({ type: fc.constant("token" as const), turn: turnArb, text: fc.oneof(textArb, fc.string()) }),
  fc.record({ type: fc.constant("token" as const), turn: turnArb, text: textArb }),
  fc.record({
    type: fc.constant("tool-started" as const),
    turn: turnArb,
    callId: fc.constant("c"),
    tool: toolArb,
  }),
  fc.record({
    type: fc.constant("tool-ended" as const),
    turn: turnArb,
    callId: fc.constant("c"),
    tool: toolArb,
    isOk: fc.boolean(),
    ms: fc.nat(),
  }),
  fc.record({ type: fc.constant("answered" as const), turn: turnArb, isPaused: fc.boolean() }),
  fc.record({ type: fc.constant("failed" as const), turn: turnArb }),
  fc.record({
    type: fc.constant("timer" as const),
    timer: fc.constantFrom<TimerName>("silence", "keys", "slow", "farewell"),
  }),
  fc.record({ type: fc.constant("carrier-error" as const), description: fc.string() }),
);
/** Seldom, or no call would live long enough for anything to happen in it. */
const endingArb = fc.constantFrom<DialogEvent>(
  { type: "timer", timer: "longest" },
  { type: "stopping" },
  { type: "hung-up", isClean: true },
  { type: "hung-up", isClean: false },
);
const eventArb = fc.oneof({ weight: 40, arbitrary: commonArb }, { weight: 1, arbitrary: endingArb });
const callArb = fc.array(eventArb, { minLength: 10, maxLength: 80, size: "max" });

/** What was done after each event, and with it the events that came to be effective. */
function replay(events: readonly DialogEvent[]): { event: DialogEvent; effects: readonly DialogEffect[] }[] {
  let state = newCall({
    greeting: "Hello!",
    language: "en-US",
    languages: ["en-US", "de-DE"],
    canTransfer: events.length % 2 === 0,
    waits: USUAL_WAITS,
  });
  return [{ type: "started" } as const, ...events].map((given) => {
    const event = "turn" in given && given.turn === 0 ? { ...given, turn: state.turns } : given;
    const next = step(state, event);
    state = next.state;
    return { event, effects: next.effects };
  });
}

test("nothing happens after the end of a call", () => {
  fc.assert(
    fc.property(callArb, (events) => {
      const steps = replay([...events, { type: "hung-up", isClean: true }, ...events]);
      const over = steps.findIndex(({ effects }) =>
        effects.some((effect) => effect.type === "log" && effect.entry.kind === "ended"),
      );
      const { effects = [] } = steps[over] ?? {};
      const rest = steps.slice(over + 1).flatMap((one) => one.effects);
      expect(over).toBeGreaterThan(0);
      expect(rest).toEqual([]);
      const end = effects.findIndex(({ type }) => type === "end");
      expect([-1, effects.length - 1]).toContain(end);
    }),
  );
});

test("every question is cancelled or answered once, and never two are open", () => {
  fc.assert(
    fc.property(callArb, (events) => {
      const open = new Set<number>();
      for (const { event, effects } of replay([...events, { type: "hung-up", isClean: true }])) {
        for (const effect of effects) {
          if (effect.type === "cancel") expect(open.delete(effect.turn)).toBe(true);
          if (effect.type === "ask") {
            expect(open.size).toBe(0);
            open.add(effect.turn);
          }
        }
        if ((event.type === "answered" || event.type === "failed") && effects.length > 0)
          expect(open.delete(event.turn)).toBe(true);
      }
      expect(open.size).toBe(0);
    }),
  );
});

test("what is said of an answer is a beginning of it, and all of it when it is over", () => {
  fc.assert(
    fc.property(callArb, (events) => {
      const written = new Map<number, string>();
      const spoken = new Map<number, string>();
      let alive = 0;
      for (const { event, effects } of replay(events)) {
        if (event.type === "token" && event.turn === alive)
          written.set(alive, (written.get(alive) ?? "") + event.text);
        // What stands before a tool is spoken as it is: the next word begins a clause.
        if (event.type === "tool-started" && event.turn === alive) written.delete(alive);
        for (const effect of effects) {
          if (effect.type === "say" && effect.turn !== null) {
            expect(effect.turn).toBe(alive);
            if (event.type === "tool-started") spoken.delete(alive);
            else spoken.set(alive, (spoken.get(alive) ?? "") + effect.text);
          }
          if (effect.type === "ask") alive = effect.turn;
          if (effect.type === "cancel") alive = 0;
        }
        if (event.type === "tool-started" && event.turn === alive) spoken.delete(alive);
        for (const [turn, text] of spoken)
          expect(wordsOf(allSpoken(written.get(turn) ?? "")).startsWith(wordsOf(text))).toBe(true);
        if (event.type === "answered" && event.turn === alive && !event.isPaused && effects.length > 0)
          expect(wordsOf(spoken.get(alive) ?? "")).toBe(wordsOf(allSpoken(written.get(alive) ?? "")));
        if ((event.type === "answered" || event.type === "failed") && event.turn === alive) alive = 0;
      }
    }),
    { numRuns: 400 },
  );
});

test("a timer that fires or is stopped was started, and none is left at the end", () => {
  fc.assert(
    fc.property(callArb, (events) => {
      const running = new Set<TimerName>();
      for (const { event, effects } of replay([...events, { type: "hung-up", isClean: true }])) {
        if (event.type === "timer" && effects.length > 0) running.delete(event.timer);
        for (const effect of effects) {
          if (effect.type === "start-timer") {
            expect(effect.ms).toBeGreaterThan(0);
            running.add(effect.timer);
          }
          if (effect.type === "stop-timer") expect(running.delete(effect.timer)).toBe(true);
        }
      }
      expect([...running]).toEqual([]);
    }),
  );
});

test("a call always waits for something: no line is left silent for ever", () => {
  fc.assert(
    fc.property(callArb, (events) => {
      let state = newCall({
        greeting: "Hello!",
        language: "en-US",
        languages: [],
        canTransfer: events.length % 2 === 0,
        waits: USUAL_WAITS,
      });
      for (const event of [{ type: "started" } as const, ...events]) {
        const timely = "turn" in event && event.turn === 0 ? { ...event, turn: state.turns } : event;
        ({ state } = step(state, timely));
        if (state.phase === "talking") {
          const isAnswering = state.answer?.isAlive === true;
          const waits = state.timers.some((timer) => timer !== "longest");
          expect(isAnswering || waits).toBe(true);
        } else if (state.phase === "leaving") expect(state.timers).toContain("farewell");
      }
    }),
  );
});

function allSpoken(text: string): string {
  const { clauses, rest } = takeClauses(text, true);
  let isInLine = false;
  return [...clauses, rest]
    .map((clause) => {
      const words = speakable(clause, isInLine);
      isInLine = !clause.endsWith("\n");
      return words;
    })
    .join(" ");
}

/** Spaces and the points behind headings depend on where it was cut. */
function wordsOf(text: string): string {
  return text.match(/[\p{L}\p{N}]/gu)?.join("") ?? "";
}
