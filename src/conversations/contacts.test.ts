import { describe, expect, test } from "vitest";
import { expectProblem } from "../../test/expectations.ts";
import { client, testServer } from "../../test/support.ts";
import { appendTurn } from "./append-turn.ts";
import { normalizeIdentities } from "./contact-identity.ts";
import { newRoom as makeRoom, type Room, turnOf } from "./test-support.ts";

const server = await testServer();
const { app } = server;
const newRoom = () => makeRoom(server);

const PHONE = { kind: "phone", value: "+390612345678" } as const;
const EMAIL = { kind: "email", value: "Ada@Example.com" } as const;
const CRM = { kind: "external", value: "crm-17" } as const;

const contactsOf = async ({ world, path }: Room, query = "") =>
  (await world.api.get(`${path}/contacts${query}`)).body.contacts;

describe("a contact", () => {
  test("is one person, by whatever they are recognised, on every channel", async () => {
    const room = await newRoom();
    const id = await room.know([PHONE], "Ada");
    expect(await room.know([PHONE])).toBe(id);
    expect(await room.know([PHONE, EMAIL], "Another name")).toBe(id);
    expect(await room.know([{ ...EMAIL, value: " ada@example.COM " }])).toBe(id);
    expect(await contactsOf(room)).toMatchObject([
      { id, name: "Ada", identities: [{ kind: "email", value: "ada@example.com" }, PHONE] },
    ]);
  });

  test("is made once, however many messages arrive at the same time", async () => {
    const room = await newRoom();
    const found = await Promise.all(Array.from({ length: 10 }, () => room.know([PHONE, CRM], "Ada")));
    expect(new Set(found).size).toBe(1);
    expect(await contactsOf(room)).toHaveLength(1);
  });

  test("takes a name when it has none", async () => {
    const room = await newRoom();
    await room.know([PHONE]);
    await room.know([PHONE], "Ada");
    await room.know([PHONE], "Not Ada");
    expect(await contactsOf(room)).toMatchObject([{ name: "Ada" }]);
  });

  test("that turns out to be the same person as another is merged with it, conversations and all", async () => {
    const room = await newRoom();
    const phone = await room.know([PHONE]);
    const external = await room.know([CRM], "Ada");
    const call = await room.say({ channel: "voice", sessionId: "c", contactId: phone }, { asked: "Call" });
    const chat = await room.say({ sessionId: "s", contactId: external }, { asked: "Chat" });
    expect(await room.know([CRM, PHONE, EMAIL])).toBe(phone);
    expect(await contactsOf(room)).toMatchObject([{ id: phone, name: "Ada" }]);
    const { body } = await room.world.api.get(`${room.path}/contacts/${phone}`);
    expect(body.contact.identities).toHaveLength(3);
    expect(body.conversations.map(({ id }: { id: string }) => id)).toEqual([call, chat]);
    expectProblem(await room.world.api.get(`${room.path}/contacts/${external}`), "not_found");
  });

  test("is merged once by many at the same time, while conversations are opened with either", async () => {
    const room = await newRoom();
    const people = await Promise.all([room.know([PHONE]), room.know([CRM]), room.know([EMAIL])]);
    const merging = Array.from({ length: 4 }, () => room.know([CRM, PHONE, EMAIL]));
    const opening = [PHONE, CRM, EMAIL].map(async (identity, index) => {
      const contactId = await room.know([identity]);
      return room.say({ sessionId: `s-${index}`, contactId }, { asked: "Hi" }).catch((error: Error) => error);
    });
    const kept = await Promise.all(merging);
    expect(new Set(kept).size).toBe(1);
    expect(people).toContain(kept[0]);
    await Promise.all(opening);
    expect(await contactsOf(room)).toHaveLength(1);
  });

  test("of another workspace is another one, even with the same phone number", async () => {
    const [one, two] = [await newRoom(), await newRoom()];
    expect(await one.know([PHONE])).not.toBe(await two.know([PHONE]));
    expect(await contactsOf(two)).toHaveLength(1);
  });

  test("joins a conversation that was begun without one, and leaves one that has another", async () => {
    const room = await newRoom();
    const [ada, grace] = [await room.know([PHONE]), await room.know([CRM])];
    const id = await room.say({ sessionId: "s" }, { asked: "Who am I?" });
    await room.say({ sessionId: "s", contactId: ada });
    await room.say({ sessionId: "s", contactId: grace });
    const { body } = await room.world.api.get(`${room.path}/conversations/${id}`);
    expect(body.conversation.contact).toEqual({ id: ada, name: null });
  });

  test("is found by exactly what it is recognised by, and listed newest first", async () => {
    const room = await newRoom();
    const first = await room.know([PHONE]);
    await new Promise((resolve) => setTimeout(resolve, 2));
    const second = await room.know([EMAIL]);
    const seen = (await contactsOf(room)).map(({ id }: { id: string }) => id);
    expect(seen).toEqual([second, first]);
    expect(await contactsOf(room, "?identity=%2B390612345678")).toMatchObject([{ id: first }]);
    expect(await contactsOf(room, "?identity=%2B39061234567")).toEqual([]);
    const page = (await room.world.api.get(`${room.path}/contacts?limit=1`)).body;
    expect(await contactsOf(room, `?limit=1&cursor=${page.next_cursor}`)).toMatchObject([{ id: first }]);
    expectProblem(await room.world.api.get(`${room.path}/contacts?cursor=eA`), "invalid_request");
  });

  test.each([
    [[{ kind: "phone", value: "06 12345678" } as const]],
    [[{ kind: "email", value: "  " } as const]],
    [[{ kind: "external", value: "x".repeat(321) } as const]],
    [[]],
  ])("is not made of %j", (identities) => {
    expect(() => normalizeIdentities(identities)).toThrow();
  });
});

