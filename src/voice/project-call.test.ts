import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CallEvent } from "./call-events.ts";
import { ENDED_REASONS } from "./ended-reasons.ts";
import { extractSummary } from "./extract-summary.ts";
import { projectCall } from "./project-call.ts";

const START = new Date("2026-05-25T12:00:00.000Z");
const at = (ms: number) => new Date(START.getTime() + ms);
const project = (...events: CallEvent[]) => projectCall(events, START);
const said = (turnId: string, text: string, ms = 0): CallEvent => ({
  kind: "agent_said",
  turnId,
  text,
  at: at(ms),
});
const asked = (turnId: string, text: string, ms = 0): CallEvent => ({
  kind: "caller_said",
  turnId,
  text,
  at: at(ms),
});
const interrupted = (turnId: string, heard: string): CallEvent => ({
  kind: "interrupted",
  turnId,
  heard,
  at: at(900),
});
const timed = (turnId: string, totalMs: number, oursMs = 5): CallEvent => ({
  kind: "turn_timed",
  turnId,
  totalMs,
  oursMs,
  at: at(0),
});

describe("a transcript", () => {
  test("is the voice platform's, where there is one, with the tools that it knows nothing of", () => {
    const entry = (role: "user" | "assistant", text: string, ms: number, interrupted = false) => ({
      role,
      text,
      time: at(ms).getTime(),
      interrupted,
    });
    const { transcript } = project(
      asked("t1", "were is my order", 2_050),
      { kind: "tool_started", turnId: "t1", toolCallId: "c1", name: "order_status", at: at(2_200) },
      said("t1", "It is on its way and will be there on Friday.", 2_500),
      {
        kind: "transcript",
        at: at(9_000),
        entries: [
          entry("assistant", "Hello!", 10),
          entry("user", "Where is my order?", 2_000),
          entry("assistant", "It is on its way", 2_600, true),
        ],
      },
    );
    expect(transcript.map(({ role, text, at_ms, interrupted }) => [role, text, at_ms, interrupted])).toEqual([
      ["assistant", "Hello!", 10, false],
      ["user", "Where is my order?", 2_000, false],
      ["tool", "", 2_200, false],
      ["assistant", "It is on its way", 2_600, true],
    ]);
  });

  test("weaves what was said with the tools that were called, in order", () => {
    const { transcript, hasToolCalls } = project(
      said("t0", "Hello!", 10),
      asked("t1", "Where is my order?", 2_000),
      said("t1", "One moment.", 2_100),
      { kind: "tool_started", turnId: "t1", toolCallId: "c1", name: "order_status", at: at(2_200) },
      {
        kind: "tool_ended",
        turnId: "t1",
        toolCallId: "c1",
        name: "order_status",
        status: "ok",
        ms: 180.4,
        at: at(2_400),
      },
      said("t1", "It is on ", 2_500),
      said("t1", "its way.", 2_600),
      { kind: "dtmf", digit: "1", at: at(3_000) },
      { kind: "dtmf", digit: "#", at: at(3_100) },
    );
    expect(hasToolCalls).toBe(true);
    expect(transcript).toEqual([
      { role: "assistant", text: "Hello!", at_ms: 10, interrupted: false },
      { role: "user", text: "Where is my order?", at_ms: 2_000, interrupted: false },
      { role: "assistant", text: "One moment.", at_ms: 2_100, interrupted: false },
      {
        role: "tool",
        text: "",
        at_ms: 2_200,
        interrupted: false,
        tool: { name: "order_status", status: "ok", code: null, ms: 180 },
      },
      { role: "assistant", text: "It is on its way.", at_ms: 2_500, interrupted: false },
      { role: "dtmf", text: "1#", at_ms: 3_000, interrupted: false },
    ]);
  });

  test("shows a tool that never came back as unfinished", () => {
    const { transcript } = project({
      kind: "tool_started",
      turnId: "t1",
      toolCallId: "c1",
      name: "order_status",
      at: at(1),
    });
    expect(transcript).toMatchObject([{ tool: { status: "unfinished", ms: null } }]);
  });

  test.each([
    ["a beginning", ["We deliver within two days."], "We deliver", ["We deliver"]],
    ["nothing", ["We deliver within two days."], "", [""]],
    ["all of it", ["We deliver."], "We deliver.", ["We deliver."]],
    [
      "all of the first piece and none of the second",
      ["One moment.", "It is here."],
      "One moment.",
      ["One moment.", ""],
    ],
    ["a part of the first piece", ["One moment.", "It is here."], "One", ["One"]],
    [
      "a part of the second, told of the whole",
      ["One moment.", "It is here."],
      "One moment. It is",
      ["One moment.", "It is"],
    ],
    [
      "a part of the second, told of it alone",
      ["One moment.", "It is here."],
      "It is",
      ["One moment.", "It is"],
    ],
    ["other words than were sent", ["It costs 5 €."], "It costs five", ["It costs five"]],
  ])("has what was heard of an answer that was spoken over: %s", (_what, pieces, heard, left) => {
    const tool: CallEvent = { kind: "dtmf", digit: "5", at: at(5) };
    const events = pieces.flatMap((piece) => [said("t1", piece), tool]);
    const { transcript } = project(...events, interrupted("t1", heard), said("t1", " And more."));
    const spoken = transcript.filter(({ role }) => role === "assistant");
    expect(spoken.map(({ text }) => text)).toEqual(left);
    expect(spoken.map((entry) => entry.interrupted)).toEqual(
      left.map((_, index) => index === left.length - 1),
    );
  });

  test("never holds more than was sent, loses no question, and cuts each answer once at most", () => {
    const turn = fc.constantFrom("t1", "t2", "t3");
    const words = fc.string({ maxLength: 30 });
    const event = fc.oneof(
      fc.record({ turn, words }).map(({ turn: id, words: text }) => said(id, text)),
      fc.record({ turn, words }).map(({ turn: id, words: text }) => asked(id, text)),
      fc.record({ turn, share: fc.double({ min: 0, max: 1, noNaN: true }) }).map((cut) => cut),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (script) => {
        const sent = new Map<string, string>();
        const events = script.map((one): CallEvent => {
          if ("kind" in one) {
            if (one.kind === "agent_said") sent.set(one.turnId, (sent.get(one.turnId) ?? "") + one.text);
            return one;
          }
          const all = sent.get(one.turn) ?? "";
          return interrupted(one.turn, all.slice(0, Math.floor(all.length * one.share)));
        });
        const { transcript } = project(...events);
        const asks = events.filter(({ kind }) => kind === "caller_said").length;
        expect(transcript.filter(({ role }) => role === "user")).toHaveLength(asks);
        const spoken = transcript.filter(({ role }) => role === "assistant");
        const chars = (texts: Iterable<string>) => [...texts].join("").length;
        expect(chars(spoken.map(({ text }) => text))).toBeLessThanOrEqual(chars(sent.values()));
        const cut = new Set(events.flatMap((one) => (one.kind === "interrupted" ? one.turnId : [])));
        expect(spoken.filter((entry) => entry.interrupted).length).toBeLessThanOrEqual(cut.size);
      }),
    );
  });

  test("is the same whoever projects it, and a beginning of the events gives a call as well", () => {
    const events = [said("t0", "Hello"), asked("t1", "Hi"), interrupted("t1", ""), timed("t1", 80)];
    for (let length = 0; length <= events.length; length += 1) {
      const some = events.slice(0, length);
      expect(project(...some)).toEqual(project(...structuredClone(some)));
    }
  });
});

