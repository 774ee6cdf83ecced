import { sql } from "kysely";
import type { RetentionPart } from "../conversations/contact-part.ts";

/** Calls that ended before the cut-off go, with all that was said in them. */
export const callRetention: RetentionPart = {
  isOverdue: sql<boolean>`exists (select from calls
    where calls.workspace_id = kept.id and calls.started_at < kept.cutoff and calls.lease_until is null)`,
  async remove(tx, workspaceId, cutoff, limit) {
    const gone = await tx
      .deleteFrom("calls")
      .where("id", "in", (eb) =>
        eb
          .selectFrom("calls")
          .select("id")
          .where("workspace_id", "=", workspaceId)
          .where("started_at", "<", cutoff)
          .where("lease_until", "is", null)
          .orderBy("started_at")
          .limit(limit),
      )
      .executeTakeFirstOrThrow();
    return Number(gone.numDeletedRows);
  },
};
