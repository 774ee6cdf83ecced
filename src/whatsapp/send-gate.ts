/** Keeps what goes out through a number below what Meta takes from it. */
export interface SendGate {
  /** Resolves when it is this message's turn. */
  pass(phoneNumberId: string, perSecond: number): Promise<void>;
  /** Nothing more through this number for so long: Meta has had enough of it. */
  hold(phoneNumberId: string, ms: number): void;
  /** The numbers that are held just now. */
  held(): string[];
}

/** For one process; where several send through one number, Meta's own limit tells them. */
export function createSendGate(nowMs: () => number): SendGate {
  const nextMs = new Map<string, number>();
  const heldUntilMs = new Map<string, number>();
  return {
    async pass(phoneNumberId, perSecond) {
      const now = nowMs();
      const at = Math.max(now, nextMs.get(phoneNumberId) ?? 0);
      nextMs.set(phoneNumberId, at + 1_000 / perSecond);
      if (at > now) await new Promise((resolve) => setTimeout(resolve, at - now));
    },
    hold: (phoneNumberId, ms) => void heldUntilMs.set(phoneNumberId, nowMs() + ms),
    held() {
      const now = nowMs();
      for (const [id, until] of heldUntilMs) if (until <= now) heldUntilMs.delete(id);
      return [...heldUntilMs.keys()];
    },
  };
}
