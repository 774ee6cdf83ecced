import type { Tx } from "../db/database.ts";

/**
 * What a person said is something else now: they edited it, or took it back. Of several turns the first that was stored
 * is changed.
 *
 * @param change the new text, or `null` to leave it
 */
export async function changeSaid(
  tx: Tx,
  conversationId: string,
  turnIds: readonly string[],
  change: (text: string) => string | null,
): Promise<void> {
  if (turnIds.length === 0) return;
  const said = await tx
    .selectFrom("messages")
    .select(["id", "text"])
    .where("conversation_id", "=", conversationId)
    .where("turn_id", "in", [...turnIds])
    .where("role", "=", "user")
    .orderBy("id")
    .limit(1)
    .forNoKeyUpdate()
    .executeTakeFirst();
  const text = said === undefined ? null : change(said.text);
  if (said === undefined || text === null) return;
  await tx.updateTable("messages").set({ text }).where("id", "=", said.id).execute();
}
