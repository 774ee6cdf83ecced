/** Tells the sender of this process that there is something to send; other processes look every second. */
export interface DeliveriesBell {
  wake(): void;
  on(listener: () => void): void;
}

export function createDeliveriesBell(): DeliveriesBell {
  const listeners: (() => void)[] = [];
  return {
    wake: () => {
      for (const listener of listeners) listener();
    },
    on: (listener) => void listeners.push(listener),
  };
}
