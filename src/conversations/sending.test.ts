import { describe, expect, test } from "vitest";
import { expectNamed, expectProblem } from "../../test/expectations.ts";
import { client, startTestServer, testServer } from "../../test/support.ts";
import type { App } from "../context.ts";
import { ProviderError } from "../ports/provider-error.ts";
import type { OutgoingMessage } from "./channel.ts";
import { SEND_ATTEMPTS, SEND_JOB, sendMessageHandler } from "./send-message.jobs.ts";
import { newRoom, type Room } from "./test-support.ts";

/** A provider of messages that a test makes fail, and what came through it. */
interface Provider {
  sent: (OutgoingMessage & { workspaceId: number })[];
  /** Thrown by the next calls, one each. */
  failures: Error[];
  senders: App["channelSenders"];
}

function newProvider(): Provider {
  const provider: Provider = {
    sent: [],
    failures: [],
    senders: {
      whatsapp: {
        textMax: 40,
        async send(_app, { workspaceId }, message) {
          const failure = provider.failures.shift();
          if (failure !== undefined) throw failure;
          provider.sent.push({ ...message, workspaceId });
        },
      },
    },
  };
  return provider;
}

const provider = newProvider();
const connected = await startTestServer({}, { channelSenders: provider.senders });
const bare = await testServer();

const messagesOf = async ({ world, path }: Room, id: string) =>
  (await world.api.get(`${path}/conversations/${id}/messages`)).body.messages;

