import type { EraseStep } from "../jobs/erase-step.ts";

/** Events name what is being erased; an account's endpoints must not be told of its end by what others still do. */
export const eraseWebhookRows: EraseStep = {
  name: "webhooks",
  async hide(tx, target) {
    if (target.level !== "account") return;
    await tx.deleteFrom("webhook_endpoints").where("account_id", "=", target.accountId).execute();
  },
  async erase(app, target) {
    await app.db.asSystem("erasure", async (tx) => {
      for (const table of ["webhook_events", "webhook_sequences"] as const) {
        const remove = tx.deleteFrom(table);
        if (target.level === "account") await remove.where("account_id", "=", target.accountId).execute();
        if (target.level === "organization")
          await remove.where("organization_id", "=", target.organizationId).execute();
      }
      if (target.level !== "workspace") return;
      await tx.deleteFrom("webhook_events").where("workspace_id", "=", target.workspaceId).execute();
    });
  },
};
