import { afterEach, describe, expect, test } from "vitest";
import { chatServer, newChatWorld, until } from "../../test/chat-support.ts";
import { testServer } from "../../test/support.ts";

const server = await chatServer();
const bare = await testServer();
const { model } = server;
const DELIVERY = { Delivery: "# Delivery\n\nWe deliver within two days. Express delivery costs 9 euros." };
const LARGE = Array.from(
  { length: 400 },
  (_, i) =>
    `## Part ${i}\n\nThe spare part number ${i} is made of steel and costs ${i + 3} euros in our shop.\n`,
).join("\n");

afterEach(() => model.chat.reset());

const lastUser = () => model.chat.seen.at(-1)?.messages.findLast(({ role }) => role === "user")?.text ?? "";

describe("an answer", () => {
  test("rests on the whole of a small workspace, and shows what was cited", async () => {
    const world = await newChatWorld(server, {
      ...DELIVERY,
      Returns: "# Returns\n\nReturns are free within thirty days.",
    });
    model.chat.say({ texts: ["Within thirty days ", "[2", "], not [7]."] });
    const answer = await world.ask("How long may I send things back?");
    expect(answer).toMatchObject({
      status: 200,
      type: "textResponse",
      textResponse: "Within thirty days [1], not.",
      close: true,
      error: null,
      paused: false,
      sources: [{ title: "Returns", score: null, start: 0 }],
      metrics: { model: "gpt-4o-mini", provider: "openai-compatible" },
    });
    expect(answer.sources[0].text).toContain("thirty days");
    expect(lastUser()).toContain("two days");
    expect(lastUser()).toContain("How long may I send things back?");
  });

  test("of a large workspace rests on what was searched for", async () => {
    const world = await newChatWorld(server, { Parts: LARGE });
    model.chat.say({ texts: ["It costs 120 euros [1]."] });
    const answer = await world.ask("What does spare part number 117 cost?");
    expect(answer.textResponse).toBe("It costs 120 euros [1].");
    expect(answer.sources).toHaveLength(4);
    expect(answer.sources[0].text).toContain("number 117");
    expect(answer.sources[0].score).toBeGreaterThan(0.25);
    expect(model.chat.seen.at(-1)?.tools).toEqual(["search_documents", "request_handoff"]);
  });

  test("in chat and automatic comes from the model also where nothing is found", async () => {
    const world = await newChatWorld(server);
    model.chat.always({ texts: ["Hello [1]!"] });
    for (const mode of ["chat", "automatic"]) {
      const answer = await world.ask("Hello", { mode });
      expect(answer).toMatchObject({ status: 200, textResponse: "Hello!", sources: [] });
    }
    expect(lastUser()).toContain("There are no sources");
  });

  test("in query mode is a refusal without a model where nothing passes, in the question's language", async () => {
    const world = await newChatWorld(server, DELIVERY, { chatMode: "query" });
    const texts = [
      [
        "What is the capital of Mongolia?",
        "There is no relevant information in this workspace to answer your query.",
      ],
      ["Qual è la capitale della Mongolia?", "In questo spazio di lavoro non ci sono informazioni utili"],
      ["Was ist die Hauptstadt der Mongolei?", "In diesem Arbeitsbereich gibt es keine Informationen"],
    ] as const;
    for (const [question, refusal] of texts) {
      const answer = await world.ask(question);
      expect(answer.textResponse).toContain(refusal);
      expect(answer).toMatchObject({ sources: [], metrics: { model: null, total_tokens: 0 } });
    }
    await world.set({ queryRefusalResponse: "Ask us by mail." });
    expect((await world.ask("What is the capital of Mongolia?")).textResponse).toBe("Ask us by mail.");
    expect(model.chat.seen).toEqual([]);
    model.chat.say({ texts: ["Two days [1]."] });
    expect((await world.ask("When do you deliver?")).sources[0].score).toBeGreaterThan(0.25);
    expect(model.chat.seen.at(-1)?.tools).toEqual([]);
  });
});

