import { sql } from "kysely";
import type { EraseStep } from "../jobs/erase-step.ts";

export const eraseOrganizationRows: EraseStep = {
  name: "organizations",
  async hide(tx, target) {
    if (target.level === "workspace") return;
    const update = tx.updateTable("organizations").set({ erasing_at: sql<Date>`now()` });
    await (target.level === "account"
      ? update.where("account_id", "=", target.accountId)
      : update.where("id", "=", target.organizationId)
    ).execute();
  },
  async erase(app, target) {
    if (target.level === "workspace") return;
    await app.db.asSystem("erasure", (tx) => {
      const remove = tx.deleteFrom("organizations");
      return (
        target.level === "account"
          ? remove.where("account_id", "=", target.accountId)
          : remove.where("id", "=", target.organizationId)
      ).execute();
    });
  },
};
