/** What became of a message: counted for `/metrics`. */
export type MessageOutcome = "taken" | "unknown" | "unsigned" | "unreadable";

export interface EngineMessages {
  count(outcome: MessageOutcome): void;
  counts(): Readonly<Record<MessageOutcome, number>>;
}

export function createEngineMessages(): EngineMessages {
  const counts: Record<MessageOutcome, number> = { taken: 0, unknown: 0, unsigned: 0, unreadable: 0 };
  return {
    count(outcome) {
      counts[outcome] += 1;
    },
    counts: () => counts,
  };
}
