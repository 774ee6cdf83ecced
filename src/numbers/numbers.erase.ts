import { sql } from "kysely";
import { placeOf } from "../jobs/erase-rows.ts";
import type { EraseStep } from "../jobs/erase-step.ts";

/** Numbers of what is erased go back to the pool: they are the installation's, and cost money to buy again. */
export const releaseNumbers: EraseStep = {
  name: "numbers",
  async hide(tx, target) {
    if (target.level === "workspace") return;
    // Requests first: whoever gives one a number holds its row, and is waited for.
    await tx
      .updateTable("number_requests")
      .set({ erasing_at: sql<Date>`now()` })
      .where(placeOf(target))
      .execute();
    await tx.updateTable("numbers").set({ leaving_at: sql<Date>`now()` }).where(placeOf(target)).execute();
  },
  async erase(app, target) {
    if (target.level === "workspace") return;
    await app.db.asSystem("erasure", async (tx) => {
      await tx
        .updateTable("numbers")
        .set({
          partner_id: null,
          account_id: null,
          organization_id: null,
          request_id: null,
          leaving_at: null,
        })
        .where(placeOf(target))
        .execute();
      // An order without an answer stays until it is known what became of it; see `reconcile.ts`.
      await tx.deleteFrom("number_orders").where(placeOf(target)).where("state", "<>", "asked").execute();
      await tx.deleteFrom("number_requests").where(placeOf(target)).execute();
    });
  },
};
