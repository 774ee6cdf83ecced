import { describe, expect, test } from "vitest";
import { type CallSettings, type CallState, newCall, USUAL_WAITS } from "./call-state.ts";
import type { DialogEffect, DialogEvent } from "./dialog.ts";
import { SPOKEN } from "./spoken-phrases.ts";
import { step } from "./step.ts";

const settings: CallSettings = {
  greeting: "Hello, how can I help you?",
  language: "en-US",
  languages: ["en-US", "de-DE"],
  canTransfer: true,
  waits: USUAL_WAITS,
};
const { en, de } = SPOKEN;

/** A call that is fed events and remembers what was to be done. */
function talk(more: Partial<CallSettings> = {}) {
  let state: CallState = newCall({ ...settings, ...more });
  const all: DialogEffect[] = [];
  const feed = (...events: DialogEvent[]): readonly DialogEffect[] => {
    const from = all.length;
    for (const event of events) {
      const next = step(state, event);
      state = next.state;
      all.push(...next.effects);
    }
    return all.slice(from);
  };
  feed({ type: "started" });
  return { feed, all, state: () => state };
}

const prompt = (text: string, more: object = {}): DialogEvent => ({
  type: "prompt",
  text,
  isLast: true,
  language: null,
  ...more,
});
const token = (turn: number, text: string): DialogEvent => ({ type: "token", turn, text });
const answered = (turn: number): DialogEvent => ({ type: "answered", turn, isPaused: false });
const timer = (name: "silence" | "keys" | "slow" | "longest" | "farewell"): DialogEvent => ({
  type: "timer",
  timer: name,
});
const toolStarted = (turn: number, tool = "find_order"): DialogEvent => ({
  type: "tool-started",
  turn,
  callId: "c1",
  tool,
});
const toolEnded = (turn: number, tool = "find_order", isOk = true): DialogEvent => ({
  type: "tool-ended",
  turn,
  callId: "c1",
  tool,
  isOk,
  ms: 10,
});
const said = (effects: readonly DialogEffect[]) =>
  effects.flatMap((effect) => (effect.type === "say" ? [effect.text] : [])).join("");
const kinds = (effects: readonly DialogEffect[]) => effects.map(({ type }) => type);
const logged = (effects: readonly DialogEffect[]) =>
  effects.flatMap((effect) => (effect.type === "log" ? [effect.entry] : []));
const ended = (effects: readonly DialogEffect[]) => effects.find(({ type }) => type === "end");

describe("an answer", () => {
  test("is asked for when the caller has finished, and spoken clause by clause", () => {
    const { feed } = talk();
    expect(kinds(feed(prompt("When do", { isLast: false })))).toEqual(["start-timer"]);
    expect(feed(prompt("When do you open?"))).toContainEqual({
      type: "ask",
      turn: 1,
      text: "When do you open?",
    });
    expect(said(feed(token(1, "We open "), token(1, "at **nine** [1]")))).toBe("");
    const begin = feed(token(1, ". Anything"));
    expect(said(begin)).toBe("We open at nine. ");
    // At once: of a process that dies, the log has all that it had said.
    expect(logged(begin)).toEqual([{ kind: "agent", turn: 1, text: "We open at nine. " }]);
    const end = feed(token(1, " else?"), answered(1));
    expect(end).toContainEqual({ type: "say", turn: 1, text: "Anything else? ", isLast: true });
    expect(logged(end)).toEqual([{ kind: "agent", turn: 1, text: "Anything else? " }]);
    expect(end.at(-1)).toMatchObject({ type: "start-timer", timer: "silence" });
  });

  test("to an earlier question is dropped", () => {
    const { feed } = talk();
    feed(prompt("First?"), prompt("No, second?"));
    expect(feed(token(1, "Too late. "), answered(1), { type: "failed", turn: 1 })).toEqual([]);
    expect(said(feed(token(2, "In time. ")))).toBe("In time. ");
  });

  test("gives way to the next question before a second one is asked", () => {
    const { feed } = talk();
    feed(prompt("First?"));
    const order = feed(prompt("No, second?")).filter(({ type }) => type === "ask" || type === "cancel");
    expect(order).toEqual([
      { type: "cancel", turn: 1 },
      { type: "ask", turn: 2, text: "No, second?" },
    ]);
  });

  test("without words is a sentence that says so", () => {
    const { feed } = talk();
    expect(said(feed(prompt("What?"), answered(1)))).toBe(en.noAnswer);
  });

  test("goes on while the caller only says that he listens", () => {
    const { feed } = talk();
    feed(prompt("Tell me."), token(1, "It is a long story. "));
    expect(kinds(feed(prompt("Mhm.")))).toEqual(["log"]);
    expect(said(feed(token(1, "It goes on. "), answered(1)))).toContain("It goes on.");
  });

  test("is in the language that the caller changes to, where the carrier was told of it", () => {
    const { feed } = talk();
    expect(feed(prompt("Guten Tag?", { language: "de-DE" }))).toContainEqual({
      type: "language",
      language: "de-DE",
    });
    expect(kinds(feed(prompt("Buongiorno?", { language: "it-IT" })))).not.toContain("language");
    expect(said(feed({ type: "failed", turn: 2 }))).toBe(de.apology);
  });
});