describe("without a model", () => {
  test("the best sentences are quoted and cited, and it says that no model is configured", async () => {
    const world = await newChatWorld(bare, {
      Hotel:
        "# Breakfast\n\nBreakfast is served from 7 to 10. The room is on the first floor.\n\n# Pool\n\nThe pool opens in May. Towels cost 5 euros.",
      Albergo:
        "# Colazione\n\nLa colazione è servita dalle 7 alle 10. Il parcheggio costa 12 euro al giorno.",
    });
    const english = await world.ask("When is breakfast served?");
    expect(english.textResponse).toContain("> Breakfast is served from 7 to 10.");
    expect(english.textResponse).not.toContain("first floor");
    expect(english.textResponse).toMatch(/\[1\]/);
    expect(english.textResponse).toContain("No language model is configured");
    expect(english.metrics).toMatchObject({ model: null, provider: null, total_tokens: 0 });
    const italian = await world.ask("Quanto costa il parcheggio?");
    expect(italian.textResponse).toContain("> Il parcheggio costa 12 euro al giorno.");
    expect(italian.textResponse).toContain("Nessun modello linguistico è configurato");
    const nothing = await world.ask("What is the capital of Mongolia?");
    expect(nothing.textResponse).toContain("There is no relevant information");
    expect(nothing.textResponse).toContain("No language model is configured");
    expect(nothing.sources).toEqual([]);
    const streamed = await world.stream("When is breakfast served?");
    expect(streamed.text).toBe(english.textResponse);
  });
});

