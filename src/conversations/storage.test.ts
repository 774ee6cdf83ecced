import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { testServer } from "../../test/support.ts";
import { appendTurn } from "./append-turn.ts";
import { requestHandoff } from "./handoff.ts";
import { openConversation } from "./open-conversation.ts";
import { forgetHistory, readConversationAndHistory, readHistory } from "./read-history.ts";
import { newRoom as makeRoom, turnOf as makeTurn, OWN } from "./test-support.ts";
import { createThread, deleteThread, findThread, renameThread } from "./threads.ts";

const server = await testServer();
const { app } = server;

const newRoom = () => makeRoom(server);
const turnOf = (conversationId: string, asked: string, answered?: string | null) =>
  makeTurn(app, conversationId, asked, answered);

describe("a conversation", () => {
  test("is made once, however many open it at the same time", async () => {
    const { run, owner } = await newRoom();
    const opened = await Promise.all(
      Array.from({ length: 12 }, () =>
        run((tx) => openConversation(app, tx, owner, { ...OWN, sessionId: "s-1" })),
      ),
    );
    expect(new Set(opened.map(({ id }) => id)).size).toBe(1);
    expect(opened[0]).toMatchObject({ channel: "api", session_id: "s-1", status: "open", bot_paused: false });
  });

  test("differs by session, by channel and from threads", async () => {
    const { run, owner } = await newRoom();
    const ids = await run(async (tx) => {
      const thread = await createThread(app, tx, owner, { slug: "t", name: "T" });
      const opened = [
        await openConversation(app, tx, owner, OWN),
        await openConversation(app, tx, owner, { ...OWN, sessionId: "t" }),
        await openConversation(app, tx, owner, { ...OWN, channel: "openai" }),
        await openConversation(app, tx, owner, { ...OWN, threadSlug: "t" }),
      ];
      expect(opened[3]?.id).toBe(thread?.id);
      expect(await openConversation(app, tx, owner, { ...OWN, threadSlug: "none" })).toBeUndefined();
      return opened.map((one) => one?.id);
    });
    expect(new Set(ids).size).toBe(4);
  });

  test("is read with its workspace and its history in one go, oldest message first", async () => {
    const { run, owner, read, world } = await newRoom();
    expect(await read()).toMatchObject({ conversation: null, history: [] });
    const { id } = await run((tx) => openConversation(app, tx, owner, OWN));
    for (const n of [1, 2, 3]) await run((tx) => appendTurn(app, tx, turnOf(id, `Q${n}`, `A${n}`)));
    const { workspace, conversation, history } = await read();
    expect(workspace).toMatchObject({ id: world.workspaceId, organization_slug: world.orgSlug });
    expect(workspace).not.toHaveProperty("beginning");
    expect(conversation).toMatchObject({ id, forgotten_until: 0 });
    expect(history.map(({ text }) => text)).toEqual(["Q1", "A1", "Q2", "A2", "Q3", "A3"]);
    expect(await run((tx) => readHistory(tx, id, 100, 0))).toEqual(history);
    expect((await run((tx) => readHistory(tx, id, 3, 0))).map(({ text }) => text)).toEqual([
      "A2",
      "Q3",
      "A3",
    ]);
  });

  test("shows the model as many turns as the workspace says", async () => {
    const { run, owner, read, world } = await newRoom();
    const { id } = await run((tx) => openConversation(app, tx, owner, OWN));
    for (const n of [1, 2, 3]) await run((tx) => appendTurn(app, tx, turnOf(id, `Q${n}`, `A${n}`)));
    for (const [openAiHistory, seen] of [
      [2, ["Q2", "A2", "Q3", "A3"]],
      [0, []],
    ] as const) {
      await world.api.post(`/v1/workspace/${Buffer.from(world.workspaceSlug).toString("hex")}/update`, {
        openAiHistory,
      });
      expect((await read()).history.map(({ text }) => text)).toEqual(seen);
    }
  });

  test("that was reset begins anew for the model, and keeps what was said", async () => {
    const { run, owner, read } = await newRoom();
    const { id } = await run((tx) => openConversation(app, tx, owner, OWN));
    await run((tx) => forgetHistory(tx, id));
    await run((tx) => appendTurn(app, tx, turnOf(id, "Old")));
    await run((tx) => forgetHistory(tx, id));
    await run((tx) => appendTurn(app, tx, turnOf(id, "New")));
    expect((await read()).history.map(({ text }) => text)).toEqual(["New", "Yes."]);
    expect(await run((tx) => tx.selectFrom("messages").select("id").execute())).toHaveLength(4);
  });

  test("of an unknown workspace is a workspace that is not found", async () => {
    const { world } = await newRoom();
    const caller = { partnerId: world.partner.id, accountId: world.accountId } as const;
    const reading = readConversationAndHistory(
      app,
      { ...caller, actor: { kind: "key", id: null }, requestId: "t" },
      "nowhere",
      OWN,
    );
    await expect(reading).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("a turn", () => {
  test("is stored once, also when it is stored twice at the same time", async () => {
    const { run, owner, read } = await newRoom();
    const { id } = await run((tx) => openConversation(app, tx, owner, OWN));
    const turn = turnOf(id, "Question");
    const stored = await Promise.all(Array.from({ length: 6 }, () => run((tx) => appendTurn(app, tx, turn))));
    expect(stored.filter((one) => one.stored)).toHaveLength(1);
    expect(new Set(stored.map(({ userId, assistantId }) => `${userId} ${assistantId}`)).size).toBe(1);
    expect(stored[0]?.userId).toBeLessThan(stored[0]?.assistantId ?? 0);
    expect((await read()).history).toHaveLength(2);
  });

  test("without an answer is one message", async () => {
    const { run, owner, read } = await newRoom();
    const { id } = await run((tx) => openConversation(app, tx, owner, OWN));
    const stored = await run((tx) => appendTurn(app, tx, turnOf(id, "Anybody?", null)));
    expect(stored).toMatchObject({ assistantId: null, stored: true });
    expect((await read()).history).toMatchObject([{ role: "user", text: "Anybody?" }]);
  });

  test("opens a closed conversation, and brings it to the top", async () => {
    const { run, owner, read } = await newRoom();
    const { id } = await run((tx) => openConversation(app, tx, owner, OWN));
    await run((tx) => tx.updateTable("conversations").set({ status: "closed" }).execute());
    const later = new Date(app.now().getTime() + 60_000);
    const turn = turnOf(id, "Still there?", null);
    await run((tx) => appendTurn(app, tx, { ...turn, user: { text: "Still there?", at: later } }));
    expect((await read()).conversation?.status).toBe("open");
    const row = await run((tx) => tx.selectFrom("conversations").selectAll().executeTakeFirstOrThrow());
    expect(row.last_message_at).toEqual(later);
  });

  test("of a conversation that was erased meanwhile is not stored", async () => {
    const { run, owner, read } = await newRoom();
    const { id } = await run((tx) => openConversation(app, tx, owner, OWN));
    await run((tx) => tx.deleteFrom("conversations").where("id", "=", id).execute());
    const stored = await run((tx) => appendTurn(app, tx, turnOf(id, "Hello")));
    expect(stored).toEqual({ userId: null, assistantId: null, stored: false });
    expect(await read()).toMatchObject({ conversation: null });
  });

  test("of a conversation that is being erased waits for that, and is not stored", async () => {
    const { run, owner } = await newRoom();
    const { id } = await run((tx) => openConversation(app, tx, owner, OWN));
    const deleted = Promise.withResolvers<void>();
    const going = Promise.withResolvers<void>();
    const erasing = run(async (tx) => {
      await tx.deleteFrom("conversations").where("id", "=", id).execute();
      deleted.resolve();
      await going.promise;
    });
    await deleted.promise;
    const storing = run((tx) => appendTurn(app, tx, turnOf(id, "Hello")));
    setTimeout(going.resolve, 50);
    await erasing;
    expect(await storing).toEqual({ userId: null, assistantId: null, stored: false });
  });

  // On the embedded database there is one transaction at a time.
  test.skipIf(app.db.kind === "pglite")("does not wait for another turn's commit", async () => {
    const { run, owner, read } = await newRoom();
    const { id } = await run((tx) => openConversation(app, tx, owner, OWN));
    const first = Promise.withResolvers<void>();
    const second = Promise.withResolvers<void>();
    const slow = run(async (tx) => {
      await appendTurn(app, tx, turnOf(id, "Slow"));
      first.resolve();
      await second.promise;
    });
    await first.promise;
    expect(await run((tx) => appendTurn(app, tx, turnOf(id, "Quick")))).toMatchObject({ stored: true });
    expect((await read()).history.map(({ text }) => text)).toEqual(["Quick", "Yes."]);
    second.resolve();
    await slow;
    expect((await read()).history).toHaveLength(4);
  });

  test("keeps sources, metrics and whatever characters a model says", async () => {
    const { run, owner } = await newRoom();
    const { id } = await run((tx) => openConversation(app, tx, owner, OWN));
    const nasty = `a${String.fromCharCode(0)}b\ud800c "quoted" \\u0000 über 🎉`;
    const at = app.now();
    await run((tx) =>
      appendTurn(app, tx, {
        conversationId: id,
        turnId: app.newId(),
        user: { text: nasty, at, attachments: [{ name: nasty }] },
        assistant: {
          text: nasty,
          status: "cancelled",
          at,
          sources: [{ docpath: "a/b/c", text: nasty }],
          metrics: { total_tokens: 3 },
          provider: "openai",
          model: "gpt",
        },
      }),
    );
    const rows = await run((tx) => tx.selectFrom("messages").selectAll().orderBy("id").execute());
    const kept = 'a\ufffdb\ufffdc "quoted" \\u0000 über 🎉';
    expect(rows[0]).toMatchObject({
      text: kept,
      attachments: [{ name: kept }],
      sources: null,
      created_at: at,
    });
    expect(rows[1]).toMatchObject({
      text: kept,
      status: "cancelled",
      sources: [{ docpath: "a/b/c", text: kept }],
      metrics: { total_tokens: 3 },
      provider: "openai",
      model: "gpt",
    });
  });
});

describe("a thread", () => {
  test("is created, found, renamed and deleted with its messages by its slug", async () => {
    const { run, owner, read } = await newRoom();
    const made = await run((tx) => createThread(app, tx, owner, { slug: "orders", name: "Orders" }));
    expect(
      await run((tx) => createThread(app, tx, owner, { slug: "orders", name: "Again" })),
    ).toBeUndefined();
    expect(await run((tx) => findThread(tx, owner.workspaceId, "orders"))).toMatchObject({ name: "Orders" });
    expect(await run((tx) => renameThread(app, tx, owner.workspaceId, "orders", "Mine"))).toMatchObject({
      name: "Mine",
      id: made?.id,
    });
    await run((tx) => appendTurn(app, tx, turnOf(made?.id ?? "", "In a thread")));
    expect((await read({ ...OWN, threadSlug: "orders" })).history).toHaveLength(2);
    expect((await read({ ...OWN, threadSlug: "other" })).conversation).toBeNull();
    expect(await run((tx) => deleteThread(tx, owner.workspaceId, "orders"))).toBe(made?.id);
    expect(await run((tx) => deleteThread(tx, owner.workspaceId, "orders"))).toBeUndefined();
    expect(await run((tx) => renameThread(app, tx, owner.workspaceId, "orders", "x"))).toBeUndefined();
    expect(await run((tx) => tx.selectFrom("messages").select("id").execute())).toEqual([]);
  });

  test("of another workspace may have the same slug", async () => {
    const [one, two] = [await newRoom(), await newRoom()];
    for (const { run, owner } of [one, two])
      expect(await run((tx) => createThread(app, tx, owner, { slug: "same", name: "Same" }))).toBeDefined();
  });
});

describe("a hand-off", () => {
  test("is requested once, and the partner is told without what the person said", async () => {
    const { run, owner, know, say, world } = await newRoom();
    const endpoint = await world.api.post("/v1/webhook-endpoints", { url: "https://hooks.example.com/x" });
    expect(endpoint.status).toBe(200);
    const contactId = await know([{ kind: "external", value: "u" }]);
    const id = await say({ contactId }, { asked: "Hello" });
    expect(await run((tx) => requestHandoff(app, tx, id, "wants a refund"))).toBe(true);
    expect(await run((tx) => requestHandoff(app, tx, id, "again"))).toBe(false);
    const row = await run((tx) => tx.selectFrom("conversations").selectAll().executeTakeFirstOrThrow());
    expect(row).toMatchObject({ status: "handoff", handoff_reason: "wants a refund", bot_paused: false });
    const events = await run((tx) => tx.selectFrom("webhook_events").selectAll().execute());
    expect(events).toMatchObject([
      {
        type: "conversation.handoff_requested",
        subject_kind: "conversation",
        subject_id: id,
        workspace_id: owner.workspaceId,
        data: { conversation_id: id, channel: "api", contact_id: contactId },
      },
    ]);
    expect(JSON.stringify(events)).not.toContain("refund");
  });

  test("of a conversation that is gone is none", async () => {
    const { run } = await newRoom();
    expect(await run((tx) => requestHandoff(app, tx, app.newId(), null))).toBe(false);
  });
});

test("the reads of a turn go through indexes", async () => {
  const { run, owner } = await newRoom();
  const { id } = await run((tx) => openConversation(app, tx, owner, OWN));
  const plans = await run(async (tx) => {
    await sql`set local enable_seqscan = off`.execute(tx);
    const explained = [
      await sql`explain select id from messages where conversation_id = ${id} and id > 0 order by id desc limit 40`.execute(
        tx,
      ),
      await sql`explain select id from conversations where workspace_id = ${owner.workspaceId} and channel = 'api'
        and session_key = '' and thread_slug is null`.execute(tx),
    ];
    const { rows: indexes } =
      await sql`select indexdef from pg_indexes where indexname = 'conversations_session'`.execute(tx);
    return [...explained.map(({ rows }) => JSON.stringify(rows)), JSON.stringify(indexes)];
  });
  expect(plans[0]).toContain("messages_conversation");
  // Which of the workspace's indexes depends on how many conversations it has; a policy would keep an expression out.
  expect(plans[1]).toMatch(/Index Scan using conversations_(session|page)/);
  expect(plans[2]).toContain("(workspace_id, channel, session_key)");
});
