import { describe, expect, test } from "vitest";
import { expectNamed, expectProblem } from "../../test/expectations.ts";
import { client, testServer } from "../../test/support.ts";
import { newRoom as makeRoom } from "./test-support.ts";
import { createThread } from "./threads.ts";

const server = await testServer();
const { app } = server;
const newRoom = () => makeRoom(server);

const ids = (reply: { body: { conversations: { id: string }[] } }) =>
  reply.body.conversations.map(({ id }) => id);
const ago = (minutes: number) => new Date(app.now().getTime() - minutes * 60_000);

describe("the list of conversations", () => {
  test("has those of every channel, the last active first, page by page", async () => {
    const { say, path, world } = await newRoom();
    const made = [
      await say({ sessionId: "a" }, { asked: "First", at: ago(3) }),
      await say({ channel: "whatsapp", sessionId: "+391234567890" }, { asked: "Second", at: ago(2) }),
      await say({ channel: "voice", sessionId: "call-1" }, { asked: "Third", at: ago(1) }),
      await say({ channel: "openai" }, { asked: "Fourth" }),
    ];
    await say({ sessionId: "a" }, { asked: "Again" });
    const seen: string[] = [];
    let cursor = "";
    do {
      const { body } = await world.api.get(`${path}/conversations?limit=1${cursor}`);
      seen.push(...body.conversations.map(({ id }: { id: string }) => id));
      cursor = body.next_cursor === null ? "" : `&cursor=${body.next_cursor}`;
    } while (cursor !== "");
    expect(seen).toEqual([made[0], made[3], made[2], made[1]]);
  });

  test("shows who, where, what was said last and how much", async () => {
    const { say, know, path, world } = await newRoom();
    const contactId = await know([{ kind: "phone", value: "+390612345678" }], "Ada");
    const id = await say(
      { channel: "whatsapp", sessionId: "+390612345678", contactId },
      { asked: "Hello", answered: "x".repeat(300) },
    );
    const { body } = await world.api.get(`${path}/conversations/${id}`);
    expect(body.conversation).toMatchObject({
      id,
      channel: "whatsapp",
      session_id: "+390612345678",
      thread_slug: null,
      status: "open",
      bot_paused: false,
      contact: { id: contactId, name: "Ada" },
      message_count: 2,
      last_message: { role: "assistant", text: "x".repeat(200) },
    });
    expect((await world.api.get(`${path}/conversations`)).body.conversations).toEqual([body.conversation]);
  });

  test("is filtered by channel, status, person, takeover, time and text", async () => {
    const { say, know, path, world } = await newRoom();
    const contactId = await know([{ kind: "external", value: "u1" }]);
    const old = await say({ sessionId: "old" }, { asked: "Where is my 100% wool_coat?", at: ago(90) });
    const persons = await say({ channel: "web", sessionId: "new", contactId }, { asked: "Good morning" });
    const paused = await say({ sessionId: "paused" }, { asked: "Human please" });
    const list = (query: string) => world.api.get(`${path}/conversations?${query}`);
    await world.api.post(`${path}/conversations/${paused}/update`, { bot_paused: true, status: "handoff" });
    const hourAgo = ago(60).toISOString();
    for (const [query, expected] of [
      ["channel=web", [persons]],
      ["status=handoff", [paused]],
      ["bot_paused=true", [paused]],
      ["bot_paused=false&channel=api", [old]],
      [`contact_id=${contactId}`, [persons]],
      [`contact_id=${app.newId()}`, []],
      [`to=${hourAgo}`, [old]],
      [`from=${hourAgo}&channel=api`, [paused]],
      ["q=WOOL_COAT", [old]],
      ["q=100%25 wool", [old]],
      ["q=woolXcoat", []],
      [`q=wool&to=${hourAgo}`, [old]],
      [`q=wool&from=${hourAgo}`, []],
      ["q=yes.&channel=web", [persons]],
    ] as const)
      expect(ids(await list(query)), query).toEqual(expected);
  });

  test.each([
    "channel=pigeon",
    "status=gone",
    "bot_paused=yes",
    "from=yesterday",
    "q=",
    "cursor=YQ",
    "contact_id=1",
    `cursor=${Buffer.from("99999999999999999:0192f0c1-2b3c-7d4e-8f50-61728394a5b6").toString("base64url")}`,
  ])("refuses %s", async (query) => {
    const { path, world } = await newRoom();
    const reply = await world.api.get(`${path}/conversations?${query}`);
    expectProblem(reply, "invalid_request");
    expectNamed(reply, `query.${query.slice(0, query.indexOf("="))}`);
  });

  test("of one workspace has nothing of another, nor can it be reached by its id there", async () => {
    const [one, two] = [await newRoom(), await newRoom()];
    const id = await one.say({ sessionId: "s" }, { asked: "Secret" });
    expect(ids(await two.world.api.get(`${two.path}/conversations`))).toEqual([]);
    const sister = await one.world.api.post(
      `/v1/org/${Buffer.from(one.world.orgSlug).toString("hex")}/workspaces`,
      { name: "Sister" },
    );
    for (const path of [
      `/v1/workspace/${sister.body.workspace.slug}/conversations/${id}`,
      `/v1/workspace/${sister.body.workspace.slug}/conversations/${id}/messages`,
    ])
      expectProblem(await one.world.api.get(path), "not_found");
  });
});

