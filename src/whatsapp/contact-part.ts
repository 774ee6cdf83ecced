import { type RawBuilder, sql } from "kysely";
import type { ContactPart, KnownPerson, RetentionPart } from "../conversations/contact-part.ts";
import type { Tx } from "../db/database.ts";
import { deleteSome } from "../db/delete-some.ts";

/** Under which numbers and ids a person is known to Meta, and what came and went. */
export const whatsappOfPerson: ContactPart = {
  name: "whatsapp",
  async export(_app, tx, person) {
    const people = await peopleOf(tx, person).selectAll().execute();
    return people.map(({ phone_number_id, bsuid, phone, name, last_inbound_at, opted_out_at }) => ({
      phone_number_id,
      bsuid,
      phone,
      name,
      last_inbound_at,
      opted_out_at,
    }));
  },
  async erase(tx, person) {
    const people = await peopleOf(tx, person)
      .select(["id", "phone_number_id", "bsuid", "phone"])
      .forUpdate()
      .execute();
    for (const { phone_number_id, bsuid, phone } of people) {
      const keys = [bsuid, phone].filter((key) => key !== null);
      await tx
        .deleteFrom("whatsapp_inbox")
        .where("workspace_id", "=", person.workspaceId)
        .where("phone_number_id", "=", phone_number_id)
        .where("contact_key", "in", keys)
        .execute();
    }
    const ids = people.map(({ id }) => id);
    if (ids.length > 0) await tx.deleteFrom("whatsapp_contacts").where("id", "in", ids).execute();
    return ids.length;
  },
};

/** By the conversation as well: contacts that were merged since have left another id here. */
function peopleOf(tx: Tx, { workspaceId, contactId, conversations }: KnownPerson) {
  const ids = conversations.map(({ id }) => id);
  return tx
    .selectFrom("whatsapp_contacts")
    .where("workspace_id", "=", workspaceId)
    .where((eb) =>
      eb.or([
        eb("contact_id", "=", contactId),
        ...(ids.length === 0 ? [] : [eb("conversation_id", "in", ids)]),
      ]),
    );
}

/** What came, what went, and people who have been silent since. */
export const whatsappRetention: RetentionPart = {
  isOverdue: sql<boolean>`exists (select from whatsapp_inbox i
      where i.workspace_id = kept.id and i.received_at < kept.cutoff)
    or exists (select from whatsapp_messages m where m.workspace_id = kept.id and m.created_at < kept.cutoff)
    or exists (select from whatsapp_contacts where workspace_id = kept.id and ${silentSince(sql`kept.cutoff`)})`,
  async remove(tx, workspaceId, cutoff, limit) {
    const here = sql<boolean>`workspace_id = ${workspaceId}`;
    const gone = [
      await deleteSome(tx, "whatsapp_inbox", sql`${here} and received_at < ${cutoff}`, limit),
      await deleteSome(tx, "whatsapp_messages", sql`${here} and created_at < ${cutoff}`, limit),
      await deleteSome(tx, "whatsapp_contacts", sql`${here} and ${silentSince(sql`${cutoff}`)}`, limit),
    ];
    return Math.max(...gone);
  },
};

/** Whoever wants no messages is remembered: the word of a person who said stop does not grow old. */
function silentSince(time: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql<boolean>`whatsapp_contacts.updated_at < ${time} and opted_out_at is null
    and (last_inbound_at is null or last_inbound_at < ${time})
    and not exists (select from whatsapp_messages m where m.contact_id = whatsapp_contacts.id)`;
}
