import { beforeEach, describe, expect, test } from "vitest";
import { startChatServer, until } from "../../test/chat-support.ts";
import { client } from "../../test/support.ts";
import {
  newWhatsAppWorld,
  newWriter,
  QUICK,
  sharedMeta,
  type WhatsAppWorld,
  type Writer,
} from "../../test/whatsapp-support.ts";
import { queueOutgoing } from "./outgoing.ts";
import { createSendGate } from "./send-gate.ts";

const meta = await sharedMeta();
const server = await startChatServer(meta.environment(), { whatsapp: QUICK });
const { app } = server;

beforeEach(() => {
  server.model.chat.reset();
  server.model.chat.always({ texts: ["Yes."] });
});

interface Known {
  room: WhatsAppWorld;
  ada: Writer;
  /** Puts further messages into the outbox, as a room's own notices are. */
  queue(...texts: string[]): Promise<void>;
  // biome-ignore lint/suspicious/noExplicitAny: tests look at rows as they are
  rows(): Promise<any[]>;
  states(): Promise<string[]>;
}

/** Somebody who was answered already. */
async function newKnown(numbers?: Parameters<typeof newWhatsAppWorld>[4]): Promise<Known> {
  const room = await newWhatsAppWorld(server, meta, {}, undefined, numbers);
  const ada = newWriter();
  await room.write(ada, "Hello");
  await room.answered(ada);
  const tenant = { partnerId: room.partner.id, accountId: room.accountId, workspaceId: room.workspaceId };
  const rows = () =>
    app.db.asTenant(tenant, (tx) => tx.selectFrom("whatsapp_messages").selectAll().orderBy("id").execute());
  await until(async () => (await rows())[0]?.wamid !== null);
  let queued = 0;
  return {
    room,
    ada,
    rows,
    states: async () => (await rows()).map(({ state }) => state),
    queue: (...texts) =>
      app.db.asTenant(tenant, async (tx) => {
        const person = await tx.selectFrom("whatsapp_contacts").selectAll().executeTakeFirstOrThrow();
        queued += 1;
        await queueOutgoing(app, tx, {
          connectionId: room.connectionId,
          person,
          conversationId: person.conversation_id,
          messageId: null,
          kind: "answer",
          replyKey: `test ${queued}`,
          texts,
        });
      }),
  };
}

const messagesTo = (room: WhatsAppWorld) => ({ path: `/${room.number.id}/messages`, method: "POST" });

describe("what goes out", () => {
  test("carries our own id, goes to the number rather than to the id, and shows no preview", async () => {
    const { room, ada, rows } = await newKnown();
    const sent = meta.sent.find(({ phoneNumberId }) => phoneNumberId === room.number.id);
    const [row] = await rows();
    expect(sent).toMatchObject({
      to: ada.from,
      recipient: null,
      biz_opaque_callback_data: row.id,
      body: { body: "Yes.", preview_url: false },
    });
    expect(row).toMatchObject({ state: "accepted", wamid: sent?.wamid, kind: "answer", attempts: 1 });
  });

  test("to one person keeps its order, also when the first of it is refused for a while", async () => {
    const { room, ada, queue } = await newKnown();
    meta.fail(messagesTo(room), { code: 131000 }, 2);
    await queue("One", "Two", "Three");
    expect(await room.answered(ada, 4, 20_000)).toEqual(["Yes.", "One", "Two", "Three"]);
  }, 30_000);

  test("is as long as a message may be, and goes on in the next", async () => {
    const room = await newWhatsAppWorld(server, meta);
    const ada = newWriter();
    const paragraph = `${"word ".repeat(300).trim()}.`;
    server.model.chat.always({ texts: [Array(5).fill(paragraph).join("\n\n")] });
    await room.write(ada, "Tell me everything");
    const texts = await room.answered(ada, 3);
    expect(texts.every((text) => text.length <= 4_096)).toBe(true);
    expect(texts.join("\n\n").split("\n\n")).toEqual(Array(5).fill(paragraph));
  });

  test("follows statuses as they come, whatever their order", async () => {
    meta.reportStatuses({ serverUrl: server.url, statuses: ["read", "sent", "delivered"], before: true });
    try {
      const { states } = await newKnown();
      await until(async () => (await states())[0] === "read");
    } finally {
      meta.reportStatuses(null);
    }
  });
});

