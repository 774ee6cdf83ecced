import { expect, test } from "vitest";
import type { TurnEnd, TurnEvent } from "../../assistant/turn.ts";
import { SPOKEN } from "../turn/spoken-phrases.ts";
import { type SpeakingHooks, speakAnswer } from "./speak-answer.ts";

const { en } = SPOKEN;
const { signal } = new AbortController();

const end = (more: Partial<TurnEnd> = {}): TurnEnd => ({
  type: "end",
  chatId: 1,
  text: "",
  sources: [],
  metrics: {
    prompt_tokens: 1,
    completion_tokens: 1,
    total_tokens: 2,
    duration: 1,
    outputTps: 1,
    model: null,
    provider: null,
    timestamp: "",
  },
  reason: "stop",
  paused: false,
  ...more,
});
const text = (words: string): TurnEvent => ({ type: "text", text: words });
const tool = (name: string): TurnEvent[] => [
  { type: "tool-started", callId: "c1", tool: name },
  { type: "tool-ended", callId: "c1", tool: name, status: "ok", ms: 5 },
];

async function* stream(...events: (TurnEvent | Error | Promise<unknown>)[]) {
  for (const event of events) {
    if (event instanceof Error) throw event;
    if (event instanceof Promise) await event;
    else yield event;
  }
}

/** What is heard, and what was told beside it. */
async function hear(
  events: AsyncGenerator<TurnEvent, void, void>,
  { patienceMs = 60_000, canTransfer = true }: { patienceMs?: number; canTransfer?: boolean } = {},
) {
  const told: string[] = [];
  const hooks: SpeakingHooks = {
    onFirstWords: () => void told.push("first words"),
    onTool: (event) => void told.push(event.type),
    onHandoff: async () => {
      told.push("handoff");
      return { canTransfer };
    },
    onFailure: () => void told.push("failure"),
  };
  const heard: TurnEvent[] = [];
  for await (const event of speakAnswer(events, { phrases: en, patienceMs, turnId: "t1", hooks }, signal))
    heard.push(event);
  const last = heard.at(-1);
  const words = heard.flatMap((event) => (event.type === "text" ? [event.text] : [])).join("");
  expect(last).toMatchObject({ type: "end", text: words });
  const calls = heard.flatMap((event) => (event.type === "client-calls" ? event.calls : []));
  expect(last).toMatchObject({ reason: calls.length > 0 ? "tool-calls" : "stop" });
  return { words: words.trim(), told, ...(calls.length === 0 ? {} : { calls }) };
}

test("an answer is spoken without marks, however it came in pieces", async () => {
  const answer =
    "We are **open** from nine to six [1]. See [the shop](https://example.com/shop).\n\n- On Sundays not.";
  const pieces = [...answer].map(text);
  expect(await hear(stream(...pieces, end()))).toEqual({
    words: "We are open from nine to six. See the shop. On Sundays not.",
    told: ["first words"],
  });
});

test("what is said before a tool is a whole sentence, and the tool is told of", async () => {
  const { words, told } = await hear(
    stream(text("Let me see"), ...tool("orders"), text("It is on its way."), end()),
  );
  expect(words).toBe("Let me see It is on its way.");
  expect(told).toEqual(["first words", "tool-started", "tool-ended"]);
});

test("one that is slow asks for patience, once, and then goes on", async () => {
  const { promise: wait, resolve: goOn } = Promise.withResolvers<void>();
  const heard = hear(stream(wait, text("From nine to six."), end()), { patienceMs: 1 });
  setTimeout(goOn, 40);
  expect((await heard).words).toBe(`${en.oneMoment} From nine to six.`);
});

test("one that fails is an apology, after what was said of it", async () => {
  expect(await hear(stream(new Error("no model")))).toEqual({
    words: en.apology,
    told: ["failure", "first words"],
  });
  const { words } = await hear(stream(text("We are open from "), new Error("broken off")));
  expect(words).toBe(en.apology);
});

test("one that is empty is said to be none", async () => {
  expect((await hear(stream(end()))).words).toBe(en.noAnswer);
});

const TRANSFER = [{ id: "transferCall-t1", name: "transferCall", arguments: {} }];

test("a human who has taken over, or is asked for, has the call transferred", async () => {
  expect(await hear(stream(end({ paused: true })))).toEqual({
    words: en.colleague,
    told: ["handoff", "first words"],
    calls: TRANSFER,
  });
  const asked = await hear(stream(...tool("request_handoff"), text("One second."), end()));
  expect(asked.words).toBe(`One second. ${en.colleague}`);
  expect(asked).toMatchObject({ told: expect.arrayContaining(["handoff"]), calls: TRANSFER });
  const failed = await hear(stream(...tool("request_handoff"), new Error("broken off")));
  expect(failed).toMatchObject({ words: en.colleague, calls: TRANSFER });
});

test("where nobody can be dialled, somebody gets back to the caller, and the call ends", async () => {
  expect(await hear(stream(end({ paused: true })), { canTransfer: false })).toMatchObject({
    words: en.callBack,
    calls: [{ name: "endCall" }],
  });
});

test("who hangs up ends it", async () => {
  const gone = new AbortController();
  gone.abort(new Error("gone"));
  const onHandoff = async () => ({ canTransfer: false });
  const hooks = { onFirstWords() {}, onTool() {}, onHandoff, onFailure() {} };
  const events = speakAnswer(
    stream(new Error("gone")),
    { phrases: en, patienceMs: 1_000, turnId: "t1", hooks },
    gone.signal,
  );
  await expect(events.next()).rejects.toThrow("gone");
});
