import { afterEach, describe, expect, test } from "vitest";
import { newChatWorld } from "../../test/chat-support.ts";
import { attachTool, toolChat } from "../../test/tool-chat-support.ts";

const { server, api, base } = await toolChat();
const { model } = server;
const text = { type: "string" };

afterEach(() => {
  model.chat.reset();
  api.requests.length = 0;
});

const results = () =>
  (model.chat.seen.at(-1)?.messages ?? [])
    .filter(({ role }) => role === "tool")
    .map((message) => message.text);

describe("tools in a turn", () => {
  test("are called, and the answer follows from what they brought", async () => {
    const world = await newChatWorld(server);
    await attachTool(
      world,
      "get_stock",
      { url: `${base}/answer?type=application/json&body={item}` },
      { item: text },
    );
    model.chat.say(
      { texts: ["One moment."], toolCalls: [{ name: "get_stock", arguments: { item: '{"stock":7}' } }] },
      { texts: ["There are seven."] },
    );
    const { events, text: said } = await world.stream("How many are in stock?");
    expect(said).toBe("One moment.\n\nThere are seven.");
    expect(events.filter(({ type }) => type === "toolCall")).toMatchObject([
      { tool: "get_stock", status: "started", ms: null },
      { tool: "get_stock", status: "ok", ms: expect.any(Number) },
    ]);
    expect(results()).toEqual([expect.stringContaining('"stock":7')]);
    const { tool_calls: ledger } = (await world.api.get(`${world.path}/tool-calls`)).body;
    expect(ledger).toMatchObject([
      { tool_name: "get_stock", status: "ok", conversation_id: expect.any(String) },
    ]);
  });

  test("run side by side when the model wishes for several", async () => {
    const world = await newChatWorld(server);
    await attachTool(world, "slow", { url: `${base}/slow?ms={ms}` }, { ms: text });
    const calls = Array.from({ length: 4 }, () => ({ name: "slow", arguments: { ms: "300" } }));
    model.chat.say({ toolCalls: calls }, { texts: ["Done waiting."] });
    const begun = performance.now();
    await world.ask("Wait");
    expect(performance.now() - begun).toBeLessThan(1_100);
    expect(results()).toHaveLength(4);
  });

  test("are eight at most, however many the model wishes for", async () => {
    const world = await newChatWorld(server);
    await attachTool(world, "peek", { url: `${base}/echo` });
    model.chat.always(({ tools }) =>
      tools.length === 0
        ? { texts: ["Enough."] }
        : { toolCalls: Array.from({ length: 3 }, () => ({ name: "peek", arguments: {} })) },
    );
    const answer = await world.ask("Look again and again");
    expect(api.requests).toHaveLength(8);
    expect(answer.status).toBe(200);
    const { tool_calls: ledger } = (await world.api.get(`${world.path}/tool-calls`)).body;
    expect(ledger.filter(({ status }: { status: string }) => status === "ok")).toHaveLength(8);
    expect(ledger.find(({ status }: { status: string }) => status === "failed").code).toBe("too_many_calls");
  });

  test("search the documents again, with sources that can be cited", async () => {
    const parts = Array.from(
      { length: 300 },
      (_, i) => `Part ${i} is made by the factory of town ${i} in steel.`,
    );
    const world = await newChatWorld(server, {
      Parts: parts.map((part) => `${part}\n\n${part}`).join("\n\n"),
    });
    model.chat.say(
      { toolCalls: [{ name: "search_documents", arguments: { query: "factory of town 217" } }] },
      { texts: ["It is part 217 [5], not [99]."] },
    );
    const answer = await world.ask("Hello there");
    expect(results()[0]).toContain("town 217");
    expect(answer.sources.length).toBeGreaterThan(0);
    model.chat.say(
      { toolCalls: [{ name: "search_documents", arguments: { query: 5 } }] },
      { texts: ["I do not know."] },
    );
    await world.ask("Hello there once more");
    expect(results()).toEqual([expect.stringMatching(/^FAILED\. The argument `query`/)]);
  });

  test("ask for a human, once, and the partner's event is written", async () => {
    const world = await newChatWorld(server);
    model.chat.say(
      { toolCalls: [{ name: "request_handoff", arguments: { reason: "wants a human" } }] },
      { texts: ["Somebody will be with you."] },
      { toolCalls: [{ name: "request_handoff", arguments: {} }] },
      { texts: ["Somebody knows already."] },
    );
    await world.ask("I want to talk to a human", { sessionId: "s" });
    await world.ask("Where is the human that I asked for?", { sessionId: "s" });
    expect(results()).toEqual([expect.stringContaining("asked already")]);
    const { conversations } = (await world.api.get(`${world.path}/conversations?status=handoff`)).body;
    expect(conversations).toMatchObject([
      { session_id: "s", handoff_reason: "wants a human", message_count: 4 },
    ]);
  });

  test("are not offered in chat and query", async () => {
    const world = await newChatWorld(server, { A: "We deliver within two days." });
    await attachTool(world, "peek", { url: `${base}/echo` });
    model.chat.always({ texts: ["Two days [1]."] });
    for (const mode of ["chat", "query"]) {
      await world.ask("When do you deliver?", { mode });
      expect(model.chat.seen.at(-1)?.tools).toEqual([]);
    }
    await world.ask("When do you deliver?", { mode: "automatic" });
    expect(model.chat.seen.at(-1)?.tools).toEqual(["peek", "request_handoff"]);
  });
});

