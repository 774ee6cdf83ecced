import type { SearchMemory } from "./search-memory.ts";

/** Where a term's postings lie in every document of a shard: the address of the kernel's table, and how many there are. */
export type Found = { address: number; frequency: number };

/**
 * Remembers look-ups as long as the shard's documents stay the same: people ask with the same words again and again,
 * and looking one up in a thousand small documents costs more than everything that follows.
 */
export type FoundCache = {
  /** Begins a search that will look up `terms` terms; their tables stay where they are until the next search. */
  begin: (terms: number) => void;
  find: (high: number, low: number, languages: number) => Found;
  release: () => void;
};

type Slot = Found & { high: number; low: number; languages: number; usedBy: number };

const CACHE_BYTES = 4 * 1024 * 1024;
const MAX_SLOTS = 128;

/** @param entries address and @param count length of the shard's table of documents */
export function createFoundCache(memory: SearchMemory, entries: number, count: number): FoundCache {
  const slotBytes = count * 8;
  const size = Math.min(MAX_SLOTS, Math.floor(CACHE_BYTES / Math.max(1, slotBytes)));
  const block = memory.arena.allocate(size * slotBytes);
  const slots: Slot[] = [];
  const byTerm = new Map<number, Slot>();
  let search = 0;
  let next = 0;
  let uncached = 0;

  const begin = (terms: number): void => {
    search++;
    // Half the slots at most, so that there is always one to give up.
    uncached = terms * 2 > size ? memory.scratch("found", terms * slotBytes) : 0;
  };

  const find = (high: number, low: number, languages: number): Found => {
    if (uncached !== 0) {
      const address = uncached;
      uncached += slotBytes;
      return { address, frequency: memory.kernel.find(entries, count, high, low, languages, address) };
    }
    const known = byTerm.get(high * 0x10000 + low);
    if (known?.languages === languages) {
      known.usedBy = search;
      return known;
    }
    return fill(takeSlot(), high, low, languages);
  };

  const takeSlot = (): Slot => {
    if (slots.length < size) {
      const slot = {
        address: block + slots.length * slotBytes,
        frequency: 0,
        high: 0,
        low: 0,
        languages: 0,
        usedBy: 0,
      };
      slots.push(slot);
      return slot;
    }
    for (;;) {
      const slot = slots[next++ % size];
      if (slot && slot.usedBy !== search) return slot;
    }
  };

  const fill = (slot: Slot, high: number, low: number, languages: number): Found => {
    const before = slot.high * 0x10000 + slot.low;
    if (byTerm.get(before) === slot) byTerm.delete(before);
    const frequency = memory.kernel.find(entries, count, high, low, languages, slot.address);
    Object.assign(slot, { high, low, languages, frequency, usedBy: search });
    byTerm.set(high * 0x10000 + low, slot);
    return slot;
  };

  return { begin, find, release: () => memory.arena.release(block) };
}
