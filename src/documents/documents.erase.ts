import { sql } from "kysely";
import type { App } from "../context.ts";
import type { EraseStep, ErasureTarget } from "../jobs/erase-step.ts";
import { deleteFiles, releaseContents } from "./remove.ts";

const AT_ONCE = 200;

/** A workspace gives its documents back; an organization's or account's documents go, with their files. */
export const eraseDocuments: EraseStep = {
  name: "documents",
  async erase(app, target, signal) {
    if (target.level === "workspace") {
      await app.db.asSystem("erasure", (tx) =>
        tx.deleteFrom("workspace_documents").where("workspace_id", "=", target.workspaceId).execute(),
      );
      return;
    }
    for (let more = true; more; ) {
      signal.throwIfAborted();
      const { count, keys } = await app.db.asSystem("erasure", async (tx) => {
        const rows = await tx
          .selectFrom("documents")
          .select(["id", "content_id", "next_content_id"])
          .where(placeOf(target))
          .limit(AT_ONCE)
          .execute();
        if (rows.length > 0)
          await tx
            .deleteFrom("documents")
            .where(
              "id",
              "in",
              rows.map(({ id }) => id),
            )
            .execute();
        return {
          count: rows.length,
          keys: await releaseContents(
            tx,
            rows.flatMap((row) => [row.content_id, row.next_content_id]),
          ),
        };
      });
      await deleteFiles(app, keys);
      more = count === AT_ONCE;
    }
    await eraseContents(app, target, signal);
    await app.db.asSystem("erasure", (tx) => tx.deleteFrom("folders").where(placeOf(target)).execute());
  },
};

/** Should a crash have left one without its document, its files must go all the same. */
async function eraseContents(
  app: App,
  target: Exclude<ErasureTarget, { level: "workspace" }>,
  signal: AbortSignal,
): Promise<void> {
  for (let more = true; more; ) {
    signal.throwIfAborted();
    const { count, keys } = await app.db.asSystem("erasure", async (tx) => {
      const rows = await tx
        .selectFrom("contents")
        .select("id")
        .where(placeOf(target))
        .limit(AT_ONCE)
        .execute();
      return {
        count: rows.length,
        keys: await releaseContents(
          tx,
          rows.map(({ id }) => id),
        ),
      };
    });
    await deleteFiles(app, keys);
    more = count === AT_ONCE;
  }
}

function placeOf(target: Exclude<ErasureTarget, { level: "workspace" }>) {
  return target.level === "account"
    ? sql<boolean>`account_id = ${target.accountId}`
    : sql<boolean>`organization_id = ${target.organizationId}`;
}