describe("latency", () => {
  test("is a figure that was measured, for each share of the turns", () => {
    const turns = Array.from({ length: 100 }, (_, index) => timed(`t${index}`, (index + 1) * 10, index + 1));
    const { latency } = project(...turns);
    expect(latency).toEqual({
      turns: 100,
      p50_ms: 500,
      p95_ms: 950,
      p99_ms: 990,
      ours: { p50_ms: 50, p95_ms: 95, p99_ms: 99 },
      retrieval: { p50_ms: null, p95_ms: null, p99_ms: null },
    });
  });

  test("of one turn is that turn; measured twice, it is one turn; without any there is none", () => {
    expect(project(timed("t1", 70), timed("t1", 80)).latency).toMatchObject({
      turns: 1,
      p50_ms: 80,
      p99_ms: 80,
    });
    const searched: CallEvent = {
      kind: "turn_timed",
      turnId: "t2",
      totalMs: 9,
      oursMs: 8,
      retrievalMs: 3,
      at: at(1),
    };
    expect(project(timed("t1", 70), searched).latency.retrieval.p99_ms).toBe(3);
    expect(project().latency).toMatchObject({ turns: 0, p50_ms: null, ours: { p95_ms: null } });
  });
});

describe("cost", () => {
  const cost = (item: string, amount: number, currency = "USD"): CallEvent => ({
    kind: "cost",
    item,
    amount,
    currency,
    at: START,
  });

  test("is the sum of its items, the last bill of each counting; unknown without a bill", () => {
    expect(project().cost).toBeNull();
    expect(project(cost("carrier", 0.1), cost("model", 0.2), cost("carrier", 0.3)).cost).toEqual({
      amount: 0.5,
      currency: "USD",
      items: [
        { item: "carrier", amount: 0.3, currency: "USD" },
        { item: "model", amount: 0.2, currency: "USD" },
      ],
    });
  });

  test("of several currencies has no sum", () => {
    expect(project(cost("a", 1), cost("b", 1, "EUR")).cost).toMatchObject({ amount: null, currency: null });
  });
});

describe("a summary without a model", () => {
  test("quotes the exchanges in which the caller said most, word for word", () => {
    const { transcript } = project(
      said("t0", "Hello!"),
      asked("t1", "Hm."),
      asked("t1", "When do you deliver to Rome?"),
      said("t1", "Within two days."),
      asked("t2", "Thanks."),
      said("t2", "You are welcome."),
    );
    expect(extractSummary(transcript)).toBe(
      "“Hm. When do you deliver to Rome?” – “Within two days.”\n“Thanks.” – “You are welcome.”",
    );
  });

  test("is none when the caller said nothing, and short when they said much", () => {
    expect(extractSummary(project(said("t0", "Hello!")).transcript)).toBeNull();
    const long = project(asked("t1", "word ".repeat(500))).transcript;
    expect(extractSummary(long)?.length).toBeLessThan(220);
    expect(extractSummary(long)).toMatch(/word…”$/);
  });
});

describe("the ways to end", () => {
  test("are at most 25, each with whose doing it is and what to do about it", () => {
    const reasons = Object.entries(ENDED_REASONS);
    expect(reasons.length).toBeLessThanOrEqual(25);
    for (const [name, { fault, remedy }] of reasons) {
      expect(name).toMatch(/^[a-z_]+$/);
      expect(["caller", "agent", "platform", "carrier", "provider"]).toContain(fault);
      expect(remedy).toMatch(/^[A-Z].{10,}\.$/);
    }
  });
});
