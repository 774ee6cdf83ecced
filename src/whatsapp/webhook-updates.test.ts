import fc from "fast-check";
import { expect, test } from "vitest";
import { inboxOf, newConnected, newConnectedPair, startWithMeta } from "../../test/whatsapp-inbox-support.ts";
import { readUpdates } from "./webhook-updates.ts";

const { meta, server } = await startWithMeta();
const { app, url } = server;
const { webhook } = meta;

test("a message is stored with who wrote it, and with the number that it was written to", async () => {
  const connected = await newConnected(server, meta);
  const person = { from: "16505551234", bsuid: "US.ANNE", name: "Anne" };
  await webhook.send(url, webhook.message(connected.number, { ...person, wamid: "wamid.anne", body: "Hi" }));
  const [row] = await inboxOf(app, connected);
  expect(row).toMatchObject({ kind: "message", key: "wamid.anne", contact_key: "US.ANNE" });
  expect(row?.raw).toEqual({
    message: expect.objectContaining({ id: "wamid.anne", from: "16505551234", text: { body: "Hi" } }),
    contact: { profile: { name: "Anne" }, wa_id: "16505551234", user_id: "US.ANNE" },
    metadata: { display_phone_number: connected.number.digits, phone_number_id: connected.number.id },
  });
});

test("people are known by Meta's id where there is one, else by their number", async () => {
  const connected = await newConnected(server, meta);
  const contact = (wa_id: string, user_id: string) => ({ wa_id, user_id, profile: { name: user_id } });
  const metadata = { phone_number_id: connected.number.id };
  const value = {
    metadata,
    contacts: [contact("111", "US.ONE"), contact("222", "US.TWO")],
    messages: [
      { id: "wamid.1", from: "222", type: "text" },
      { id: "wamid.2", from: "333", type: "text" },
      { id: "wamid.3", from_user_id: "US.ONE", type: "text" },
    ],
  };
  await webhook.send(
    url,
    webhook.batch(
      webhook.change(connected.number, "messages", value),
      webhook.message(connected.number, { from: null, bsuid: "US.NAMED", wamid: "wamid.4" }),
      webhook.message(connected.number, { from: "+1 (650) 555", bsuid: null, wamid: "wamid.5" }),
      webhook.message(connected.number, { type: "system", from: "444", bsuid: null, wamid: "wamid.6" }),
    ),
  );
  const rows = await inboxOf(app, connected);
  expect(rows.map(({ contact_key }) => contact_key)).toEqual([
    "US.TWO",
    "333",
    "US.ONE",
    "US.NAMED",
    "1650555",
    "444",
  ]);
  expect(rows.map(({ raw }) => raw)).toMatchObject([
    { contact: { user_id: "US.TWO" } },
    { contact: null },
    { contact: { user_id: "US.ONE" } },
    { contact: { user_id: "US.NAMED" } },
    { contact: { profile: { name: "Sheena Nelson" } } },
    { contact: null },
  ]);
});

test("what a colleague wrote on the phone is an echo of the person it went to", async () => {
  const connected = await newConnected(server, meta);
  await webhook.send(
    url,
    webhook.batch(
      webhook.echo(connected.number, { to: "16505551234", bsuid: "US.ANNE", wamid: "wamid.e1" }),
      webhook.echo(connected.number, { to: "16505551234", wamid: "wamid.e2" }),
    ),
  );
  expect(await inboxOf(app, connected)).toMatchObject([
    { kind: "echo", key: "wamid.e1", contact_key: "US.ANNE", raw: { message: { id: "wamid.e1" } } },
    { kind: "echo", key: "wamid.e2", contact_key: "16505551234" },
  ]);
});

test("each status of a message is an update of its own, and does not say whom it went to", async () => {
  const connected = await newConnected(server, meta);
  for (const status of ["sent", "delivered", "sent"])
    await webhook.send(
      url,
      webhook.status(connected.number, "wamid.out", status, { recipient: "16505558888" }),
    );
  const rows = await inboxOf(app, connected);
  expect(rows).toMatchObject([
    { kind: "status", key: "wamid.out sent", contact_key: null, raw: { status: { status: "sent" } } },
    { kind: "status", key: "wamid.out delivered" },
  ]);
  expect(JSON.stringify(rows)).not.toContain("16505558888");
});

