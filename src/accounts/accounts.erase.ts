import { sql } from "kysely";
import type { EraseStep } from "../jobs/erase-step.ts";

export const eraseAccountRows: EraseStep = {
  name: "account",
  async hide(tx, target) {
    if (target.level !== "account") return;
    await tx
      .updateTable("accounts")
      .set({ erasing_at: sql<Date>`now()` })
      .where("id", "=", target.accountId)
      .execute();
  },
  async erase(app, target) {
    if (target.level !== "account") return;
    await app.db.asSystem("erasure", async (tx) => {
      // What was done to the account itself, such as making it, is remembered under the partner.
      await sql`delete from idempotency_keys where account_id = ${target.accountId} or (account_id is null
        and partner_id = ${target.partnerId} and result #>> '{account,id}' = ${target.accountId})`.execute(
        tx,
      );
      await tx.deleteFrom("accounts").where("id", "=", target.accountId).execute();
    });
  },
};