async function until<T>(read: () => Promise<T>, good: (value: T) => boolean): Promise<T> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const value = await read();
    if (good(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("it did not come to that within ten seconds");
}

const gone = ([message]: { status: string }[]) => message?.status !== "pending";

describe("a human's answer", () => {
  test("is in the history at once where clients ask for it, and pauses the assistant", async () => {
    const room = await newRoom(bare);
    for (const channel of ["api", "openai", "web"] as const) {
      const id = await room.say({ channel }, { asked: "Hello" });
      const reply = await room.world.api.post(`${room.path}/conversations/${id}/messages`, {
        text: " Ada here. ",
      });
      expect(reply.body).toMatchObject({
        success: true,
        message: { role: "human", text: "Ada here.", status: "complete", provider: null },
      });
      const { body } = await room.world.api.get(`${room.path}/conversations/${id}`);
      expect(body.conversation).toMatchObject({ bot_paused: true, message_count: 3, status: "open" });
      expect(await messagesOf(room, id)).toMatchObject([
        { role: "human" },
        { role: "assistant" },
        { role: "user" },
      ]);
      expect((await room.read({ channel, sessionId: null, threadSlug: null })).history.at(-1)).toMatchObject({
        role: "human",
      });
    }
    const trail = await client(bare.url, room.world.partner.key).get(
      "/v1/audit-events?action=conversation.answered",
    );
    expect(trail.body.audit_events).toHaveLength(3);
    expect(JSON.stringify(trail.body)).not.toContain("Ada here");
  });

  test("opens a closed conversation", async () => {
    const room = await newRoom(bare);
    const id = await room.say({}, { asked: "Hello" });
    await room.world.api.post(`${room.path}/conversations/${id}/update`, { status: "closed" });
    await room.world.api.post(`${room.path}/conversations/${id}/messages`, { text: "One more thing." });
    const { body } = await room.world.api.get(`${room.path}/conversations/${id}`);
    expect(body.conversation).toMatchObject({ status: "open", bot_paused: true });
  });

  test("is refused where nothing can send it, and nothing of it stays", async () => {
    const room = await newRoom(bare);
    for (const channel of ["whatsapp", "voice"] as const) {
      const id = await room.say({ channel, sessionId: "x" }, { asked: "Hello" });
      const reply = await room.world.api.post(`${room.path}/conversations/${id}/messages`, { text: "Hi" });
      expectProblem(reply, "conflict");
      expect(reply.body.message).toContain(channel);
      expect(await messagesOf(room, id)).toHaveLength(2);
      const { body } = await room.world.api.get(`${room.path}/conversations/${id}`);
      expect(body.conversation.bot_paused).toBe(false);
    }
  });

  test.each([{ text: "" }, { text: "   " }, { text: "x".repeat(20_001) }, {}])("is not %j", async (body) => {
    const room = await newRoom(bare);
    const id = await room.say({}, { asked: "Hello" });
    const reply = await room.world.api.post(`${room.path}/conversations/${id}/messages`, body);
    expectProblem(reply, "invalid_request");
    expectNamed(reply, "body.text");
  });

  test("sent again with its Idempotency-Key is one answer", async () => {
    const room = await newRoom(bare);
    const id = await room.say({}, { asked: "Hello" });
    const post = () =>
      room.world.api.post(
        `${room.path}/conversations/${id}/messages`,
        { text: "Once" },
        { "idempotency-key": "k" },
      );
    const [first, second] = [await post(), await post()];
    expect(second.body).toEqual(first.body);
    expect(await messagesOf(room, id)).toHaveLength(3);
  });
});

describe("a channel with a sender", () => {
  test("brings a human's answers to the person, in the order they were written", async () => {
    const room = await newRoom(connected);
    const contactId = await room.know([{ kind: "phone", value: "+390612345678" }]);
    const id = await room.say(
      { channel: "whatsapp", sessionId: "+390612345678", contactId },
      { asked: "Hello" },
    );
    provider.failures = [new Error("away"), new Error("away")];
    const texts = ["One", "Two", "Three"];
    for (const text of texts) {
      const reply = await room.world.api.post(`${room.path}/conversations/${id}/messages`, { text });
      expect(reply.body.message).toMatchObject({ status: "pending", text });
    }
    const all = await until(
      () => messagesOf(room, id),
      (messages) => messages.every(({ status }: { status: string }) => status === "complete"),
    );
    const mine = provider.sent.filter(({ workspaceId }) => workspaceId === room.owner.workspaceId);
    expect(mine.map(({ text }) => text)).toEqual(texts);
    expect(mine[0]).toMatchObject({
      conversationId: id,
      sessionId: "+390612345678",
      contactId,
      id: all[2].id,
    });
  }, 30_000);

  test("refuses a text that is too long for it", async () => {
    const room = await newRoom(connected);
    const id = await room.say({ channel: "whatsapp", sessionId: "1" }, { asked: "Hello" });
    const post = (text: string) => room.world.api.post(`${room.path}/conversations/${id}/messages`, { text });
    const reply = await post("x".repeat(41));
    expectProblem(reply, "invalid_request");
    expectNamed(reply, "body.text");
    expect((await post("x".repeat(40))).status).toBe(200);
    await until(() => messagesOf(room, id), gone);
  });

  test("that refuses a message for good is not asked again, and the message says so", async () => {
    const room = await newRoom(connected);
    const id = await room.say({ channel: "whatsapp", sessionId: "2" }, { asked: "Hello" });
    provider.failures = [new ProviderError("No.", { provider: "meta", code: "rejected", retryable: false })];
    await room.world.api.post(`${room.path}/conversations/${id}/messages`, { text: "Refused" });
    expect((await until(() => messagesOf(room, id), gone))[0]).toMatchObject({ status: "failed" });
    await room.world.api.post(`${room.path}/conversations/${id}/messages`, { text: "Next" });
    expect((await until(() => messagesOf(room, id), gone))[0]).toMatchObject({ status: "complete" });
  });

  test("loses nothing of what it does not take in the end", async () => {
    const room = await newRoom(connected);
    const id = await room.say({ channel: "whatsapp", sessionId: "3" }, { asked: "Hello" });
    const message = await pendingMessage(room, id);
    provider.failures = [new Error("away")];
    const run = (attempt: number) =>
      runJob(room, { workspaceId: room.owner.workspaceId, messageId: message }, attempt);
    await expect(run(SEND_ATTEMPTS - 1)).rejects.toThrow();
    expect((await messagesOf(room, id))[0]).toMatchObject({ status: "pending" });
    provider.failures = [new Error("away")];
    await expect(run(SEND_ATTEMPTS)).rejects.toThrow();
    expect((await messagesOf(room, id))[0]).toMatchObject({ status: "failed" });
    // Run once more by mistake, it sends nothing.
    const before = provider.sent.length;
    await run(1);
    expect(provider.sent).toHaveLength(before);
  });

  test("sends nothing of a conversation that was erased, or through a channel that is gone", async () => {
    const room = await newRoom(connected);
    const id = await room.say({ channel: "whatsapp", sessionId: "4" }, { asked: "Hello" });
    const message = await pendingMessage(room, id);
    const payload = { workspaceId: room.owner.workspaceId, messageId: message };
    await expect(runJob({ ...room }, payload, 1, bare.app.channelSenders)).rejects.toMatchObject({
      code: "channel_unavailable",
    });
    expect((await messagesOf(room, id))[0]).toMatchObject({ status: "failed" });
    await room.run((tx) => tx.deleteFrom("conversations").where("id", "=", id).execute());
    const before = provider.sent.length;
    await runJob(room, payload, 1);
    expect(provider.sent).toHaveLength(before);
    await expect(runJob(room, {}, 1)).rejects.toMatchObject({ code: "bad_payload" });
  });
});

/** One whose job was lost: nobody but the test runs it. */
async function pendingMessage({ run, owner }: Room, conversationId: string): Promise<number> {
  const { id } = await run((tx) =>
    tx
      .insertInto("messages")
      .values({
        partner_id: owner.partnerId,
        account_id: owner.accountId,
        organization_id: owner.organizationId,
        workspace_id: owner.workspaceId,
        conversation_id: conversationId,
        turn_id: connected.app.newId(),
        role: "human",
        text: "Pending",
        status: "pending",
      })
      .returning("id")
      .executeTakeFirstOrThrow(),
  );
  return id;
}

async function runJob(
  { owner }: Room,
  payload: object,
  attempt: number,
  channelSenders = connected.app.channelSenders,
): Promise<unknown> {
  return sendMessageHandler(
    { ...connected.app, channelSenders },
    {
      id: connected.app.newId(),
      partnerId: owner.partnerId,
      accountId: owner.accountId,
      organizationId: owner.organizationId,
      payload,
      attempt,
      isLastAttempt: attempt === SEND_ATTEMPTS,
      signal: new AbortController().signal,
      progress: async () => undefined,
    },
  );
}

test("the worker knows the job", async () => {
  const { jobHandlers } = await import("../areas.ts");
  expect(jobHandlers[SEND_JOB]).toBe(sendMessageHandler);
});