describe("a conversation", () => {
  test("goes on, apart from those of other sessions and threads", async () => {
    const world = await newChatWorld(server, DELIVERY);
    model.chat.always({ texts: ["Answer [1]."] });
    await world.ask("My name is Ada.", { sessionId: "a" });
    await world.ask("My name is Bob.", { sessionId: "b" });
    await world.ask("What is my name, please, now that I have told you?", { sessionId: "a" });
    const seen = model.chat.seen.at(-1)?.messages.map(({ text }) => text) ?? [];
    expect(seen.slice(1, 3)).toEqual(["My name is Ada.", "Answer."]);
    expect(seen.join()).not.toContain("Bob");
    const { body } = await world.api.get(`${world.path}/chats?sessionId=a`);
    expect(
      body.history.map(({ role, content }: { role: string; content: string }) => [role, content]),
    ).toEqual([
      ["user", "My name is Ada."],
      ["assistant", "Answer [1]."],
      ["user", "What is my name, please, now that I have told you?"],
      ["assistant", "Answer [1]."],
    ]);
    expect(body.history[1]).toMatchObject({ type: "chat", feedbackScore: null, status: "complete" });
    expect(body.history[1].sources).toMatchObject([{ title: "Delivery", text: null }]);
    expect(body.next_cursor).toBeNull();
    expect((await world.api.get(`${world.path}/chats`)).body.history).toEqual([]);
  });

  test("is paged from its end", async () => {
    const world = await newChatWorld(server);
    model.chat.always({ texts: ["Yes."] });
    for (const n of [1, 2, 3]) await world.ask(`Question ${n}, which is one that stands for itself entirely`);
    const contents = (body: { history: { content: string }[] }) => body.history.map(({ content }) => content);
    const first = (await world.api.get(`${world.path}/chats?limit=4`)).body;
    expect(
      contents(first)
        .filter((text) => text !== "Yes.")
        .map((text) => text.slice(0, 10)),
    ).toEqual(["Question 2", "Question 3"]);
    const second = (await world.api.get(`${world.path}/chats?limit=4&cursor=${first.next_cursor}`)).body;
    expect(contents(second)).toHaveLength(2);
    expect(second.next_cursor).toBeNull();
  });

  test("is forgotten by reset, with a message or without", async () => {
    const world = await newChatWorld(server);
    model.chat.always({ texts: ["Yes."] });
    await world.ask("My name is Ada.");
    const reset = await world.api.post(`${world.path}/chat`, { reset: true });
    expect(reset.body).toMatchObject({ textResponse: "Chat history was reset!", chatId: null, sources: [] });
    await world.ask("What is my name?");
    expect(model.chat.seen.at(-1)?.messages).toHaveLength(2);
    await world.ask("And what is my mother's name?", { reset: true });
    expect(model.chat.seen.at(-1)?.messages).toHaveLength(2);
    expect((await world.api.get(`${world.path}/chats`)).body.history).toHaveLength(2);
  });

  test("is not told to the model where openAiHistory is 0", async () => {
    const world = await newChatWorld(
      server,
      {},
      { openAiHistory: 0, openAiTemp: 0.3, openAiPrompt: "Be brief." },
    );
    model.chat.always({ texts: ["Yes."] });
    await world.ask("My name is Ada.");
    await world.ask("What is my name?");
    const request = model.chat.seen.at(-1);
    expect(request?.messages).toHaveLength(2);
    expect(request?.messages[0]?.text).toMatch(/^Be brief\.\n/);
    expect(JSON.parse(model.requests.at(-1)?.body.toString() ?? "").temperature).toBe(0.3);
  });

  test("has a question that points back rewritten before it is searched for", async () => {
    const world = await newChatWorld(server, { Parts: LARGE }, { chatMode: "chat" });
    model.chat.say({ texts: ["It is made of steel [1]."] });
    await world.ask("What is spare part number 117 made of?");
    model.chat.say({ texts: ["price of spare part number 117"] }, { texts: ["120 euros [1]."] });
    const answer = await world.ask("And what does it cost?");
    expect(answer.sources[0].text).toContain("number 117");
    const [rewriting, answering] = model.chat.seen.slice(-2);
    expect(rewriting?.messages.at(-1)?.text).toContain("Person: And what does it cost?");
    expect(answering?.messages.at(-1)?.text).toContain("And what does it cost?");
    expect(answer.metrics.prompt_tokens).toBeGreaterThan(0);
  });

  test("whose question cannot be rewritten is searched with the question before", async () => {
    const world = await newChatWorld(server, { Parts: LARGE }, { chatMode: "chat" });
    model.chat.say({ texts: ["Steel [1]."] });
    await world.ask("What is spare part number 117 made of?");
    model.chat.say({ failure: { kind: "overloaded" } }, { texts: ["120 euros [1]."] });
    expect((await world.ask("And what does it cost?")).sources[0].text).toContain("number 117");
  });

  test("with two at once keeps each question with its answer", async () => {
    const world = await newChatWorld(server);
    model.chat.always(({ messages }) => {
      const asked = messages.at(-1)?.text ?? "";
      return {
        texts: [asked.includes("first") ? "One." : "Two."],
        firstDelayMs: asked.includes("first") ? 300 : 0,
      };
    });
    await Promise.all([world.ask("the first"), world.ask("the second")]);
    const { history } = (await world.api.get(`${world.path}/chats`)).body;
    expect(history.map(({ content }: { content: string }) => content)).toEqual([
      "the second",
      "Two.",
      "the first",
      "One.",
    ]);
  });

  test("that a human has taken over keeps the message and answers nothing", async () => {
    const world = await newChatWorld(server);
    model.chat.always({ texts: ["Yes."] });
    await world.ask("Hello", { sessionId: "a" });
    const list = await world.api.get(`${world.path}/conversations`);
    const { id } = list.body.conversations[0];
    await world.api.post(`${world.path}/conversations/${id}/update`, { bot_paused: true });
    model.chat.reset();
    const answer = await world.ask("Are you there?", { sessionId: "a" });
    expect(answer).toMatchObject({ status: 200, textResponse: "", paused: true, chatId: null, sources: [] });
    const streamed = await world.stream("Still?", { sessionId: "a" });
    expect(streamed.events).toMatchObject([{ type: "finalizeResponseStream", paused: true, chatId: null }]);
    expect(model.chat.seen).toEqual([]);
    await world.api.post(`${world.path}/conversations/${id}/messages`, { text: "Ada here." });
    const { history } = (await world.api.get(`${world.path}/chats?sessionId=a`)).body;
    expect(history.slice(2)).toMatchObject([
      { role: "user", content: "Are you there?" },
      { role: "user", content: "Still?" },
      { role: "assistant", type: "human", content: "Ada here." },
    ]);
    await world.api.post(`${world.path}/conversations/${id}/update`, { bot_paused: false });
    model.chat.always({ texts: ["I am back."] });
    expect((await world.ask("Hello again", { sessionId: "a" })).textResponse).toBe("I am back.");
    expect(model.chat.seen.at(-1)?.messages.map(({ text }) => text)).toContain("Ada here.");
  });
});

