import { sql } from "kysely";
import type { Tx } from "../db/database.ts";

/** A delivery that this process is to send now, with all that it takes. */
export interface Claimed {
  endpoint_id: string;
  event_id: string;
  attempts: number;
  retries: number;
  /** Nothing has reached the endpoint for a while. */
  is_failing: boolean;
  url: string;
  secret: string;
  /** Still valid, beside `secret`. */
  previous_secret: string | null;
  account_id: string | null;
  organization_id: number | null;
  workspace_id: number | null;
  type: string;
  subject_kind: string;
  subject_id: string;
  sequence: number;
  data: unknown;
  created_at: Date;
}

/** Longer than a delivery may take: a lease that ends belongs to a process that is gone. */
const LEASE = sql`interval '30 seconds'`;
/** At once to one endpoint, by all processes together. */
const ENDPOINT_SLOTS = 8;
const FAILING_ENDPOINT_SLOTS = 2;

/**
 * The next deliveries: endpoints take turns, those with the fewest under way first. An endpoint that nothing has
 * reached for a minute gets fewer places, and all of those together no more than `freeForFailing`, so that the ones
 * that let every request hang cannot keep the others waiting. Endpoints are found by jumping through the index.
 */
export async function claimIn(tx: Tx, free: number, freeForFailing: number): Promise<Claimed[]> {
  const { rows } = await sql<Claimed>`
    with recursive active as (
      (select endpoint_id as id from webhook_deliveries where status in ('pending', 'sending') order by endpoint_id limit 1)
      union all
      select (select d.endpoint_id from webhook_deliveries d where d.status in ('pending', 'sending')
        and d.endpoint_id > active.id order by d.endpoint_id limit 1)
      from active where active.id is not null
    ), places as (
      select e.id, coalesce(e.failing_since < now() - interval '1 minute', false) as is_failing,
        (select count(*) from webhook_deliveries d where d.endpoint_id = e.id
          and d.status = 'sending' and d.due_at > now()) as busy
      from active join webhook_endpoints e on e.id = active.id and e.disabled_at is null
    ), heads as (
      select places.id as endpoint_id, head.event_id, head.due_at, places.busy + head.place as turn, places.is_failing
      from places cross join lateral (
        select event_id, due_at, row_number() over (order by due_at) as place from (
          select event_id, due_at from webhook_deliveries d where d.endpoint_id = places.id
            and d.status in ('pending', 'sending') and d.due_at <= now() order by d.due_at limit ${ENDPOINT_SLOTS}
        ) first
      ) head
      where places.busy + head.place
        <= case when places.is_failing then ${FAILING_ENDPOINT_SLOTS}::integer else ${ENDPOINT_SLOTS}::integer end
    ), ranked as (
      select *, row_number() over (partition by is_failing order by turn, due_at) as rank from heads
    ), chosen as (
      select d.endpoint_id, d.event_id, ranked.is_failing
      from webhook_deliveries d join ranked on ranked.endpoint_id = d.endpoint_id and ranked.event_id = d.event_id
      where d.status in ('pending', 'sending') and d.due_at <= now()
        and (not ranked.is_failing or ranked.rank <= ${freeForFailing})
      order by ranked.turn, ranked.due_at limit ${free}
      for update of d skip locked
    )
    update webhook_deliveries set status = 'sending', attempts = attempts + 1, retries = retries + 1,
      due_at = now() + ${LEASE}, last_attempt_at = now()
    from chosen, webhook_events event, webhook_endpoints endpoint
    where webhook_deliveries.endpoint_id = chosen.endpoint_id and webhook_deliveries.event_id = chosen.event_id
      and event.id = chosen.event_id and endpoint.id = chosen.endpoint_id
    returning chosen.endpoint_id, chosen.event_id, attempts, retries, chosen.is_failing, url, secret,
      case when previous_secret_until > now() then previous_secret end as previous_secret,
      event.account_id, organization_id, workspace_id, type, subject_kind, subject_id, sequence, data,
      event.created_at`.execute(tx);
  return rows;
}
