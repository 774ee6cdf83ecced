import { type Selectable, sql } from "kysely";
import type { App } from "../context.ts";
import type { ContactIdentity } from "../conversations/contact-identity.ts";
import { type OwnerColumns, ownerColumns, ownerOf } from "../conversations/conversation.ts";
import { releaseIdentity } from "../conversations/release-identity.ts";
import { resolveContact } from "../conversations/resolve-contact.ts";
import type { Tx } from "../db/database.ts";
import { isUniqueViolation, Overtaken } from "../db/violations.ts";
import type { InboundPerson } from "./inbound.ts";
import type { WhatsAppTables } from "./whatsapp.tables.ts";

export type ContactRow = Selectable<WhatsAppTables["whatsapp_contacts"]>;

const ATTEMPTS_MAX = 3;
const PHONE_KEY = "whatsapp_contacts_workspace_id_phone_number_id_phone_key";
const BSUID_KEY = "whatsapp_contacts_workspace_id_phone_number_id_bsuid_key";

/**
 * The one row of a person at a number, made if there is none, and held until the transaction ends. Meta's id tells who
 * somebody is; the number is an alias that may be hidden, change, or be given to somebody else. Two rows that turn out
 * to be one person become one, with what was said to either of them.
 */
export async function resolvePerson(
  app: App,
  tx: Tx,
  owner: OwnerColumns,
  phoneNumberId: string,
  person: InboundPerson,
): Promise<ContactRow> {
  const row = await findOrMake(app, tx, owner, phoneNumberId, person);
  const contactId = await resolveContact(app, tx, ownerOf(owner), identitiesOf(row), person.name);
  return tx
    .updateTable("whatsapp_contacts")
    .set({ contact_id: contactId, name: person.name ?? row.name, updated_at: app.now() })
    .where("id", "=", row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** They write from another number from now on; whoever had it before is them, or has it no longer. */
export async function changePhone(app: App, tx: Tx, row: ContactRow, phone: string): Promise<ContactRow> {
  const person = { bsuid: row.bsuid, phone, name: row.name };
  const found = await findRows(tx, row.workspace_id, row.phone_number_id, { ...person, bsuid: null });
  const moved = await becomeOne(tx, [row, ...found.filter(({ id }) => id !== row.id)], person);
  if (moved === undefined || row.phone === phone) return row;
  // By both numbers once, so that it is the same contact; by the old one never again.
  const identities = [...identitiesOf(row), ...identitiesOf(moved)];
  await resolveContact(app, tx, ownerOf(row), identities, row.name);
  await releasePhone(tx, row);
  return resolvePerson(app, tx, row, row.phone_number_id, person);
}

async function findOrMake(
  app: App,
  tx: Tx,
  owner: OwnerColumns,
  phoneNumberId: string,
  person: InboundPerson,
): Promise<ContactRow> {
  // A second time when another transaction made the row meanwhile: the first look did not see it.
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const found = await findRows(tx, owner.workspace_id, phoneNumberId, person);
    const known = await becomeOne(tx, found, person);
    if (known !== undefined) return known;
    const made = await tx
      .insertInto("whatsapp_contacts")
      .values({
        ...ownerColumns(ownerOf(owner)),
        id: app.newId(),
        phone_number_id: phoneNumberId,
        bsuid: person.bsuid,
        phone: person.phone,
        name: person.name,
        created_at: app.now(),
        updated_at: app.now(),
      })
      .onConflict((conflict) => conflict.doNothing())
      .returningAll()
      .executeTakeFirst();
    if (made !== undefined) return made;
  }
  throw new Error("a contact that exists could not be read");
}

/** Those who have this id or this number, oldest first. */
async function findRows(
  tx: Tx,
  workspaceId: number,
  phoneNumberId: string,
  { bsuid, phone }: InboundPerson,
): Promise<ContactRow[]> {
  return tx
    .selectFrom("whatsapp_contacts")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("phone_number_id", "=", phoneNumberId)
    .where((eb) => eb.or([eb("bsuid", "=", bsuid), eb("phone", "=", phone)]))
    .orderBy("created_at")
    .orderBy("id")
    .forUpdate()
    .execute();
}

/** `undefined`: whoever was found is somebody else. */
async function becomeOne(
  tx: Tx,
  found: readonly ContactRow[],
  { bsuid, phone }: InboundPerson,
): Promise<ContactRow | undefined> {
  const isOther = (row: ContactRow) => bsuid !== null && row.bsuid !== null && row.bsuid !== bsuid;
  // Their number belongs to somebody else now: whoever had it is known by Meta's id alone.
  for (const other of found.filter(isOther)) {
    await update(tx, other.id, { phone: null });
    await releasePhone(tx, other);
  }
  const [keeper, ...doubles] = found.filter((row) => !isOther(row));
  if (keeper === undefined) return undefined;
  for (const double of doubles) await absorb(tx, keeper, double);
  return update(tx, keeper.id, { bsuid: bsuid ?? keeper.bsuid, phone: phone ?? keeper.phone });
}

/** Whoever has the number next is not the one who had it. */
async function releasePhone(tx: Tx, { workspace_id, contact_id, phone }: ContactRow): Promise<void> {
  if (contact_id === null || phone === null) return;
  await releaseIdentity(tx, workspace_id, contact_id, { kind: "phone", value: `+${phone}` });
}

async function update(
  tx: Tx,
  id: string,
  change: { bsuid?: string | null; phone?: string | null },
): Promise<ContactRow> {
  try {
    return await tx
      .updateTable("whatsapp_contacts")
      .set(change)
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirstOrThrow();
  } catch (error) {
    // Somebody with this number or id was made after we looked.
    if (isUniqueViolation(error, PHONE_KEY) || isUniqueViolation(error, BSUID_KEY))
      throw new Overtaken("a person was made meanwhile", { cause: error });
    throw error;
  }
}

/** The first one's conversation goes on; that of the other stays in the history of the same contact. */
async function absorb(tx: Tx, keeper: ContactRow, double: ContactRow): Promise<void> {
  await tx
    .updateTable("whatsapp_messages")
    .set({ contact_id: keeper.id })
    .where("contact_id", "=", double.id)
    .execute();
  await tx.deleteFrom("whatsapp_contacts").where("id", "=", double.id).execute();
  const either = (column: "last_inbound_at" | "bot_paused_until" | "opted_out_at") =>
    sql<Date>`greatest(${sql.ref(column)}, ${double[column]}::timestamptz)`;
  await tx
    .updateTable("whatsapp_contacts")
    .set({
      last_inbound_at: either("last_inbound_at"),
      bot_paused_until: either("bot_paused_until"),
      // Whoever said stop once is not written to because the other row did not know.
      opted_out_at: either("opted_out_at"),
    })
    .where("id", "=", keeper.id)
    .execute();
}

function identitiesOf({ bsuid, phone }: ContactRow): ContactIdentity[] {
  return [
    ...(phone === null ? [] : [{ kind: "phone" as const, value: `+${phone}` }]),
    ...(bsuid === null ? [] : [{ kind: "whatsapp" as const, value: bsuid }]),
  ];
}