test("of private conversations and address books nothing is kept but how far they are", async () => {
  const connected = await newConnected(server, meta);
  const metadata = { phone_number_id: connected.number.id };
  const threads = [{ id: "16505559999", messages: [{ text: { body: "Do you love me?" } }] }];
  const progress = { phase: 1, chunk_order: 2, progress: 55 };
  const person = { type: "contact", contact: { full_name: "Pablo", phone_number: "16505559999" } };
  await webhook.send(
    url,
    webhook.batch(
      webhook.change(connected.number, "history", { metadata, history: [{ metadata: progress, threads }] }),
      webhook.change(connected.number, "history", { metadata, history: [{ errors: [{ code: 2593109 }] }] }),
      webhook.change(connected.number, "smb_app_state_sync", { metadata, state_sync: [person, person] }),
    ),
  );
  const rows = await inboxOf(app, connected);
  expect(rows).toMatchObject([
    { kind: "history", raw: { value: { history: [{ metadata: progress }] } } },
    { kind: "history", raw: { value: { history: [{ errors: [{ code: 2593109 }] }] } } },
    { kind: "other", raw: { value: { contacts: 2 } } },
  ]);
  expect(JSON.stringify(rows)).not.toMatch(/16505559999|Pablo|love/);
});

test("every field has its kind, and those of tomorrow are kept, too", async () => {
  const connected = await newConnected(server, meta);
  const kinds = {
    account_update: "account",
    account_alerts: "account",
    account_review_update: "account",
    business_capability_update: "account",
    phone_number_quality_update: "number",
    phone_number_name_update: "number",
    message_template_status_update: "template",
    message_template_quality_update: "template",
    template_category_update: "template",
    security: "other",
    field_of_tomorrow: "other",
  };
  for (const field of Object.keys(kinds))
    await webhook.send(url, webhook.change(connected.number, field, { event: "SOMETHING" }));
  const rows = await inboxOf(app, connected);
  expect(rows.map(({ raw, kind }) => [(raw as { field: string }).field, kind])).toEqual(
    Object.entries(kinds),
  );
  expect(rows[0]?.raw).toEqual({
    field: "account_update",
    value: { event: "SOMETHING" },
    entryId: connected.number.wabaId,
    time: expect.any(Number),
  });
});

test("what is told of an account reaches all its numbers, and what is told of one number only that one", async () => {
  const [first, second] = await newConnectedPair(server, meta);
  const stranger = await newConnected(server, meta);
  await webhook.send(
    url,
    webhook.batch(
      webhook.change(first.number, "account_alerts", { event: "ALERT" }),
      webhook.change(first.number, "phone_number_quality_update", {
        display_phone_number: second.number.displayPhoneNumber,
        event: "FLAGGED",
      }),
    ),
  );
  expect((await inboxOf(app, first)).map(({ kind }) => kind)).toEqual(["account"]);
  expect((await inboxOf(app, second)).map(({ kind }) => kind)).toEqual(["account", "number"]);
  expect(await inboxOf(app, stranger)).toEqual([]);
});

test("nothing that could be in a body makes the reader throw", () => {
  const keys = fc.constantFrom(
    ...["object", "entry", "changes", "field", "value", "messages", "statuses", "metadata", "contacts", "id"],
  );
  const leaf = fc.oneof(
    fc.constantFrom("whatsapp_business_account", "messages", "history", "account_update", null, 7, true),
    fc.string({ unit: "binary" }),
  );
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 6 },
      leaf,
      fc.array(tie("tree"), { maxLength: 3 }),
      fc.dictionary(keys, tie("tree"), { maxKeys: 5 }),
    ),
  }));
  fc.assert(
    fc.property(tree, tree, (entry, value) => {
      const changes = [{ field: "messages", value }, value];
      const body = { object: "whatsapp_business_account", entry: [entry, { id: "1", changes }] };
      expect(readUpdates(Buffer.from(JSON.stringify(body)))).toBeInstanceOf(Array);
    }),
  );
});