describe("a thread", () => {
  test("is made, renamed, asked in, listed and deleted", async () => {
    const world = await newChatWorld(server);
    model.chat.always({ texts: ["Yes."] });
    const made = await world.api.post(`${world.path}/thread/new`, { name: "Order 1017", slug: "order-1017" });
    expect(made.body).toMatchObject({
      success: true,
      message: null,
      thread: { slug: "order-1017", user_id: null },
    });
    const taken = await world.api.post(`${world.path}/thread/new`, { slug: "order-1017" });
    expect(taken).toMatchObject({ status: 409, body: { code: "conflict" } });
    expect((await world.api.post(`${world.path}/thread/new`, {})).body.thread).toMatchObject({
      name: "Thread",
    });
    const thread = `${world.path}/thread/order-1017`;
    expect((await world.api.post(`${thread}/update`, { name: "Returned" })).body.thread.name).toBe(
      "Returned",
    );
    await world.api.post(`${thread}/chat`, { message: "In the thread" });
    await world.ask("Outside of it");
    const { history } = (await world.api.get(`${thread}/chats`)).body;
    expect(history.map(({ content }: { content: string }) => content)).toEqual(["In the thread", "Yes."]);
    const detail = (await world.api.get(world.path)).body.workspace;
    expect(detail.totals.threads).toBe(2);
    expect((await world.api.delete(thread)).body).toEqual({ success: true });
    for (const reply of [
      await world.api.get(`${thread}/chats`),
      await world.api.post(`${thread}/chat`, { message: "Hello" }),
      await world.api.post(`${thread}/stream-chat`, { message: "Hello" }),
      await world.api.post(`${thread}/update`, { name: "x" }),
      await world.api.delete(thread),
    ]) {
      expect(reply).toMatchObject({ status: 404, body: { code: "not_found" } });
    }
  });
});

describe("pictures", () => {
  const pixel =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
  const image = { name: "a.png", mime: "image/png", contentString: `data:image/png;base64,${pixel}` };

  test("go to the model, and only their names are kept", async () => {
    const world = await newChatWorld(server);
    model.chat.say({ texts: ["A dot."] });
    await world.ask("What is this?", { attachments: [image] });
    expect(model.requests.at(-1)?.body.toString()).toContain(pixel);
    const { history } = (await world.api.get(`${world.path}/chats`)).body;
    expect(history[0].attachments).toEqual([{ name: "a.png", mime: "image/png", size_bytes: 70 }]);
  });

  test("that are none are refused, naming the place", async () => {
    const world = await newChatWorld(server);
    const cases = [
      [{ ...image, mime: "application/anythingllm-document" }, "body.attachments.0.mime"],
      [{ ...image, mime: "image/gif" }, "body.attachments.0.contentString"],
      [{ ...image, contentString: "https://example.com/a.png" }, "body.attachments.0.contentString"],
      [
        { ...image, contentString: `data:image/png;base64,${"A".repeat(7 * 2 ** 20)}` },
        "body.attachments.0.contentString",
      ],
    ] as const;
    for (const [attachment, path] of cases) {
      const answer = await world.ask("What is this?", { attachments: [attachment] });
      expect(answer).toMatchObject({ status: 400, code: "invalid_request", details: [{ path }] });
    }
    expect(model.chat.seen).toEqual([]);
  });
});

describe("a model that fails", () => {
  test.each([
    ["overloaded", 502, "provider_failed"],
    ["rate-limited", 502, "provider_failed"],
    ["quota-exhausted", 502, "provider_failed"],
    ["context-length", 502, "provider_failed"],
  ] as const)("%s: %i, and no turn is kept", async (kind, status, code) => {
    const world = await newChatWorld(server);
    model.chat.always({ failure: { kind } });
    expect(await world.ask("Hello")).toMatchObject({ status, code });
    expect(await world.stream("Hello")).toMatchObject({ status });
    expect((await world.api.get(`${world.path}/chats`)).body.history).toEqual([]);
  });

  test("a message longer than the model takes: 400", async () => {
    const world = await newChatWorld(server);
    const answer = await world.ask("many different words ".repeat(4_500));
    expect(answer.status === 200 || answer.code === "invalid_request").toBe(true);
    const small = await newChatWorld(
      server,
      {},
      { openAiPrompt: "Zażółć gęślą jaźń 漢字漢字 ".repeat(1_900) },
    );
    expect(await small.ask("漢字の質問です。".repeat(10_000))).toMatchObject({
      status: 400,
      code: "invalid_request",
      details: [{ path: "body.message" }],
    });
  });

  test("in the middle of a stream ends it with an event, and what was said is kept as failed", async () => {
    const world = await newChatWorld(server);
    for (const kind of ["cut", "error-in-stream", "malformed"] as const) {
      model.chat.say({ texts: ["One", " two", " three"], failure: { kind, afterPieces: 2 } });
      const { events, text, raw, status } = await world.stream("Count");
      expect(status).toBe(200);
      expect(text).toBe("One two");
      expect(events.at(-1)).toMatchObject({ type: "abort", close: true, textResponse: null });
      expect(events.at(-1).error).toMatch(/\.$/);
      expect(raw).not.toContain("[DONE]");
    }
    const { history } = (await world.api.get(`${world.path}/chats`)).body;
    expect(history.filter(({ role }: { role: string }) => role === "assistant")).toMatchObject([
      { content: "One two", status: "failed" },
      { content: "One two", status: "failed" },
      { content: "One two", status: "failed" },
    ]);
    model.chat.say({ texts: ["Fine."] });
    await world.ask("And now something else that stands for itself, please");
    expect(model.chat.seen.at(-1)?.messages).toHaveLength(2);
  });
});

