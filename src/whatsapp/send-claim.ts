import { sql } from "kysely";
import type { OwnerColumns } from "../conversations/conversation.ts";
import type { Tx } from "../db/database.ts";

/** A message that this process is to send now. */
export interface ClaimedMessage extends OwnerColumns {
  id: string;
  phone_number_id: string;
  is_coexistence: boolean;
  attempts: number;
}

/** Longer than a request to Meta may take: a lease that ends belongs to a process that is gone. */
const LEASE = sql`interval '45 seconds'`;
/** Of one number at once: at Meta's usual pace enough for all that it takes from one. */
const NUMBER_SLOTS = 32;

/**
 * The next messages: of each person the oldest that has not gone out, never two at once; numbers take turns. What
 * cannot be sent now waits: while its connection needs somebody to sign in again, or while Meta wants a rest from this
 * person or number. What a human wrote does not wait for a connection: somebody is looking at it.
 */
export async function claimMessagesIn(
  tx: Tx,
  free: number,
  running: ReadonlyMap<string, number>,
  heldNumbers: readonly string[],
): Promise<ClaimedMessage[]> {
  const { rows } = await sql<ClaimedMessage>`
    with heads as materialized (
      select m.id, c.phone_number_id, c.is_coexistence,
        row_number() over (partition by c.phone_number_id order by m.id)
          + coalesce((${JSON.stringify(Object.fromEntries(running))}::json ->> c.phone_number_id)::integer, 0) as turn
      from whatsapp_messages m
      join whatsapp_connections c on c.id = m.connection_id
      join whatsapp_contacts p on p.id = m.contact_id
      where m.state = 'pending' and m.due_at <= now() and (m.lease_until is null or m.lease_until <= now())
        and (c.status in ('active', 'disconnecting', 'disconnected') or m.kind = 'human')
        and (p.send_after is null or p.send_after <= now())
        and c.phone_number_id <> all(${[...heldNumbers]}::text[])
        and not exists (select from whatsapp_messages earlier where earlier.contact_id = m.contact_id
          and earlier.id < m.id and earlier.state in ('pending', 'sending'))
    ), chosen as materialized (
      select m.id, next.phone_number_id, next.is_coexistence
      from (select * from heads where turn <= ${NUMBER_SLOTS} order by turn, id) next
      cross join lateral (select id from whatsapp_messages where whatsapp_messages.id = next.id and state = 'pending'
        and due_at <= now() and (lease_until is null or lease_until <= now()) for update skip locked) m
      limit ${free}
    )
    update whatsapp_messages set attempts = attempts + 1, lease_until = now() + ${LEASE}, updated_at = now()
    from chosen where whatsapp_messages.id = chosen.id
    returning whatsapp_messages.id, partner_id, account_id, organization_id, workspace_id, attempts,
      chosen.phone_number_id, chosen.is_coexistence`.execute(tx);
  return rows;
}

/**
 * Messages whose sender was never heard of again while it was talking to Meta. They may well have arrived; a status
 * with our reference would have said so. Sending them once more might say the same thing twice, and a person to whom
 * a machine repeats itself is worse off than one who asks again: so nobody sends them.
 */
export async function settleUnknownIn(tx: Tx): Promise<void> {
  await tx
    .updateTable("whatsapp_messages")
    .set({ state: "unknown", lease_until: null, updated_at: sql<Date>`now()` })
    .where("state", "=", "sending")
    .where("lease_until", "<=", sql<Date>`now()`)
    .execute();
}
