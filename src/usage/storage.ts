import { sql } from "kysely";
import type { App } from "../context.ts";
import { dayOf } from "./count.ts";

/** Looks at what every organization stores, and keeps the most of the day. To be run every hour. */
export async function recordStorage(app: App): Promise<void> {
  await app.db.asSystem(
    "jobs",
    (tx) =>
      sql`insert into usage_storage as stored (partner_id, account_id, organization_id, day, bytes)
        select partner_id, account_id, organization_id, ${dayOf(app.now())}::date, sum(bytes)
        from organization_storage group by 1, 2, 3 having sum(bytes) > 0
        on conflict (organization_id, day) do update set bytes = greatest(stored.bytes, excluded.bytes)`.execute(
        tx,
      ),
    "background",
  );
}
