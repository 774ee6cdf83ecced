import type { Tx } from "../db/database.ts";

/**
 * Keeps of a stored answer what the person heard of it, and marks it as broken off: later turns must not build on words
 * that nobody heard. Nothing where the answer was never stored.
 */
export async function truncateAnswer(tx: Tx, turnId: string, address: AnswerAddress): Promise<void> {
  await tx
    .updateTable("messages")
    .set({ text: address.heard, status: "cancelled" })
    .where("turn_id", "=", turnId)
    .where("role", "=", "assistant")
    .where("conversation_id", "in", (eb) =>
      eb
        .selectFrom("conversations")
        .select("conversations.id")
        .where("conversations.workspace_id", "=", address.workspaceId)
        .where("channel", "=", "voice")
        .where("session_key", "=", address.sessionId),
    )
    .execute();
}

/** Where the answer lies, and what of it was heard. */
interface AnswerAddress {
  workspaceId: number;
  sessionId: string;
  heard: string;
}
