import { type Selectable, sql } from "kysely";
import { recordAudit } from "../audit/record.ts";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { AccountCaller } from "../http/caller.ts";
import { nestedCursor, type PageRequest, timeCursor, timeKey, toPage } from "../http/page.ts";
import { notFound } from "../http/problem.ts";
import { deleteToolCallsOf } from "../tools/tool-calls.ts";
import { getWorkspaceRow } from "../workspaces/find.ts";
import { IDENTITY_KINDS } from "./channel.ts";
import type { ContactIdentity } from "./contact-identity.ts";
import type { KnownPerson } from "./contact-part.ts";
import type { ConversationRow, MessageRow } from "./conversation.ts";
import type { Contact, ContactExport, ContactQuery } from "./conversations.schemas.ts";
import type { ConversationTables } from "./conversations.tables.ts";
import { toConversationFields, toMessage } from "./find-conversation.ts";

type ContactView = Selectable<ConversationTables["contacts"]> & { identities: ContactIdentity[] };

/** Newest first. */
export async function listContacts(app: App, caller: AccountCaller, slug: string, query: ContactQuery) {
  const after = timeCursor(query.cursor);
  return app.db.asTenant(caller, async (tx) => {
    const workspace = await getWorkspaceRow(tx, caller, slug);
    let select = selectContactViews(tx, workspace.id)
      .orderBy("contacts.created_at", "desc")
      .orderBy("contacts.id", "desc")
      .limit(query.limit + 1);
    if (after !== undefined)
      select = select.where(
        sql<boolean>`(contacts.created_at, contacts.id) < (${after.time}, ${after.id}::uuid)`,
      );
    if (query.identity !== undefined)
      select = select.where("contacts.id", "in", withIdentity(tx, workspace.id, query.identity));
    const { rows, nextCursor } = toPage(await select.execute(), query.limit, (row) =>
      timeKey(row.created_at, row.id),
    );
    return { contacts: rows.map(toContact), next_cursor: nextCursor };
  });
}

/** All that is kept of one person, across channels; as many messages as the page may hold. */
export async function exportContact(
  app: App,
  caller: AccountCaller,
  slug: string,
  contactId: string,
  page: PageRequest,
): Promise<ContactExport> {
  const after = nestedCursor(page.cursor);
  return app.db.asTenant(caller, async (tx) => {
    const workspace = await getWorkspaceRow(tx, caller, slug);
    const contact = await getContactView(tx, workspace.id, contactId);
    const fetched = await saidBy(tx, workspace.id, contact.id, after, page.limit + 1);
    const { rows, nextCursor } = toPage(fetched, page.limit, (row) => `${row.id}:${row.message?.id ?? 0}`);
    const also = after === undefined ? await exportParts(app, tx, workspace.id, contact.id) : {};
    return { contact: toContact(contact), conversations: grouped(rows), also, next_cursor: nextCursor };
  });
}

/**
 * Everything that is kept of one person: conversations, messages, identities, what was
 * called for them. The trail keeps ids and numbers only.
 */
export async function eraseContact(app: App, caller: AccountCaller, slug: string, contactId: string) {
  return app.db.asTenant(caller, async (tx) => {
    const workspace = await getWorkspaceRow(tx, caller, slug);
    // Held before anything goes: a conversation that is being opened with this person is waited for, and goes as well.
    const held = await tx
      .selectFrom("contacts")
      .select("id")
      .where("workspace_id", "=", workspace.id)
      .where("id", "=", contactId)
      .forUpdate()
      .executeTakeFirst();
    if (held === undefined) throw notFound("contact");
    const person = await knownPerson(tx, workspace.id, contactId);
    for (const part of app.contactParts) await part.erase(tx, person);
    const conversations = await tx
      .deleteFrom("conversations")
      .where("workspace_id", "=", workspace.id)
      .where("contact_id", "=", contactId)
      .returning("id")
      .execute();
    const conversationIds = conversations.map(({ id }) => id);
    await deleteToolCallsOf(tx, conversationIds);
    await tx.deleteFrom("contacts").where("id", "=", contactId).execute();
    await recordAudit(app, tx, caller, {
      action: "contact.erased",
      resourceType: "contact",
      resourceId: contactId,
      organizationId: workspace.organization_id,
      workspaceId: workspace.id,
      details: { conversations: conversations.length },
    });
    return { success: true as const };
  });
}

