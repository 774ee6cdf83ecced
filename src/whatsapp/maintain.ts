import { sql } from "kysely";
import type { App } from "../context.ts";
import { deleteSome } from "../db/delete-some.ts";
import { OVER } from "./connection.ts";
import { beginDisconnection, isUnfinished } from "./disconnect.ts";

/** Meta repeats itself for seven days: what was seen is remembered for longer. */
const KEPT_DAYS = 9;
/** A signup can be gone on with for a day, and then for nobody's use holds a customer's token. */
const ABANDONED_MS = 25 * 3_600_000;
const ROWS_AT_ONCE = 5_000;
const SIGNUPS_AT_ONCE = 100;

/** Now and then: signups that nobody finished, links that lead nowhere, and what Meta sent and was sent long ago. */
export async function forgetOldWhatsApp(app: App): Promise<void> {
  await endAbandoned(app);
  const old = sql<boolean>`created_at < now() - make_interval(days => ${KEPT_DAYS})`;
  await app.db.asSystem(
    "jobs",
    (tx) => tx.deleteFrom("whatsapp_page_tokens").where(old).execute(),
    "background",
  );
  await deleteAll(app, "whatsapp_inbox", sql`state <> 'waiting' and received_at`);
  await deleteAll(app, "whatsapp_messages", sql`state not in ('pending', 'sending') and created_at`);
}

async function endAbandoned(app: App): Promise<void> {
  const before = new Date(app.now().getTime() - ABANDONED_MS);
  await app.db.asSystem(
    "jobs",
    async (tx) => {
      const rows = await tx
        .selectFrom("whatsapp_connections")
        .selectAll()
        .where("status", "not in", OVER)
        .where("step", "<>", "finished")
        .where("connected_at", "is", null)
        .where("created_at", "<", before)
        .limit(SIGNUPS_AT_ONCE)
        .forUpdate()
        .skipLocked()
        .execute();
      for (const connection of rows.filter(isUnfinished))
        await beginDisconnection(app, tx, connection, { reason: "abandoned", releaseNumber: false });
    },
    "background",
  );
}

/** @param which ends with the column that tells its age */
async function deleteAll(
  app: App,
  table: "whatsapp_inbox" | "whatsapp_messages",
  which: ReturnType<typeof sql>,
): Promise<void> {
  const old = sql<boolean>`${which} < now() - make_interval(days => ${KEPT_DAYS})`;
  for (let gone = ROWS_AT_ONCE; gone === ROWS_AT_ONCE; )
    gone = await app.db.asSystem("jobs", (tx) => deleteSome(tx, table, old, ROWS_AT_ONCE), "background");
}