describe("a stream", () => {
  test("has the events of the contract, and only their fields", async () => {
    const world = await newChatWorld(server, DELIVERY);
    model.chat.say({ texts: ["Within ", "two days ", "[1", "]."], tokenDelayMs: 30 });
    const { events, text, raw } = await world.stream("When do you deliver?");
    expect(text).toBe("Within two days [1].");
    const { uuid } = events[0];
    for (const event of events.slice(0, -1)) {
      expect(event).toEqual({
        uuid,
        type: "textResponseChunk",
        textResponse: expect.any(String),
        sources: [],
        close: false,
        error: false,
      });
    }
    expect(events.at(-1)).toEqual({
      uuid,
      type: "finalizeResponseStream",
      close: true,
      error: false,
      paused: false,
      chatId: expect.any(Number),
      metrics: {
        prompt_tokens: expect.any(Number),
        completion_tokens: expect.any(Number),
        total_tokens: expect.any(Number),
        duration: expect.any(Number),
        outputTps: expect.any(Number),
        model: "gpt-4o-mini",
        provider: "openai-compatible",
        timestamp: expect.any(String),
      },
      sources: [expect.objectContaining({ title: "Delivery" })],
    });
    expect(raw.split("\n").filter((line) => line !== "" && !line.startsWith("data: "))).toEqual([]);
  });

  test("that nobody reads any more ends the model's work, and is kept once, as cancelled", async () => {
    const world = await newChatWorld(server);
    model.chat.say({ texts: Array.from({ length: 100 }, (_, i) => `${i} `), tokenDelayMs: 30 });
    const leaving = new AbortController();
    const response = await fetch(`${server.url}/api${world.path}/stream-chat`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${world.partner.key}`,
        "x-account-id": world.accountId,
        "content-type": "application/json",
      },
      body: JSON.stringify({ message: "Count" }),
      signal: leaving.signal,
    });
    await response.body?.getReader().read();
    leaving.abort();
    await until(() => model.chat.streams.at(-1)?.closedByClient === true);
    expect(model.chat.streams.at(-1)?.piecesSent).toBeLessThan(60);
    await until(async () => (await world.api.get(`${world.path}/chats`)).body.history.length === 2);
    const { history } = (await world.api.get(`${world.path}/chats`)).body;
    expect(history[1]).toMatchObject({ role: "assistant", status: "cancelled" });
    expect(history[1].content).toMatch(/^0/);
    expect(history[1].metrics.completion_tokens).toBeGreaterThan(0);
  });

  test("an answer in one piece that nobody waits for any more ends the model's work, too", async () => {
    const world = await newChatWorld(server);
    model.chat.say({ texts: Array.from({ length: 100 }, (_, i) => `${i} `), tokenDelayMs: 30 });
    const asking = fetch(`${server.url}/api${world.path}/chat`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${world.partner.key}`,
        "x-account-id": world.accountId,
        "content-type": "application/json",
      },
      body: JSON.stringify({ message: "Count" }),
      signal: AbortSignal.timeout(400),
    });
    await expect(asking).rejects.toThrow();
    await until(() => model.chat.streams.at(-1)?.closedByClient === true);
    await until(async () => (await world.api.get(`${world.path}/chats`)).body.history.length === 2);
  });
});
