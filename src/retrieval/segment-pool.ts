import { type LoadedSegment, loadSegment, type ReadBytes, type SearchMemory } from "./search-memory.ts";

/** Segments in memory, each once however many workspaces use it, for as long as one does. */
export type SegmentPool = {
  /** Loads the segment if need be and counts one more user. @throws what loading throws */
  acquire: (hash: string) => Promise<LoadedSegment>;
  release: (hash: string) => void;
  size: () => number;
};

export function createSegmentPool(
  memory: SearchMemory,
  read: (hash: string, start: number, length: number) => ReturnType<ReadBytes>,
): SegmentPool {
  const slots = new Map<string, { users: number; loading: Promise<LoadedSegment> }>();
  const acquire = async (hash: string): Promise<LoadedSegment> => {
    const known = slots.get(hash);
    const slot = known ?? {
      users: 0,
      loading: loadSegment(memory, hash, (start, length) => read(hash, start, length)),
    };
    slots.set(hash, slot);
    slot.users++;
    try {
      return await slot.loading;
    } catch (error) {
      if (slots.get(hash) === slot) slots.delete(hash);
      throw error;
    }
  };
  const release = (hash: string): void => {
    const slot = slots.get(hash);
    if (!slot || --slot.users > 0) return;
    slots.delete(hash);
    void slot.loading.then((segment) => memory.arena.release(segment.address));
  };
  return { acquire, release, size: () => slots.size };
}
