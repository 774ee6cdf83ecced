import { sql } from "kysely";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { type ContactIdentity, normalizeIdentities } from "./contact-identity.ts";
import { type ConversationOwner, ownerColumns } from "./conversation.ts";

/** Any constant; with the workspace's id it makes a lock of its own: "cont" in ASCII. */
const CONTACT_LOCK = 0x636f6e74;

/**
 * The one contact of the person who is recognised by these, made if there is none. When they belong to several
 * contacts, those were one person all along: they are merged into the oldest, with their conversations. The contact
 * stays until the transaction ends.
 *
 * @param name taken when the contact has none
 * @returns the contact's id
 */
export async function resolveContact(
  app: App,
  tx: Tx,
  owner: ConversationOwner,
  given: readonly ContactIdentity[],
  name: string | null = null,
): Promise<string> {
  const identities = normalizeIdentities(given);
  const known = await findWhole(tx, owner.workspaceId, identities);
  if (known !== undefined) {
    await keepName(app, tx, known, name);
    return known.id;
  }
  return makeOrMerge(app, tx, owner, identities, name);
}

/** What changes who is who goes one by one in a workspace, so that nobody is made or merged twice. */
async function makeOrMerge(
  app: App,
  tx: Tx,
  owner: ConversationOwner,
  identities: readonly ContactIdentity[],
  name: string | null,
): Promise<string> {
  await sql`select pg_advisory_xact_lock(${sql.lit(CONTACT_LOCK)}, ${owner.workspaceId}::integer)`.execute(
    tx,
  );
  const found = await findContacts(tx, owner.workspaceId, identities);
  const [oldest, ...others] = found;
  const keeper = oldest ?? (await insertContact(app, tx, owner, name));
  if (others.length > 0) await merge(app, tx, owner.workspaceId, keeper.id, others);
  await tx
    .insertInto("contact_identities")
    .values(identities.map((identity) => ({ ...ownerColumns(owner), contact_id: keeper.id, ...identity })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await keepName(app, tx, keeper, found.map((contact) => contact.name).find((one) => one !== null) ?? name);
  return keeper.id;
}

interface FoundContact {
  id: string;
  name: string | null;
}

/**
 * The contact that has all of these, when they are nobody else's; held, so that it is not merged away or erased before
 * the transaction ends. Nothing is held otherwise: who waits for the lock must not be waited for by who has it.
 */
async function findWhole(
  tx: Tx,
  workspaceId: number,
  identities: readonly ContactIdentity[],
): Promise<FoundContact | undefined> {
  const { rows } = await sql<FoundContact>`
    select contacts.id, contacts.name from contacts
    where contacts.workspace_id = ${workspaceId} and contacts.id = (
      select min(contact_id::text)::uuid from contact_identities
      where workspace_id = ${workspaceId} and ${amongst(identities)}
      having count(*) = ${identities.length}::integer and count(distinct contact_id) = 1)
    for key share of contacts`.execute(tx);
  return rows[0];
}

/** Everybody who has one of these, oldest first. */
async function findContacts(
  tx: Tx,
  workspaceId: number,
  identities: readonly ContactIdentity[],
): Promise<FoundContact[]> {
  const { rows } = await sql<FoundContact>`
    select contacts.id, contacts.name from contacts
    where contacts.workspace_id = ${workspaceId} and contacts.id in (
      select contact_id from contact_identities where workspace_id = ${workspaceId} and ${amongst(identities)})
    order by contacts.created_at, contacts.id
    for key share of contacts`.execute(tx);
  return rows;
}

function amongst(identities: readonly ContactIdentity[]) {
  const [kinds, values] = [identities.map(({ kind }) => kind), identities.map(({ value }) => value)];
  return sql<boolean>`(kind, value) in (select * from unnest(${kinds}::text[], ${values}::text[]))`;
}

async function insertContact(app: App, tx: Tx, owner: ConversationOwner, name: string | null) {
  const id = app.newId();
  const now = app.now();
  await tx
    .insertInto("contacts")
    .values({ ...ownerColumns(owner), id, name, created_at: now, updated_at: now })
    .execute();
  return { id, name };
}

async function merge(
  app: App,
  tx: Tx,
  workspaceId: number,
  keeperId: string,
  others: readonly FoundContact[],
): Promise<void> {
  const ids = others.map(({ id }) => id);
  // Waits for whoever is just opening a conversation with one of them, so that it is moved as well.
  await tx.selectFrom("contacts").select("id").where("id", "in", ids).orderBy("id").forUpdate().execute();
  for (const table of ["contact_identities", "conversations"] as const) {
    await tx
      .updateTable(table)
      .set({ contact_id: keeperId })
      .where("workspace_id", "=", workspaceId)
      .where("contact_id", "in", ids)
      .execute();
  }
  await tx.deleteFrom("contacts").where("id", "in", ids).execute();
  await tx.updateTable("contacts").set({ updated_at: app.now() }).where("id", "=", keeperId).execute();
}

async function keepName(app: App, tx: Tx, contact: FoundContact, name: string | null): Promise<void> {
  if (contact.name !== null || name === null) return;
  await tx
    .updateTable("contacts")
    .set({ name, updated_at: app.now() })
    .where("id", "=", contact.id)
    .where("name", "is", null)
    .execute();
}