async function exportParts(app: App, tx: Tx, workspaceId: number, contactId: string) {
  const person = await knownPerson(tx, workspaceId, contactId);
  const also: ContactExport["also"] = {};
  for (const part of app.contactParts)
    also[part.name] = (await part.export(app, tx, person)).map((one) => ({ ...one }));
  return also;
}

async function knownPerson(tx: Tx, workspaceId: number, contactId: string): Promise<KnownPerson> {
  const identities = await tx
    .selectFrom("contact_identities")
    .select("value")
    .where("workspace_id", "=", workspaceId)
    .where("contact_id", "=", contactId)
    .where("kind", "=", "phone")
    .execute();
  const conversations = await tx
    .selectFrom("conversations")
    .select(["id", "channel", "session_id as sessionId"])
    .where("workspace_id", "=", workspaceId)
    .where("contact_id", "=", contactId)
    .execute();
  return { workspaceId, contactId, phones: identities.map(({ value }) => value), conversations };
}

/** A conversation with one of its messages, or `null` when it has none. */
type SaidRow = ConversationRow & { message: MessageRow | null };

async function saidBy(
  tx: Tx,
  workspaceId: number,
  contactId: string,
  after: { id: string; row: number } | undefined,
  limit: number,
): Promise<SaidRow[]> {
  let select = tx
    .selectFrom("conversations")
    .leftJoin("messages", "messages.conversation_id", "conversations.id")
    .selectAll("conversations")
    .select(
      sql<MessageRow | null>`case when messages.id is not null then to_json(messages) end`.as("message"),
    )
    .where("conversations.workspace_id", "=", workspaceId)
    .where("conversations.contact_id", "=", contactId)
    .orderBy("conversations.id")
    .orderBy("messages.id")
    .limit(limit);
  if (after !== undefined) {
    select = select.where((eb) =>
      eb.or([
        eb("conversations.id", ">", after.id),
        eb.and([eb("conversations.id", "=", after.id), eb("messages.id", ">", after.row)]),
      ]),
    );
  }
  const rows = await select.execute();
  return rows.map((row) => ({ ...row, message: row.message === null ? null : withTime(row.message) }));
}

/** In JSON a time is text. */
function withTime(message: MessageRow): MessageRow {
  return { ...message, created_at: new Date(message.created_at) };
}

function grouped(rows: readonly SaidRow[]): ContactExport["conversations"] {
  const conversations = new Map<string, ContactExport["conversations"][number]>();
  for (const { message, ...row } of rows) {
    const conversation = conversations.get(row.id) ?? { ...toConversationFields(row), messages: [] };
    conversations.set(row.id, conversation);
    if (message !== null) conversation.messages.push(toMessage(message));
  }
  return [...conversations.values()];
}

async function getContactView(tx: Tx, workspaceId: number, id: string): Promise<ContactView> {
  const row = await selectContactViews(tx, workspaceId).where("contacts.id", "=", id).executeTakeFirst();
  if (row === undefined) throw notFound("contact");
  return row;
}

function selectContactViews(tx: Tx, workspaceId: number) {
  return tx
    .selectFrom("contacts")
    .selectAll("contacts")
    .select(
      sql<ContactIdentity[]>`(select coalesce(json_agg(json_build_object('kind', kind, 'value', value)
        order by kind, value), '[]'::json) from contact_identities
        where contact_identities.workspace_id = contacts.workspace_id
        and contact_identities.contact_id = contacts.id)`.as("identities"),
    )
    .where("contacts.workspace_id", "=", workspaceId);
}

function withIdentity(tx: Tx, workspaceId: number, value: string) {
  return tx
    .selectFrom("contact_identities")
    .select("contact_id")
    .where("workspace_id", "=", workspaceId)
    .where("kind", "in", IDENTITY_KINDS)
    .where("value", "=", value);
}

function toContact(row: ContactView): Contact {
  return {
    id: row.id,
    name: row.name,
    identities: row.identities,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}
