import { sql } from "kysely";
import type { Tx } from "../db/database.ts";

/** Events a turn; when there were as many, another turn follows at once. */
export const FAN_OUT_MAX = 200;

/**
 * Makes of every new event one delivery an endpoint that asked for it. It is done here and not where the event is
 * recorded because an account's transaction does not see the partner's endpoints.
 *
 * @returns how many events were looked at
 */
export async function fanOut(tx: Tx): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    with fresh as (
      select id, partner_id, account_id, type, subject_id from webhook_events where not is_fanned_out
      order by id limit ${FAN_OUT_MAX} for update skip locked
    ), matching as (
      select fresh.id as event_id, fresh.partner_id, fresh.account_id, e.id as endpoint_id, e.disabled_at
      from fresh join webhook_endpoints e on e.partner_id = fresh.partner_id
        and (e.account_id is null or e.account_id = fresh.account_id)
        and (e.events is null or fresh.type = any(e.events))
        and (fresh.type <> 'endpoint.disabled' or fresh.subject_id <> e.id::text)
      for key share of e
    ), made as (
      insert into webhook_deliveries (partner_id, account_id, endpoint_id, event_id, status)
      select partner_id, account_id, endpoint_id, event_id,
        case when disabled_at is null then 'pending' else 'held' end
      from matching on conflict do nothing
    ), marked as (
      update webhook_events set is_fanned_out = true from fresh where webhook_events.id = fresh.id returning 1
    )
    select count(*) as count from marked`.execute(tx);
  return rows[0]?.count ?? 0;
}
