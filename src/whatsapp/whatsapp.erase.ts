import { sql } from "kysely";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { eraseRows, placeOf } from "../jobs/erase-rows.ts";
import type { EraseStep, ErasureTarget } from "../jobs/erase-step.ts";
import { OVER } from "./connection.ts";
import { finishDisconnection } from "./disconnect.jobs.ts";

const ROWS_AT_ONCE = 1_000;
/** Meta is given so long to be told; what the customer wants erased is not kept for its sake any longer. */
const PATIENCE_MS = 3_600_000;

/** Over at once; the tokens stay until Meta was told, and then everything goes. */
export const eraseWhatsApp: EraseStep = {
  name: "whatsapp",
  hide: end,
  async erase(app, target, signal) {
    // Whoever deletes an account does so as its partner, who sees no rows of any account.
    await app.db.asSystem("erasure", (tx) => end(tx, target));
    for (const { id, isLate } of await findEnding(app, target)) {
      signal.throwIfAborted();
      // Tried again with the job as a whole.
      if (!isLate) await finishDisconnection(app, id, false, signal);
    }
    for (const table of ["whatsapp_messages", "whatsapp_inbox", "whatsapp_contacts"] as const)
      await eraseRows(app, table, target, ROWS_AT_ONCE, signal);
    await app.db.asSystem("erasure", async (tx) => {
      await tx.deleteFrom("whatsapp_page_tokens").where(placeOf(target)).execute();
      await tx.deleteFrom("whatsapp_connections").where(placeOf(target)).execute();
    });
  },
};

/** Nothing is received or answered any more, and no link opens anything. */
async function end(tx: Tx, target: ErasureTarget): Promise<void> {
  await tx
    .updateTable("whatsapp_connections")
    .set({
      status: "disconnecting",
      status_reason: "erased",
      check_at: null,
      disconnected_at: sql<Date>`now()`,
    })
    .where(placeOf(target))
    .where("status", "not in", OVER)
    .execute();
  await tx
    .updateTable("whatsapp_page_tokens")
    .set({ revoked_at: sql<Date>`now()` })
    .where(placeOf(target))
    .where("revoked_at", "is", null)
    .execute();
}

async function findEnding(app: App, target: ErasureTarget): Promise<{ id: string; isLate: boolean }[]> {
  const rows = await app.db.asSystem("erasure", (tx) =>
    tx
      .selectFrom("whatsapp_connections")
      .select(["id", "disconnected_at"])
      .where(placeOf(target))
      .where("status", "=", "disconnecting")
      .execute(),
  );
  const latestMs = app.now().getTime() - PATIENCE_MS;
  return rows.map(({ id, disconnected_at: at }) => ({ id, isLate: at !== null && at.getTime() < latestMs }));
}