describe("when Meta refuses", () => {
  test("because a person got too much, the rest waits, and others do not", async () => {
    const { room, ada, queue, rows } = await newKnown();
    const bob = newWriter();
    meta.fail(messagesTo(room), { code: 131056 }, 1);
    await queue("Later");
    await until(async () => (await rows())[1]?.attempts === 1 && (await rows())[1]?.state === "pending");
    await room.write(bob, "And me?");
    await room.answered(bob);
    expect(room.textsTo(ada)).toEqual(["Yes."]);
    expect(await room.answered(ada, 2, 15_000)).toEqual(["Yes.", "Later"]);
  }, 30_000);

  test("because a number got too much, nothing goes out through it for a while", async () => {
    const { room, ada, queue } = await newKnown();
    meta.fail(messagesTo(room), { code: 130429 }, 1);
    const before = meta.requests.length;
    await queue("Patience");
    expect(await room.answered(ada, 2, 15_000)).toEqual(["Yes.", "Patience"]);
    const tries = meta.requests
      .slice(before)
      .filter(({ path }) => path.includes(`${room.number.id}/messages`));
    expect((tries[1]?.at.getTime() ?? 0) - (tries[0]?.at.getTime() ?? 0)).toBeGreaterThan(1_500);
  }, 30_000);

  test.each([
    [131026, "undeliverable"],
    [131047, "outside_window"],
    [131048, "spam"],
    [131009, "rejected"],
  ])("with %i, the message has failed for good", async (code, reason) => {
    const { room, ada, queue, rows } = await newKnown();
    meta.fail(messagesTo(room), { code }, 1);
    await queue("Never");
    await until(async () => (await rows())[1]?.state === "failed");
    expect((await rows())[1]).toMatchObject({ error: { code: reason }, attempts: 1 });
    await queue("But this");
    expect(await room.answered(ada, 2)).toEqual(["Yes.", "But this"]);
  });

  test.each([
    [190, "reauth_required"],
    [10, "reauth_required"],
    [131042, "needs_payment"],
    [131031, "blocked"],
    [133010, "needs_register"],
  ] as const)(
    "with %i, everything waits and the connection says %s",
    async (code, status) => {
      const { room, ada, queue, states } = await newKnown();
      const api = client(server.url, room.partner.key);
      await api.post("/v1/webhook-endpoints", {
        url: "https://partner.example.com/hooks",
        events: ["whatsapp.reauth_required"],
      });
      meta.fail(messagesTo(room), { code }, 1);
      await queue("Waiting");
      const connection = () =>
        app.db.asSystem("whatsapp", (tx) =>
          tx
            .selectFrom("whatsapp_connections")
            .selectAll()
            .where("id", "=", room.connectionId)
            .executeTakeFirstOrThrow(),
        );
      await until(async () => (await connection()).status === status);
      await queue("Waiting, too");
      await room.write(ada, "Are you there?");
      await room.settled();
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      expect(room.textsTo(ada)).toEqual(["Yes."]);
      expect(await states()).toEqual(["accepted", "pending", "pending", "pending"]);
      expect((await connection()).last_error).toMatchObject({ code: `meta_${code}` });
      const events = await app.db.asSystem("superadmin", (tx) =>
        tx
          .selectFrom("webhook_events")
          .select("type")
          .where("partner_id", "=", room.partner.id)
          .where("type", "=", "whatsapp.reauth_required")
          .execute(),
      );
      expect(events).toHaveLength(status === "reauth_required" ? 1 : 0);
      await room.setConnection("active");
      expect(await room.answered(ada, 4)).toEqual(["Yes.", "Waiting", "Waiting, too", "Yes."]);
    },
    20_000,
  );

  test("a connection that broke before anything arrived is tried again", async () => {
    const { room, ada, queue } = await newKnown();
    meta.fail(messagesTo(room), { code: 131016 }, 1);
    await queue("Again");
    expect(await room.answered(ada, 2, 15_000)).toEqual(["Yes.", "Again"]);
  }, 20_000);
});

describe("when nobody knows whether it went out", () => {
  test("because the connection broke, it is not sent a second time", async () => {
    const { room, queue, states } = await newKnown();
    meta.fail(messagesTo(room), "reset", 1);
    await queue("Once or never", "The next");
    await until(async () => (await states())[1] === "unknown", 10_000);
    await until(async () => (await states())[2] === "accepted");
    expect(meta.requests.filter(({ body }) => JSON.stringify(body).includes("Once or never"))).toHaveLength(
      1,
    );
    expect(room.number.id).toBeTruthy();
  }, 20_000);

  test("because the process died, it is not sent a second time", async () => {
    const { room, ada, queue, rows, states } = await newKnown();
    await room.setConnection("needs_register");
    await queue("Begun", "Leased only");
    const [, begun, leased] = await rows();
    await app.db.asSystem("whatsapp", async (tx) => {
      const gone = new Date(Date.now() - 1_000);
      const set = (id: string, state: "pending" | "sending") =>
        tx
          .updateTable("whatsapp_messages")
          .set({ state, attempts: 1, lease_until: gone })
          .where("id", "=", id)
          .execute();
      await set(begun.id, "sending");
      await set(leased.id, "pending");
    });
    await room.setConnection("active");
    await until(async () => (await states())[2] === "accepted");
    expect(await states()).toEqual(["accepted", "unknown", "accepted"]);
    expect(room.textsTo(ada)).toEqual(["Yes.", "Leased only"]);
  }, 20_000);

  test("a status that comes meanwhile tells that it did", async () => {
    const { room, queue, rows, states } = await newKnown();
    meta.fail(messagesTo(room), "reset", 1);
    await queue("Arrived");
    await until(async () => (await states())[1] === "sending");
    const reference = (await rows())[1].id;
    const status = meta.webhook.status(room.number, "wamid.arrived", "delivered", { reference });
    await meta.webhook.send(server.url, status);
    await until(async () => (await states())[1] === "delivered");
    expect((await rows())[1]).toMatchObject({ wamid: "wamid.arrived" });
  }, 20_000);
});

