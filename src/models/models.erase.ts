import type { EraseStep } from "../jobs/erase-step.ts";

/** Credentials go as soon as they are needed by nobody, not only with the organization's row. */
export const eraseModelRows: EraseStep = {
  name: "models",
  async erase(app, target) {
    await app.db.asSystem("erasure", async (tx) => {
      const remove = tx.deleteFrom("model_providers");
      if (target.level === "account") await remove.where("account_id", "=", target.accountId).execute();
      if (target.level === "organization")
        await remove.where("organization_id", "=", target.organizationId).execute();
    });
  },
};
