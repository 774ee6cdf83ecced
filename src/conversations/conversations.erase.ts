import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { EraseStep, ErasureTarget } from "../jobs/erase-step.ts";

const CONVERSATIONS_AT_ONCE = 100;
const MESSAGES_AT_ONCE = 2_000;

/** Messages are the most there is of anything: they go in small transactions, before the rows that would cascade. */
export const eraseConversations: EraseStep = {
  name: "conversations",
  async erase(app, target, signal) {
    for (
      let ids = await nextConversations(app, target);
      ids.length > 0;
      ids = await nextConversations(app, target)
    ) {
      for (let left = true; left; ) {
        signal.throwIfAborted();
        left = (await eraseMessages(app, ids)) === MESSAGES_AT_ONCE;
      }
      await app.db.asSystem(
        "erasure",
        (tx) => tx.deleteFrom("conversations").where("id", "in", ids).execute(),
        "background",
      );
    }
  },
};

async function nextConversations(app: App, target: ErasureTarget): Promise<string[]> {
  const rows = await app.db.asSystem("erasure", (tx) => conversationsOf(tx, target).execute(), "background");
  return rows.map(({ id }) => id);
}

/** In the order of the key that begins with these columns. */
function conversationsOf(tx: Tx, target: ErasureTarget) {
  let select = tx
    .selectFrom("conversations")
    .select("id")
    .where("partner_id", "=", target.partnerId)
    .where("account_id", "=", target.accountId)
    .limit(CONVERSATIONS_AT_ONCE);
  if (target.level !== "account") select = select.where("organization_id", "=", target.organizationId);
  if (target.level === "workspace") select = select.where("workspace_id", "=", target.workspaceId);
  return select;
}

/** @returns how many */
async function eraseMessages(app: App, conversationIds: readonly string[]): Promise<number> {
  const gone = await app.db.asSystem(
    "erasure",
    (tx) =>
      tx
        .deleteFrom("messages")
        .where("id", "in", (eb) =>
          eb
            .selectFrom("messages")
            .select("id")
            .where("conversation_id", "in", [...conversationIds])
            .limit(MESSAGES_AT_ONCE),
        )
        .executeTakeFirst(),
    "background",
  );
  return Number(gone.numDeletedRows);
}
