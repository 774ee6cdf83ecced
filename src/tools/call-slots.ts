/** Waits for its turn and gives back what ends it; `undefined`: too many wait already, or the signal was aborted. */
export type CallSlots = {
  acquire(organizationId: number, host: string, signal: AbortSignal): Promise<(() => void) | undefined>;
};

type Waiter = { keys: readonly Key[]; admit: () => void };
type Key = { name: string; max: number };

/** Every call holds a connection and up to a megabyte: one tenant must not take those of all others. */
const PER_ORGANIZATION = 32;
/** What a customer's own server should have to bear from one of our processes; turns call tools in parallel. */
const PER_HOST = 8;
const WAITING_MAX = 128;

/** Counted for each process: the aim is to protect it, and no server dies of a few times eight calls. */
export function createCallSlots(): CallSlots {
  const taken = new Map<string, number>();
  const waiting: Waiter[] = [];

  const isFree = (keys: readonly Key[]) => keys.every(({ name, max }) => (taken.get(name) ?? 0) < max);

  function take(keys: readonly Key[]): () => void {
    for (const { name } of keys) taken.set(name, (taken.get(name) ?? 0) + 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      for (const { name } of keys) {
        const left = (taken.get(name) ?? 1) - 1;
        if (left > 0) taken.set(name, left);
        else taken.delete(name);
      }
      const next = waiting.findIndex((waiter) => isFree(waiter.keys));
      if (next >= 0) for (const waiter of waiting.splice(next, 1)) waiter.admit();
    };
  }

  return {
    async acquire(organizationId, host, signal) {
      const keys = [
        { name: `${organizationId}`, max: PER_ORGANIZATION },
        { name: `${organizationId} ${host}`, max: PER_HOST },
      ];
      if (signal.aborted) return undefined;
      if (isFree(keys)) return take(keys);
      const own = waiting.filter((waiter) => waiter.keys[0]?.name === keys[0]?.name).length;
      if (own >= WAITING_MAX) return undefined;
      return await new Promise((resolve) => {
        const waiter: Waiter = {
          keys,
          admit() {
            signal.removeEventListener("abort", giveUp);
            resolve(take(keys));
          },
        };
        const giveUp = () => {
          waiting.splice(waiting.indexOf(waiter), 1);
          resolve(undefined);
        };
        signal.addEventListener("abort", giveUp, { once: true });
        waiting.push(waiter);
      });
    },
  };
}
