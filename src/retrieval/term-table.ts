/** Numbers the distinct terms of a document from 0, in the order in which they are first seen. */
export type TermTable = {
  idOf: (high: number, low: number) => number;
  /** Every term as one number, high * 65,536 + low, by id. */
  keys: () => Float64Array;
};

/**
 * Open addressing over typed arrays: a Map keyed by 48-bit numbers allocates each of them, and building a segment is
 * little else than this look-up.
 */
export function createTermTable(): TermTable {
  let slots = new Int32Array(4_096).fill(-1);
  let highs = new Uint32Array(2_048);
  let lows = new Uint16Array(2_048);
  let count = 0;

  const idOf = (high: number, low: number): number => {
    let at = high & (slots.length - 1);
    for (;;) {
      const id = slots[at] ?? -1;
      if (id < 0) break;
      if (highs[id] === high && lows[id] === low) return id;
      at = (at + 1) & (slots.length - 1);
    }
    slots[at] = count;
    highs[count] = high;
    lows[count] = low;
    count++;
    if (count * 2 > slots.length - 1) grow();
    return count - 1;
  };

  const grow = (): void => {
    const larger = new Uint32Array(highs.length * 2);
    larger.set(highs);
    highs = larger;
    const lower = new Uint16Array(lows.length * 2);
    lower.set(lows);
    lows = lower;
    slots = new Int32Array(slots.length * 2).fill(-1);
    for (let id = 0; id < count; id++) {
      let at = (highs[id] ?? 0) & (slots.length - 1);
      while ((slots[at] ?? -1) >= 0) at = (at + 1) & (slots.length - 1);
      slots[at] = id;
    }
  };

  const keys = () =>
    Float64Array.from({ length: count }, (_, id) => (highs[id] ?? 0) * 0x10000 + (lows[id] ?? 0));
  return { idOf, keys };
}
