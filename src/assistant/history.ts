import type { HistoryMessage } from "../conversations/conversation.ts";
import type { ChatMessage } from "../ports/chat-model.ts";
import { withoutCitations } from "./citations.ts";

/** What was said in one go: a question with its answer, or what a human added. */
export type PastTurn = readonly ChatMessage[];

/**
 * The history as turns, oldest first. An answer that failed is left out with its question: the person was told to ask
 * again. Whoever answered, to the model it was the assistant.
 */
export function turnsOf(history: readonly HistoryMessage[]): PastTurn[] {
  const byTurn = Map.groupBy(history, ({ turn_id }) => turn_id);
  return [...byTurn.values()].flatMap((messages) => {
    const isWhole = messages[0]?.role !== "assistant";
    if (!isWhole || messages.some(({ status }) => status === "failed")) return [];
    const said = messages.filter(({ text }) => text !== "").map(toMessage);
    return said.length === 0 ? [] : [said];
  });
}

function toMessage({ role, text }: HistoryMessage): ChatMessage {
  if (role === "user") return { role, text };
  return { role: "assistant", text: role === "human" ? text : withoutCitations(text) };
}

/** What the person wrote, oldest first. */
export function questionsOf(turns: readonly PastTurn[]): string[] {
  return turns.flatMap((turn) => turn.filter(({ role }) => role === "user").map(({ text }) => text));
}