describe("an answer claims only what the ledger shows", () => {
  const claims = [
    ["en", "Please book a table for two.", "I have booked your table.", "did not succeed"],
    ["it", "Vorrei prenotare un tavolo per due.", "Ho prenotato il tavolo per voi.", "non è riuscito"],
    [
      "de",
      "Bitte reservieren Sie einen Tisch für zwei.",
      "Ich habe Ihren Tisch reserviert.",
      "fehlgeschlagen",
    ],
  ] as const;

  test.each(claims)(
    "%s: a tool failed and the model claims success",
    async (_, asked, claimed, correction) => {
      const world = await newChatWorld(server);
      await attachTool(
        world,
        "book_table",
        { method: "POST", url: `${base}/answer?code=500`, body: { n: "{n}" } },
        { n: text },
      );
      model.chat.say({ toolCalls: [{ name: "book_table", arguments: { n: "2" } }] }, { texts: [claimed] });
      const { textResponse } = await world.ask(asked);
      expect(results()).toEqual([expect.stringMatching(/^FAILED\. /)]);
      expect(textResponse).toContain(claimed);
      expect(textResponse).toContain(correction);
      expect(textResponse).toContain("book_table");
    },
  );

  test.each(claims)(
    "%s: nothing was called and the model claims success",
    async (language, asked, claimed) => {
      const world = await newChatWorld(server);
      model.chat.say({ texts: [claimed] });
      const { textResponse } = await world.ask(asked);
      const note = {
        en: "no action has been carried out",
        it: "nessuna operazione è stata eseguita",
        de: "Es wurde nichts ausgeführt",
      };
      expect(textResponse).toContain(note[language]);
    },
  );

  test("nothing is added where the tool succeeded, or where the answer says that it failed", async () => {
    const world = await newChatWorld(server);
    const http = { method: "POST", url: `${base}/answer?code={code}`, body: {} };
    await attachTool(world, "book_table", http, { code: text });
    const call = (code: string) => ({ toolCalls: [{ name: "book_table", arguments: { code } }] });
    model.chat.say(call("200"), { texts: ["I have booked your table."] });
    expect((await world.ask("Book a table, please")).textResponse).toBe("I have booked your table.");
    model.chat.say(call("500"), { texts: ["I could not book the table."] });
    expect((await world.ask("Book another table, please")).textResponse).toBe("I could not book the table.");
  });
});