describe("the export of a person", () => {
  test("has everything, oldest first, in pages that split conversations where they must", async () => {
    const room = await newRoom();
    const contactId = await room.know([PHONE], "Ada");
    await room.say({ sessionId: "someone else's" }, { asked: "Not mine" });
    const whatsapp = { channel: "whatsapp", sessionId: PHONE.value, contactId } as const;
    const first = await room.say(whatsapp, { asked: "Q1", answered: "A1" }, { asked: "Q2", answered: "A2" });
    const empty = await room.say({ channel: "web", sessionId: "nothing said", contactId });
    const last = await room.say(
      { channel: "voice", sessionId: "call", contactId },
      { asked: "Q3", answered: null },
    );
    const pages: { id: string; messages: { text: string }[] }[][] = [];
    let cursor = "";
    do {
      const { body } = await room.world.api.get(`${room.path}/contacts/${contactId}?limit=3${cursor}`);
      expect(body.contact).toMatchObject({ id: contactId, name: "Ada", identities: [PHONE] });
      pages.push(body.conversations);
      cursor = body.next_cursor === null ? "" : `&cursor=${body.next_cursor}`;
    } while (cursor !== "");
    const told = pages.map((page) =>
      page.map(({ id, messages }) => [id, messages.map(({ text }) => text).join(" ")]),
    );
    expect(told).toEqual([
      [[first, "Q1 A1 Q2"]],
      [
        [first, "A2"],
        [empty, ""],
        [last, "Q3"],
      ],
    ]);
    const whole = await room.world.api.get(`${room.path}/contacts/${contactId}`);
    expect(whole.body.conversations[0].messages[0].created_at).toMatch(/^\d{4}-.*Z$/);
    expect(whole.body.next_cursor).toBeNull();
  });
});

describe("the erasure of a person", () => {
  test("leaves nothing of them, on any channel, and everything of others", async () => {
    const room = await newRoom();
    const contactId = await room.know([PHONE, EMAIL], "Ada Lovelace");
    const others = await room.know([CRM], "Grace");
    const id = await room.say(
      { channel: "whatsapp", sessionId: PHONE.value, contactId },
      { asked: "Secret" },
    );
    await room.say({ channel: "voice", sessionId: "call-1", contactId }, { asked: "Secret, too" });
    await room.say({ sessionId: "g", contactId: others }, { asked: "Mine" });
    await room.call(id);
    await room.call(await room.say({ sessionId: "g" }));
    const reply = await room.world.api.delete(`${room.path}/contacts/${contactId}`);
    expect(await room.calls()).toBe(1);
    expect(reply.body).toEqual({ success: true });
    expectProblem(await room.world.api.get(`${room.path}/contacts/${contactId}`), "not_found");
    expectProblem(await room.world.api.delete(`${room.path}/contacts/${contactId}`), "not_found");
    expectProblem(await room.world.api.get(`${room.path}/conversations/${id}`), "not_found");
    const left = await app.db.asSystem("superadmin", async (tx) => [
      ...(await tx
        .selectFrom("messages")
        .select("text")
        .where("workspace_id", "=", room.owner.workspaceId)
        .execute()),
      ...(await tx
        .selectFrom("contact_identities")
        .select("value")
        .where("workspace_id", "=", room.owner.workspaceId)
        .execute()),
    ]);
    expect(left).toEqual([{ text: "Mine" }, { text: "Yes." }, { value: "crm-17" }]);
    // A turn that was under way finds nobody to store it for.
    const late = await room.run((tx) => appendTurn(app, tx, turnOf(app, id, "Late")));
    expect(late.stored).toBe(false);
    const trail = await client(server.url, room.world.partner.key).get(
      "/v1/audit-events?action=contact.erased",
    );
    expect(trail.body.audit_events).toMatchObject([
      { resource: { id: contactId }, details: { conversations: 2 } },
    ]);
    expect(JSON.stringify(trail.body)).not.toMatch(/Lovelace|390612345678/);
  });

  test("who writes again is a new person", async () => {
    const room = await newRoom();
    const before = await room.know([PHONE]);
    await room.world.api.delete(`${room.path}/contacts/${before}`);
    expect(await room.know([PHONE])).not.toBe(before);
  });
});
