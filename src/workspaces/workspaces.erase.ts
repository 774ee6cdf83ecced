import { sql } from "kysely";
import type { EraseStep } from "../jobs/erase-step.ts";

export const eraseWorkspaceRows: EraseStep = {
  name: "workspaces",
  async hide(tx, target) {
    const update = tx.updateTable("workspaces").set({ erasing_at: sql<Date>`now()` });
    if (target.level === "account") await update.where("account_id", "=", target.accountId).execute();
    if (target.level === "organization")
      await update.where("organization_id", "=", target.organizationId).execute();
    if (target.level === "workspace") await update.where("id", "=", target.workspaceId).execute();
  },
  async erase(app, target) {
    await app.db.asSystem("erasure", async (tx) => {
      const remove = tx.deleteFrom("workspaces");
      if (target.level === "account") await remove.where("account_id", "=", target.accountId).execute();
      if (target.level === "organization")
        await remove.where("organization_id", "=", target.organizationId).execute();
      if (target.level === "workspace") await remove.where("id", "=", target.workspaceId).execute();
      // Keys that were limited to what is gone went with it.
      await app.signals.raise(tx, "access");
    });
  },
};