describe("an interruption", () => {
  test("cancels the model, and the history keeps what was heard", () => {
    const { feed } = talk();
    feed(prompt("Hours?"), token(1, "We are open from nine to six. On Sundays we are closed. "));
    const effects = feed({ type: "interrupt", heard: "We are open from nine" });
    expect(kinds(effects).slice(0, 2)).toEqual(["cancel", "truncate"]);
    expect(effects).toContainEqual({ type: "truncate", turn: 1, heard: "We are open from nine" });
    expect(logged(effects)).toContainEqual({ kind: "interrupted", turn: 1, heard: "We are open from nine" });
    expect(feed(token(1, "Still here. "), answered(1))).toEqual([]);
  });

  test("of an answer that is already written truncates it all the same", () => {
    const { feed } = talk();
    feed(prompt("Hours?"), token(1, "We are open from nine to six. "), answered(1));
    const effects = feed({ type: "interrupt", heard: "We are" });
    expect(kinds(effects)).not.toContain("cancel");
    expect(effects).toContainEqual({ type: "truncate", turn: 1, heard: "We are" });
  });

  test("after the last word changes nothing that is stored", () => {
    const { feed } = talk();
    feed(prompt("Hours?"), token(1, "From nine to six. "), answered(1));
    expect(kinds(feed({ type: "interrupt", heard: "From nine to six." }))).not.toContain("truncate");
  });

  test("before anything was said, a cough, does nothing", () => {
    const { feed } = talk({ greeting: "" });
    expect(feed({ type: "interrupt", heard: "" })).toEqual([]);
  });

  test("that no words follow does not leave the line silent", () => {
    const { feed, all } = talk();
    feed(prompt("Hours?"), token(1, "We are open from nine to six. "));
    feed({ type: "interrupt", heard: "We" });
    expect(all.at(-1)).toEqual({ type: "start-timer", timer: "silence", ms: USUAL_WAITS.resumeMs });
    expect(said(feed(timer("silence")))).toBe(en.goOn);
    expect(said(feed(timer("silence")))).toBe(en.stillThere);
    expect(said(feed(timer("silence")))).toBe(en.goodbyeSilence);
  });

  test("of a transfer does not stop it", () => {
    const { feed } = talk();
    feed(prompt("A human, please."), toolStarted(1, "request_handoff"), toolEnded(1, "request_handoff"));
    feed(token(1, "I will get a colleague for you. "));
    const effects = feed({ type: "interrupt", heard: "I will" });
    expect(kinds(effects)).toContain("cancel");
    expect(ended(effects)).toEqual({ type: "end", reason: "transferred", handoff: "human" });
  });

  test("of a promise that somebody gets back says it again, since nobody is dialled", () => {
    const { feed } = talk({ canTransfer: false });
    feed(prompt("A human, please."), toolStarted(1, "request_handoff"), toolEnded(1, "request_handoff"));
    feed(token(1, "I will get a colleague for you. "));
    const effects = feed({ type: "interrupt", heard: "I will" });
    expect(said(effects)).toBe(en.callBack);
    expect(ended(effects)).toBeUndefined();
    expect(ended(feed(timer("farewell")))).toMatchObject({ reason: "transferred", handoff: "human" });
  });

  test("by words alone does not stop a transfer either", () => {
    const { feed } = talk();
    feed(prompt("A human, please."), toolStarted(1, "request_handoff"), toolEnded(1, "request_handoff"));
    expect(kinds(feed(prompt("Are you doing it?"), prompt("Goodbye")))).toEqual(["log", "log"]);
    feed(token(1, "I will get a colleague. "), answered(1));
    expect(ended(feed(timer("farewell")))).toMatchObject({ reason: "transferred", handoff: "human" });
  });
});

