import { beforeEach, describe, expect, test } from "vitest";
import { startChatServer } from "../../test/chat-support.ts";
import {
  newWhatsAppWorld,
  newWriter,
  QUICK,
  sharedMeta,
  type WhatsAppWorld,
} from "../../test/whatsapp-support.ts";
import { ownerColumns } from "../conversations/conversation.ts";
import { resolveContact } from "../conversations/resolve-contact.ts";
import { retentionHandler } from "../conversations/retention.jobs.ts";
import { resolvePerson } from "./contacts.ts";

const meta = await sharedMeta();
const server = await startChatServer(meta.environment(), { whatsapp: QUICK });
const { app } = server;

beforeEach(() => {
  server.model.chat.reset();
  server.model.chat.always({ texts: ["Yes."] });
});

const newRoom = () => newWhatsAppWorld(server, meta);
const tenantOf = ({ partner, accountId, workspaceId }: WhatsAppWorld) => ({
  partnerId: partner.id,
  accountId,
  workspaceId,
});
const peopleOf = (room: WhatsAppWorld) =>
  app.db.asTenant(tenantOf(room), (tx) =>
    tx.selectFrom("whatsapp_contacts").selectAll().orderBy("created_at").execute(),
  );
const contactsOf = async (room: WhatsAppWorld) => (await room.api.get(`${room.path}/contacts`)).body.contacts;

describe("a person", () => {
  test("who was known by the number alone is the same when Meta's id comes along", async () => {
    const room = await newRoom();
    const ada = newWriter();
    await room.write({ ...ada, bsuid: null }, "From before the ids");
    await room.answered(ada);
    await room.write(ada, "With an id");
    await room.answered(ada, 2);
    expect(await peopleOf(room)).toMatchObject([{ phone: ada.from, bsuid: ada.bsuid }]);
    expect((await room.conversation(ada)).messages).toHaveLength(4);
    await room.write({ ...ada, from: null }, "With the number hidden");
    await room.answered(ada, 3);
    expect(await peopleOf(room)).toMatchObject([{ phone: ada.from, bsuid: ada.bsuid }]);
  }, 20_000);

  test("who was two becomes one, with both conversations", async () => {
    const room = await newRoom();
    const ada = newWriter();
    await room.write({ ...ada, from: null }, "By the id");
    await room.answered(ada);
    await room.write({ ...ada, bsuid: null }, "By the number");
    await room.answered(ada, 2);
    expect(await peopleOf(room)).toHaveLength(2);
    expect(await contactsOf(room)).toHaveLength(2);
    await room.write(ada, "By both");
    await room.answered(ada, 3);
    const [one, ...others] = await peopleOf(room);
    expect(others).toEqual([]);
    expect(one).toMatchObject({ phone: ada.from, bsuid: ada.bsuid });
    const [contact, ...more] = await contactsOf(room);
    expect(more).toEqual([]);
    expect(contact.identities).toEqual([
      { kind: "phone", value: `+${ada.from}` },
      { kind: "whatsapp", value: ada.bsuid },
    ]);
    const exported = (await room.api.get(`${room.path}/contacts/${contact.id}`)).body;
    expect(
      exported.conversations.map(({ messages }: { messages: unknown[] }) => messages.length).sort(),
    ).toEqual([2, 4]);
  }, 20_000);

  test("whose number is somebody else's now is not mistaken for them", async () => {
    const room = await newRoom();
    const ada = newWriter();
    const heir = newWriter({ from: ada.from });
    await room.write(ada, "Mine");
    await room.answered(ada);
    await room.write(heir, "Mine now");
    await room.answered(heir, 2);
    expect(await peopleOf(room)).toMatchObject([
      { phone: null, bsuid: ada.bsuid },
      { phone: heir.from, bsuid: heir.bsuid },
    ]);
    const [first, second] = await contactsOf(room);
    expect([...first.identities, ...second.identities]).toHaveLength(3);
    expect((await room.conversation(heir)).messages).toMatchObject([{ text: "Mine now" }, {}]);
  });

  test("who changes the number keeps the conversation", async () => {
    const room = await newRoom();
    const ada = newWriter();
    const moved = { ...ada, from: newWriter().from };
    await room.write({ ...ada, bsuid: null }, "Hello");
    await room.answered(ada);
    const system = { type: "user_changed_number", wa_id: moved.from, body: "changed" };
    await room.write({ ...ada, bsuid: null }, { type: "system", system });
    await room.settled();
    expect(room.textsTo(ada)).toHaveLength(1);
    await room.write({ ...moved, bsuid: null }, "It is me");
    await room.answered(moved);
    expect(await peopleOf(room)).toMatchObject([{ phone: moved.from }]);
    expect((await room.conversation({ ...moved, bsuid: null })).messages).toHaveLength(4);
  }, 20_000);

  test("is one across channels", async () => {
    const room = await newRoom();
    const ada = newWriter();
    const owner = { ...tenantOf(room), organizationId: room.organizationId };
    const caller = await app.db.asTenant(tenantOf(room), (tx) =>
      resolveContact(app, tx, owner, [{ kind: "phone", value: `+${ada.from}` }], "Ada of the phone"),
    );
    await room.write(ada, "Hello");
    await room.answered(ada);
    expect(await contactsOf(room)).toMatchObject([{ id: caller, name: "Ada of the phone" }]);
  });

  test("whom several transactions meet at once is made once", async () => {
    const room = await newRoom();
    const { from: phone, bsuid } = newWriter();
    const row = {
      partner_id: room.partner.id,
      account_id: room.accountId,
      organization_id: room.organizationId,
      workspace_id: room.workspaceId,
    };
    const meet = (person: { phone: string | null; bsuid: string | null }) =>
      app.db.asTenant(tenantOf(room), (tx) =>
        resolvePerson(app, tx, row, room.number.id, { ...person, name: null }),
      );
    await Promise.all([
      meet({ phone, bsuid: null }),
      meet({ phone, bsuid }),
      meet({ phone: null, bsuid }),
      meet({ phone, bsuid }),
    ]);
    await meet({ phone, bsuid });
    expect(await peopleOf(room)).toMatchObject([{ phone, bsuid }]);
  });

  test("known by the id, whose number another transaction is about to write down, is one afterwards", async () => {
    const room = await newRoom();
    const { from: phone, bsuid } = newWriter();
    const isWritten = Promise.withResolvers<void>();
    const mayCommit = Promise.withResolvers<void>();
    const meet = (person: { phone: string | null; bsuid: string | null }, before?: () => Promise<void>) =>
      app.db.asTenant(tenantOf(room), async (tx) => {
        const owner = ownerColumns({ ...tenantOf(room), organizationId: room.organizationId });
        await resolvePerson(app, tx, owner, room.number.id, { ...person, name: null });
        await before?.();
      });
    await meet({ phone: null, bsuid });
    const first = meet({ phone, bsuid: null }, async () => {
      isWritten.resolve();
      await mayCommit.promise;
    });
    await isWritten.promise;
    const second = meet({ phone, bsuid });
    // Long enough for its update to wait for the other transaction.
    setTimeout(mayCommit.resolve, 300);
    await Promise.all([first, second]);
    expect(await peopleOf(room)).toMatchObject([{ phone, bsuid }]);
  });
});

