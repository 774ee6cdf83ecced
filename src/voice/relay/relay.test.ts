import { afterAll, afterEach, describe, expect, test } from "vitest";
import {
  answerCallers,
  conversationOf,
  endedCall,
  linkNumber,
  readCall,
  startBareCallServer,
  startCallServer,
} from "../../../test/call-support.ts";
import { newChatWorld, until } from "../../../test/chat-support.ts";
import { SPOKEN } from "../turn/spoken-phrases.ts";

const twilio = await startCallServer("twilio");
const { server } = twilio;
const { model } = server;
const { en, de, it } = SPOKEN;
const SHOP = { Shop: "# Opening hours\n\nThe shop is open from nine to six. On Sundays it is closed." };

afterEach(() => model.chat.reset());
afterAll(() => server.close());

async function openShop(configuration: object = {}) {
  const world = await newChatWorld(server, SHOP);
  return { world, to: await linkNumber(server, world, configuration) };
}

const lastAsked = () => model.chat.seen.at(-1)?.messages ?? [];
const SENTENCES = ["We are open from nine to six. ", "On Sundays we are closed. ", "Anything else? "];

describe("a caller", () => {
  test("is greeted, asks about an uploaded document, and hears the answer without marks", async () => {
    const { to } = await openShop({ prompt: "You are Nora of Acme." });
    answerCallers(server, {
      texts: ["We are **open** from nine ", "to six [1]. ", "On Sundays we are closed."],
    });
    const caller = await twilio.call({ to });
    expect(caller.heard()).toBe("Hello, this is Acme.");
    caller.say("When are you open?");
    await caller.listen("closed.");
    expect(caller.heardSince()).toBe("We are open from nine to six. On Sundays we are closed. ");
    expect(caller.commands.at(-1)).toMatchObject({ type: "text", last: true });
    const asked = lastAsked();
    expect(asked[0]?.text).toContain("You are Nora of Acme.");
    expect(asked[0]?.text).toContain("This is a phone call");
    expect(asked.at(-1)?.text).toContain("The shop is open from nine to six.");
    await caller.hangUp();
    const call = await endedCall(server, caller.callSid);
    expect(call.ended_reason).toBe("caller_hung_up");
    expect(call.transcript).toMatchObject([
      { role: "assistant", text: "Hello, this is Acme." },
      { role: "user", text: "When are you open?" },
      { role: "assistant", text: "We are open from nine to six. On Sundays we are closed." },
    ]);
    const [timed] = call.events.filter(({ kind }) => kind === "turn_timed");
    expect(timed?.data.oursMs).toBeLessThan(Number(timed?.data.totalMs));
    expect(timed?.data.retrievalMs).toBeLessThanOrEqual(Number(timed?.data.oursMs));
  });

  test("is remembered within the call, and as a contact", async () => {
    const { world, to } = await openShop();
    answerCallers(server, { texts: ["From nine to six."] }, { texts: ["Yes, it is."] });
    const caller = await twilio.call({ to, from: "+393331112222" });
    caller.say("When are you open?");
    await caller.listen("six.");
    caller.say("And on Sundays?");
    await caller.listen("it is.");
    expect(lastAsked().map(({ text }) => text)).toContain("From nine to six.");
    await caller.hangUp();
    const { body } = await world.api.get(`${world.path}/contacts`);
    expect(JSON.stringify(body)).toContain("+393331112222");
  });

  test("interrupts: the model is cancelled, and only what was heard is remembered", async () => {
    const { to } = await openShop();
    answerCallers(server, { texts: SENTENCES, tokenDelayMs: 1_000 }, { texts: ["At six."] });
    const caller = await twilio.call({ to });
    caller.say("When are you open?");
    await caller.listen("to six.");
    caller.interrupt("We are open from nine");
    await until(() => model.chat.streams.at(-1)?.closedByClient === true);
    caller.say("No, when do you close?");
    await caller.listen("At six.");
    expect(caller.heardSince()).not.toContain("Anything");
    const texts = lastAsked().map(({ text }) => text);
    expect(texts).toContain("We are open from nine");
    expect(texts.filter((text) => text.startsWith("We are open"))).toEqual(["We are open from nine"]);
    await caller.hangUp();
    const call = await endedCall(server, caller.callSid);
    expect(call.transcript).toMatchObject([
      {},
      { role: "user" },
      { role: "assistant", text: "We are open from nine", interrupted: true },
      { role: "user", text: "No, when do you close?" },
      { role: "assistant", text: "At six.", interrupted: false },
    ]);
    expect(await conversationOf(server, call.id)).toMatchObject([
      { role: "user" },
      { role: "assistant", text: "We are open from nine", status: "cancelled" },
      { role: "user" },
      { role: "assistant", text: "At six.", status: "complete" },
    ]);
  });

  test("interrupts an answer that is written already: the history is cut all the same", async () => {
    const { to } = await openShop();
    answerCallers(server, { texts: SENTENCES }, { texts: ["Sorry?"] });
    const caller = await twilio.call({ to });
    caller.say("When are you open?");
    await caller.listen("else?");
    caller.interrupt("We are open");
    caller.say("What?");
    await caller.listen("Sorry?");
    expect(lastAsked().map(({ text }) => text)).toContain("We are open");
    await caller.hangUp();
  });

  test("presses keys, which are collected into one question", async () => {
    const { to } = await openShop();
    answerCallers(server, { texts: ["You chose twelve."] }, { texts: ["And three."] });
    const caller = await twilio.call({ to });
    caller.press("12");
    await caller.listen("twelve.");
    expect(lastAsked().at(-1)?.text).toContain("12");
    caller.press("3#");
    await caller.listen("three.");
    await caller.hangUp();
    const call = await endedCall(server, caller.callSid);
    expect(call.transcript.filter(({ role }) => role === "dtmf")).toMatchObject([
      { text: "12" },
      { text: "3" },
    ]);
  });

  test("says goodbye, hears one, and the line is closed", async () => {
    const { to } = await openShop();
    answerCallers(server, { texts: ["From nine to six."] });
    const caller = await twilio.call({ to });
    caller.say("When are you open?");
    await caller.listen("six.");
    caller.say("Thank you, bye!");
    const { last, handoff } = await caller.over();
    expect(caller.heardSince()).toBe(en.goodbye);
    expect([last, handoff]).toEqual([[{ verb: "hang-up" }], null]);
    expect((await endedCall(server, caller.callSid)).ended_reason).toBe("goodbye");
  });

  test("asks for a human, and is handed over although he talks over it", async () => {
    const { world, to } = await openShop();
    const wish = { toolCalls: [{ name: "request_handoff", arguments: { reason: "He wants one." } }] };
    answerCallers(server, wish, {
      texts: ["I will get somebody for you. ", "Please hold."],
      tokenDelayMs: 400,
    });
    const caller = await twilio.call({ to });
    caller.say("I want to talk to a human.");
    await caller.listen("for you.");
    caller.interrupt("I will");
    caller.say("Hello? Hello?");
    const { handoff } = await caller.over();
    expect(handoff).toEqual({ reason: "human" });
    const call = await endedCall(server, caller.callSid);
    expect(call.ended_reason).toBe("transferred");
    expect(call.transcript.find(({ role }) => role === "tool")?.tool).toMatchObject({
      name: "request_handoff",
      status: "ok",
    });
    const { body } = await world.api.get(`${world.path}/conversations?status=handoff`);
    expect(body.conversations).toMatchObject([{ channel: "voice" }]);
  });

  test("is not left alone with a tool that does not exist", async () => {
    const { to } = await openShop();
    answerCallers(server, { toolCalls: [{ name: "book_table", arguments: {} }] }, { texts: [""] });
    const caller = await twilio.call({ to });
    caller.say("Book a table!");
    await caller.listen(/no answer/);
    await caller.hangUp();
    const call = await endedCall(server, caller.callSid);
    expect(call.transcript.find(({ role }) => role === "tool")?.tool).toMatchObject({ status: "failed" });
  });

  test("hears an apology when the model fails, and is handed over when it fails again", async () => {
    const { to } = await openShop();
    model.chat.always({ failure: { kind: "quota-exhausted" } });
    const caller = await twilio.call({ to });
    caller.say("When are you open?");
    await caller.listen(en.apology);
    caller.say("When are you open?");
    await caller.listen(en.cannotHelp);
    const { handoff } = await caller.over();
    expect(handoff).toEqual({ reason: "failure" });
    expect((await endedCall(server, caller.callSid)).ended_reason).toBe("model_failed");
  });

  test("hangs up in the middle of an answer: the model stops, and the log has what there was", async () => {
    const { to } = await openShop();
    answerCallers(server, { texts: SENTENCES, tokenDelayMs: 1_000 });
    const caller = await twilio.call({ to });
    caller.say("When are you open?");
    await caller.listen("to six.");
    await caller.hangUp();
    await until(() => model.chat.streams.at(-1)?.closedByClient === true);
    const call = await endedCall(server, caller.callSid);
    expect(call).toMatchObject({ ended_reason: "caller_hung_up" });
    expect(call.transcript.at(-1)).toMatchObject({
      role: "assistant",
      text: "We are open from nine to six.",
    });
  });

  test("whose line breaks has lost the connection, and has not hung up", async () => {
    const { to } = await openShop();
    const caller = await twilio.call({ to });
    caller.cut();
    expect((await endedCall(server, caller.callSid)).ended_reason).toBe("connection_lost");
  });

  test("changes the language where the transcriber understands many", async () => {
    const { to } = await openShop({
      transcriber: { provider: "deepgram", model: "nova-3", language: "multi" },
    });
    model.chat.always({ failure: { kind: "quota-exhausted" } });
    const caller = await twilio.call({ to });
    caller.say("Wann haben Sie geöffnet?", { lang: "de-DE" });
    await caller.listen(de.apology);
    expect(caller.commands[0]).toEqual({
      type: "language",
      ttsLanguage: "de-DE",
      transcriptionLanguage: "de-DE",
    });
    await caller.hangUp();
  });

  test("is spoken to although the carrier sends what nobody knows", async () => {
    const { to } = await openShop();
    answerCallers(server, { texts: ["From nine to six."] });
    const caller = await twilio.call({ to });
    for (const junk of [{}, { type: "info" }, { type: "dtmf", digit: "x" }, { type: "prompt", last: "?" }])
      caller.send(junk);
    caller.send({ type: "error", description: "64107: invalid message" });
    caller.say("When are you open?");
    await caller.listen("six.");
    await caller.hangUp();
    const call = await endedCall(server, caller.callSid);
    expect(call.events.find(({ kind }) => kind === "failure")?.data).toMatchObject({ source: "carrier" });
  });
});