describe("tools", () => {
  test("that are slow are excused once", () => {
    const { feed } = talk();
    feed(prompt("Where is my order?"), toolStarted(1));
    expect(said(feed(timer("slow")))).toBe(`${en.oneMoment} `);
    feed(toolEnded(1), toolStarted(1));
    expect(said(feed(toolEnded(1), token(1, "It is on its way. "), answered(1)))).toBe("It is on its way. ");
  });

  test("that never end are given up", () => {
    const { feed } = talk();
    feed(prompt("Where is my order?"), toolStarted(1), timer("slow"));
    const effects = feed(timer("slow"));
    expect(kinds(effects)).toContain("cancel");
    expect(said(effects)).toBe(en.apology);
  });

  test("that failed do not hand off", () => {
    const { feed } = talk();
    feed(
      prompt("A human!"),
      toolStarted(1, "request_handoff"),
      toolEnded(1, "request_handoff", false),
      answered(1),
    );
    expect(kinds(feed(prompt("Hello?")))).toContain("ask");
  });

  test("let what was said before them be spoken at once", () => {
    const { feed } = talk();
    expect(said(feed(prompt("Order?"), token(1, "Let me look"), toolStarted(1)))).toBe("Let me look ");
  });
});

describe("a model that fails", () => {
  test("is excused, and the second time in a row a human goes on", () => {
    const { feed } = talk();
    expect(said(feed(prompt("One?"), { type: "failed", turn: 1 }))).toBe(en.apology);
    const second = feed(prompt("One, again?"), { type: "failed", turn: 2 });
    expect(said(second)).toBe(en.colleague);
    expect(ended(second)).toBeUndefined();
    expect(ended(feed(timer("farewell")))).toEqual({
      type: "end",
      reason: "model_failed",
      handoff: "failure",
    });
  });

  test("says that somebody gets back where nobody can be dialled", () => {
    const { feed } = talk({ canTransfer: false });
    feed(prompt("One?"), { type: "failed", turn: 1 });
    expect(said(feed(prompt("One, again?"), { type: "failed", turn: 2 }))).toBe(en.cannotHelp);
  });

  test("and then answers again is forgiven", () => {
    const { feed } = talk();
    feed(prompt("One?"), { type: "failed", turn: 1 }, prompt("Two?"), token(2, "Yes. "), answered(2));
    expect(said(feed(prompt("Three?"), { type: "failed", turn: 3 }))).toBe(en.apology);
  });

  test("in the middle of an answer leaves what was spoken, and no half sentence", () => {
    const { feed } = talk();
    feed(prompt("One?"), token(1, "The first part. And the sec"));
    const effects = feed({ type: "failed", turn: 1 });
    expect(said(effects)).toBe(en.apology);
    expect(effects).toContainEqual({ type: "truncate", turn: 1, heard: "The first part." });
  });

  test("takes so long that the caller is asked for patience, once", () => {
    const { feed } = talk();
    feed(prompt("One?"));
    expect(said(feed(timer("slow")))).toBe(`${en.oneMoment} `);
    expect(said(feed(token(1, "Here it is. "), answered(1)))).toBe("Here it is. ");
  });
});