describe("what is kept of a person", () => {
  const leftOf = (room: WhatsAppWorld) =>
    app.db.asTenant(tenantOf(room), async (tx) => {
      const rows = {
        people: await tx.selectFrom("whatsapp_contacts").selectAll().execute(),
        inbox: await tx.selectFrom("whatsapp_inbox").selectAll().execute(),
        messages: await tx.selectFrom("whatsapp_messages").selectAll().execute(),
      };
      return { ...rows, text: JSON.stringify(rows) };
    });

  test("goes when they are erased, and nobody else's does", async () => {
    const room = await newRoom();
    const [ada, bob] = [newWriter({ name: "Ada" }), newWriter({ name: "Bob" })];
    for (const one of [ada, bob]) {
      await room.write(one, `${one.name} was here`);
      await room.answered(one);
    }
    const [contact] = (
      await room.api.get(`${room.path}/contacts?identity=${encodeURIComponent(`+${ada.from}`)}`)
    ).body.contacts;
    expect((await room.api.delete(`${room.path}/contacts/${contact.id}`)).status).toBe(200);
    const left = await leftOf(room);
    for (const trace of [ada.from, ada.bsuid, "Ada was here"]) expect(left.text).not.toContain(trace);
    expect(left).toMatchObject({ people: [{ name: "Bob" }], inbox: [{}], messages: [{}] });
    await room.write(ada, "Back again");
    await room.answered(ada, 2);
    expect((await room.conversation(ada)).messages).toHaveLength(2);
  }, 20_000);

  test("goes with the days that the workspace keeps things, but for the wish to be left alone", async () => {
    const room = await newRoom();
    const [ada, bob] = [newWriter(), newWriter()];
    await room.write(ada, "Hello");
    await room.write(bob, "STOP");
    await Promise.all([room.answered(ada), room.answered(bob)]);
    await room.set({ retention_days: 1 });
    const old = new Date(Date.now() - 3 * 86_400_000);
    await app.db.asTenant(tenantOf(room), async (tx) => {
      await tx.updateTable("whatsapp_contacts").set({ updated_at: old, last_inbound_at: old }).execute();
      await tx.updateTable("whatsapp_inbox").set({ received_at: old }).execute();
      await tx.updateTable("whatsapp_messages").set({ created_at: old }).execute();
    });
    await retentionHandler(app, {
      id: app.newId(),
      partnerId: room.partner.id,
      accountId: room.accountId,
      organizationId: room.organizationId,
      payload: { workspaceId: room.workspaceId },
      attempt: 1,
      isLastAttempt: false,
      signal: new AbortController().signal,
      progress: async () => undefined,
    });
    expect(await leftOf(room)).toMatchObject({ people: [{ bsuid: bob.bsuid }], inbox: [], messages: [] });
  });
});