describe("without a model", () => {
  test("the documents are read out, and nothing of a workspace nearby", async () => {
    const bare = await startBareCallServer("twilio");
    const world = await newChatWorld(bare.server, SHOP);
    const other = await newChatWorld(bare.server, { Secret: "The shop's safe is open from one to two." });
    const to = await linkNumber(bare.server, world);
    await linkNumber(bare.server, other);
    const caller = await bare.call({ to });
    caller.say("When is the shop open?");
    await caller.listen("The shop is open from nine to six.");
    expect(caller.heardSince()).not.toMatch(/[*>[\]#]/);
    expect(caller.heardSince()).not.toContain("safe");
    await caller.hangUp();
    expect((await endedCall(bare.server, caller.callSid)).ended_reason).toBe("caller_hung_up");
    await bare.server.close();
  });
});

describe("an impatient line", () => {
  test("asks whether somebody is there, says goodbye to nobody, and is closed", async () => {
    const fast = await startCallServer("twilio", { silenceMs: 150, slowAnswerMs: 100, giveUpMs: 400 });
    const world = await newChatWorld(fast.server, SHOP);
    const to = await linkNumber(fast.server, world);
    const silent = await fast.call({ to });
    await silent.over();
    expect(silent.heard()).toContain(en.stillThere + en.goodbyeSilence);
    expect((await endedCall(fast.server, silent.callSid)).ended_reason).toBe("caller_silent");

    answerCallers(fast.server, { texts: ["Now."], firstDelayMs: 250 });
    const waiting = await fast.call({ to });
    waiting.say("When are you open?");
    await waiting.listen("Now.");
    expect(waiting.heardSince()).toBe(`${en.oneMoment} Now. `);

    answerCallers(fast.server, { texts: ["Never."], firstDelayMs: 5_000 });
    waiting.say("And now?");
    await waiting.listen(en.apology);
    expect(fast.server.model.chat.streams.at(-1)?.piecesSent).toBe(0);
    await waiting.hangUp();
    await fast.server.close();
  });

  test("is told so when the server stops, and the call ends in order", async () => {
    const stopping = await startCallServer("twilio");
    const world = await newChatWorld(stopping.server, SHOP);
    const to = await linkNumber(stopping.server, world);
    const caller = await stopping.call({ to });
    const answered = async () => (await readCall(stopping.server, caller.callSid))?.status === "in_progress";
    await until(answered);
    const stopped = stopping.server.close();
    await caller.listen(en.stopping);
    // The server has waited for the call: the carrier was told of its end.
    await stopped;
    expect(caller.commands.at(-1)).toEqual({ type: "end" });
  });
});

describe("a number that nobody may answer", () => {
  test("says a polite sentence and hangs up, and nothing is written", async () => {
    const { world, to } = await openShop();
    const admin = await server.app.db.asSystem("superadmin", (tx) =>
      tx
        .updateTable("accounts")
        .set({ suspended_at: server.app.now() })
        .where("id", "=", world.accountId)
        .returning("id")
        .executeTakeFirst(),
    );
    expect(admin?.id).toBe(world.accountId);
    for (const number of ["+390600000000", to, ""]) {
      const caller = await twilio.call({ to: number });
      const language = number === "" ? "en-US" : "it-IT";
      expect(caller.instructions).toEqual([
        { verb: "say", text: number === "" ? en.unavailable : it.unavailable, language },
        { verb: "hang-up" },
      ]);
      const rows = await server.app.db.asSystem("superadmin", (tx) =>
        tx.selectFrom("calls").select("id").where("provider_call_id", "=", caller.callSid).execute(),
      );
      expect(rows).toEqual([]);
    }
  });
});