describe("a call", () => {
  test("in which nobody speaks is asked about, and then ended", () => {
    const { feed } = talk();
    expect(said(feed(timer("silence")))).toBe(en.stillThere);
    expect(said(feed(timer("silence")))).toBe(en.goodbyeSilence);
    expect(ended(feed(timer("farewell")))).toMatchObject({ reason: "caller_silent", handoff: null });
  });

  test("goes on when the caller comes back during the goodbye", () => {
    const { feed } = talk();
    feed(timer("silence"), timer("silence"));
    expect(kinds(feed(prompt("I am here, when do you open?")))).toContain("ask");
    expect(feed(timer("farewell"))).toEqual([]);
  });

  test("does not go on for a prompt without words during the goodbye, after which nobody would speak", () => {
    const { feed } = talk();
    feed(timer("silence"), timer("silence"));
    expect(feed(prompt("", { isLast: false }))).toEqual([]);
    expect(ended(feed(timer("farewell")))).toMatchObject({ reason: "caller_silent" });
  });

  test("ends with a sentence when it is too long, and whatever is under way ends with it", () => {
    const { feed } = talk();
    feed(prompt("One?"), token(1, "A long "));
    const effects = feed(timer("longest"));
    expect(kinds(effects)).toContain("cancel");
    expect(said(effects)).toBe(en.tooLong);
    expect(ended(feed(timer("farewell")))).toMatchObject({ reason: "max_duration" });
  });

  test("ends when the caller says goodbye, but not with the first word", () => {
    const { feed } = talk();
    expect(kinds(feed(prompt("Ciao")))).toContain("ask");
    feed(token(1, "Hello! "), answered(1));
    expect(said(feed(prompt("Thank you, bye!")))).toBe(en.goodbye);
    expect(ended(feed(timer("farewell")))).toMatchObject({ reason: "goodbye" });
  });

  test("collects keys until a pause or a hash", () => {
    const { feed } = talk();
    const keys = (text: string): DialogEvent[] => [...text].map((digit) => ({ type: "key", digit }));
    expect(feed(...keys("12"), timer("keys"))).toContainEqual({ type: "ask", turn: 1, text: "12" });
    expect(feed(...keys("345#"))).toContainEqual({ type: "ask", turn: 2, text: "345" });
    expect(logged(feed(...keys("9#")))).toContainEqual({ kind: "keys", digits: "9" });
  });

  test("goes on after an error of the carrier, which is logged", () => {
    const { feed } = talk();
    expect(feed({ type: "carrier-error", description: "64107" })).toEqual([
      { type: "log", entry: { kind: "carrier-error", description: "64107" } },
    ]);
    expect(kinds(feed(prompt("Hello?")))).toContain("ask");
  });

  test("ends with a sentence when the server stops", () => {
    const { feed } = talk();
    expect(said(feed({ type: "stopping" }))).toBe(en.stopping);
    expect(ended(feed(timer("farewell")))).toMatchObject({ reason: "server_stopped" });
  });

  test("that a human has taken over is handed to him", () => {
    const { feed } = talk();
    expect(said(feed(prompt("Hello?"), { type: "answered", turn: 1, isPaused: true }))).toBe(en.colleague);
    expect(ended(feed(timer("farewell")))).toMatchObject({ reason: "transferred", handoff: "human" });
  });

  test("whose caller hangs up before the transfer was not transferred", () => {
    const handedOver = (isClean: boolean) => {
      const { feed } = talk();
      feed(prompt("Hello?"), { type: "answered", turn: 1, isPaused: true });
      return logged(feed({ type: "hung-up", isClean }));
    };
    expect(handedOver(true)).toEqual([{ kind: "ended", reason: "caller_hung_up", handoff: "human" }]);
    expect(handedOver(false)).toEqual([{ kind: "ended", reason: "connection_lost", handoff: "human" }]);
  });

  test("that the caller ends cancels what is under way and stops every timer", () => {
    const { feed, state } = talk();
    feed(prompt("One?"), { type: "key", digit: "1" });
    const effects = feed({ type: "hung-up", isClean: true });
    expect(kinds(effects)).toContain("cancel");
    expect(logged(effects)).toEqual([{ kind: "ended", reason: "caller_hung_up", handoff: null }]);
    expect(state()).toMatchObject({ phase: "over", timers: [] });
    expect(
      feed(prompt("Anybody?"), timer("silence"), { type: "stopping" }, { type: "hung-up", isClean: true }),
    ).toEqual([]);
  });
});