describe("the messages of a conversation", () => {
  test("come newest first, page by page, with all that was written down", async () => {
    const { say, path, world } = await newRoom();
    const id = await say({}, { asked: "Q1", answered: "A1" }, { asked: "Q2", answered: "A2" });
    const first = await world.api.get(`${path}/conversations/${id}/messages?limit=3`);
    expect(first.body.messages.map(({ text }: { text: string }) => text)).toEqual(["A2", "Q2", "A1"]);
    expect(first.body.messages[0]).toMatchObject({ role: "assistant", status: "complete", sources: null });
    expect(first.body.messages[0].turn_id).toBe(first.body.messages[1].turn_id);
    const next = `${path}/conversations/${id}/messages?cursor=${first.body.next_cursor}`;
    const second = await world.api.get(next);
    expect(second.body).toMatchObject({ messages: [{ text: "Q1" }], next_cursor: null });
    expectProblem(await world.api.get(`${path}/conversations/${id}/messages?cursor=eA`), "invalid_request");
  });
});

describe("a takeover", () => {
  test("pauses the assistant until it is given back, and leaves a trail", async () => {
    const { say, path, read, world } = await newRoom();
    const id = await say({}, { asked: "Hello" });
    const taken = await world.api.post(`${path}/conversations/${id}/update`, {
      bot_paused: true,
      name: "Refund",
    });
    expect(taken.body).toMatchObject({ success: true, conversation: { bot_paused: true, name: "Refund" } });
    expect((await read()).conversation).toMatchObject({ bot_paused: true });
    const given = await world.api.post(`${path}/conversations/${id}/update`, {
      bot_paused: false,
      name: null,
    });
    expect(given.body.conversation).toMatchObject({ bot_paused: false, name: null });
    const trail = await client(server.url, world.partner.key).get(
      "/v1/audit-events?resource_type=conversation",
    );
    expect(trail.body.audit_events).toMatchObject([
      { action: "conversation.updated", resource: { id }, details: { fields: ["bot_paused", "name"] } },
      { action: "conversation.updated", workspace_id: world.workspaceId },
    ]);
    expect(JSON.stringify(trail.body)).not.toContain("Refund");
  });

  test("that was asked for ends when the conversation is opened again or closed", async () => {
    const { say, path, world } = await newRoom();
    const id = await say({}, { asked: "Hello" });
    const update = (body: object) => world.api.post(`${path}/conversations/${id}/update`, body);
    const asked = await update({ status: "handoff", bot_paused: true });
    expect(asked.body.conversation).toMatchObject({ status: "handoff", bot_paused: true });
    expect(asked.body.conversation.handoff_requested_at).not.toBeNull();
    expect((await update({ status: "open" })).body.conversation).toMatchObject({
      status: "open",
      bot_paused: true,
      handoff_requested_at: null,
    });
    expect((await update({ status: "closed" })).body.conversation).toMatchObject({
      status: "closed",
      bot_paused: false,
    });
    await say({}, { asked: "One more thing" });
    const { body } = await world.api.get(`${path}/conversations/${id}`);
    expect(body.conversation).toMatchObject({ status: "open" });
  });

  test("needs something to change, and leaves a thread its name", async () => {
    const { run, owner, path, world } = await newRoom();
    const thread = await run((tx) => createThread(app, tx, owner, { slug: "t", name: "T" }));
    const update = (body: object) => world.api.post(`${path}/conversations/${thread?.id}/update`, body);
    expectProblem(await update({}), "invalid_request");
    const nameless = await update({ name: null });
    expectProblem(nameless, "invalid_request");
    expectNamed(nameless, "body.name");
    expect((await update({ name: "Two" })).body.conversation).toMatchObject({
      name: "Two",
      thread_slug: "t",
    });
  });
});

describe("a workspace", () => {
  test("shows its newest threads and how many it has, beside its documents", async () => {
    const { run, owner, path, world, say } = await newRoom();
    await say({}, { asked: "No thread" });
    await run(async (tx) => {
      for (let n = 1; n <= 101; n += 1)
        await createThread(app, tx, owner, { slug: `t-${n}`, name: `T ${n}` });
    });
    const { workspace } = (await world.api.get(path)).body;
    expect(workspace.threads).toHaveLength(100);
    expect(workspace.threads.slice(0, 2)).toEqual([
      { slug: "t-101", name: "T 101" },
      { slug: "t-100", name: "T 100" },
    ]);
    expect(workspace.totals).toEqual({ documents: 0, threads: 101, chunks: 0, tokens: 0 });
  });
});
