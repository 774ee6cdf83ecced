import { sql } from "kysely";
import type { App } from "../context.ts";

/** Events and their deliveries are kept for 30 days, those that nobody asked for an hour; and no secret beyond its time. */
export async function forgetOldEvents(app: App): Promise<void> {
  await app.db.asSystem(
    "jobs",
    async (tx) => {
      await tx
        .deleteFrom("webhook_events")
        .where("created_at", "<", sql<Date>`now() - interval '30 days'`)
        .execute();
      await sql`delete from webhook_events where is_fanned_out and created_at < now() - interval '1 hour'
        and not exists (select from webhook_deliveries where event_id = webhook_events.id)`.execute(tx);
      await tx
        .updateTable("webhook_endpoints")
        .set({ previous_secret: null, previous_secret_until: null })
        .where("previous_secret_until", "<", sql<Date>`now()`)
        .execute();
    },
    "background",
  );
}