describe("what is not sent any more", () => {
  const failed = async ({ rows }: Known, code: string) => {
    await until(async () => (await rows())[1]?.state === "failed");
    expect((await rows())[1]).toMatchObject({ error: { code } });
  };
  const change = (room: WhatsAppWorld, columns: object) =>
    app.db.asSystem("whatsapp", (tx) =>
      tx.updateTable("whatsapp_contacts").set(columns).where("workspace_id", "=", room.workspaceId).execute(),
    );

  test("is what the person could not be sent after 24 hours", async () => {
    const known = await newKnown();
    await change(known.room, { last_inbound_at: new Date(Date.now() - 24 * 3_600_000) });
    await known.queue("Too late");
    await failed(known, "outside_window");
  });

  test("is the answer to somebody who said stop meanwhile", async () => {
    const known = await newKnown();
    await change(known.room, { opted_out_at: new Date() });
    await known.queue("Advertisement");
    await failed(known, "opted_out");
  });

  test("is the answer to somebody whom a human has answered meanwhile", async () => {
    const known = await newKnown();
    await change(known.room, { bot_paused_until: new Date(Date.now() + 60_000) });
    await known.queue("Me, too");
    await failed(known, "human_answered");
  });

  test("is what was left when the number was disconnected", async () => {
    const known = await newKnown();
    await known.room.setConnection("disconnected");
    await known.queue("Goodbye");
    await failed(known, "disconnected");
  });
});

describe("a human's message", () => {
  const post = async ({ room, ada }: Known, text: string) => {
    const { id } = await room.conversation(ada);
    const reply = await room.api.post(`${room.path}/conversations/${id}/messages`, { text });
    expect(reply.status).toBe(200);
    const message = async () => (await room.conversation(ada)).messages.at(-1);
    await until(async () => (await message()).status !== "pending", 15_000);
    return message();
  };

  test("goes out as it was written, and the assistant is silent from then on", async () => {
    const known = await newKnown();
    expect(await post(known, "Paul here, *how* can I help?")).toMatchObject({
      role: "human",
      status: "complete",
    });
    expect(known.room.textsTo(known.ada)).toEqual(["Yes.", "Paul here, *how* can I help?"]);
    await known.room.write(known.ada, "Thanks");
    await known.room.settled();
    expect(known.room.textsTo(known.ada)).toHaveLength(2);
  }, 20_000);

  test("fails clearly when the person last wrote a day ago, or the number cannot send", async () => {
    const known = await newKnown();
    await app.db.asSystem("whatsapp", (tx) =>
      tx
        .updateTable("whatsapp_contacts")
        .set({ last_inbound_at: new Date(Date.now() - 25 * 3_600_000) })
        .where("workspace_id", "=", known.room.workspaceId)
        .execute(),
    );
    expect(await post(known, "Still there?")).toMatchObject({ status: "failed" });
    await known.room.setConnection("reauth_required");
    expect(await post(known, "Hello?")).toMatchObject({ status: "failed" });
    await known.room.setConnection("disconnected");
    expect(await post(known, "Hello??")).toMatchObject({ status: "failed" });
    expect(known.room.textsTo(known.ada)).toEqual(["Yes."]);
    expect((await known.rows()).slice(1).map(({ error }) => error.code)).toEqual([
      "outside_window",
      "reauth_required",
    ]);
  }, 30_000);

  test("is refused where it is longer than WhatsApp takes", async () => {
    const { room, ada } = await newKnown();
    const { id } = await room.conversation(ada);
    const reply = await room.api.post(`${room.path}/conversations/${id}/messages`, {
      text: "x".repeat(4_097),
    });
    expect(reply.status).toBe(400);
  });
});

describe("the gate of a number", () => {
  test("lets messages through as far apart as Meta wants them, and those of other numbers at once", async () => {
    const gate = createSendGate(() => performance.now());
    const begun = performance.now();
    await Promise.all(Array.from({ length: 11 }, () => gate.pass("1", 50)));
    const took = performance.now() - begun;
    expect(took).toBeGreaterThanOrEqual(195);
    const other = performance.now();
    await gate.pass("2", 50);
    expect(performance.now() - other).toBeLessThan(100);
  });

  test("holds a number for as long as it was told to", () => {
    let now = 0;
    const gate = createSendGate(() => now);
    gate.hold("1", 1_000);
    expect(gate.held()).toEqual(["1"]);
    now = 1_000;
    expect(gate.held()).toEqual([]);
  });
});
