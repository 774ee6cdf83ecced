import { RetrievalError } from "../retrieval-error.ts";

/** Blocks of a WebAssembly memory, handed out and taken back. */
export type Arena = {
  /** Address of a new block, a multiple of 16. Views of the memory made before this call may be dead after it. */
  allocate: (bytes: number) => number;
  release: (address: number) => void;
  /** Bytes in blocks now. */
  usedBytes: () => number;
};

type Range = { start: number; size: number };

const PAGE = 65_536;
const MAX_BYTES = 65_536 * PAGE;

/**
 * First fit over a list of free ranges, neighbours joined when they come back. The kernel keeps no data of its own in
 * the memory; address 0 stays unused so that it can mean "none".
 */
export function createArena(memory: WebAssembly.Memory): Arena {
  const free: Range[] = [{ start: 16, size: memory.buffer.byteLength - 16 }];
  const sizes = new Map<number, number>();
  let used = 0;
  const allocate = (bytes: number): number => {
    const size = Math.max(16, Math.ceil(bytes / 16) * 16);
    let start = takeFrom(free, size);
    if (start === undefined) {
      grow(memory, free, size);
      start = takeFrom(free, size) ?? 0;
    }
    sizes.set(start, size);
    used += size;
    return start;
  };
  const release = (start: number): void => {
    const size = sizes.get(start);
    if (size === undefined) throw new RangeError(`There is no block at ${start}.`);
    sizes.delete(start);
    used -= size;
    giveBack(free, { start, size });
  };
  return { allocate, release, usedBytes: () => used };
}

function takeFrom(free: Range[], size: number): number | undefined {
  const at = free.findIndex((range) => range.size >= size);
  const range = free[at];
  if (!range) return undefined;
  const start = range.start;
  if (range.size === size) free.splice(at, 1);
  else free[at] = { start: start + size, size: range.size - size };
  return start;
}

function giveBack(free: Range[], range: Range): void {
  let low = 0;
  let high = free.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((free[middle]?.start ?? 0) < range.start) low = middle + 1;
    else high = middle;
  }
  const before = free[low - 1];
  const after = free[low];
  const merged = { ...range };
  if (after && range.start + range.size === after.start) {
    merged.size += after.size;
    free.splice(low, 1);
  }
  if (before && before.start + before.size === range.start) {
    before.size += merged.size;
  } else {
    free.splice(low, 0, merged);
  }
}

/** Grows by at least an eighth: growing is a system call, and V8 makes a new buffer each time. */
function grow(memory: WebAssembly.Memory, free: Range[], size: number): void {
  const bytes = memory.buffer.byteLength;
  const wanted = Math.max(Math.ceil(size / PAGE), Math.ceil(bytes / 8 / PAGE), 16);
  const pages = Math.min(wanted, (MAX_BYTES - bytes) / PAGE);
  try {
    if (pages * PAGE < size) throw new RangeError("beyond 4 GiB");
    memory.grow(pages);
  } catch {
    throw new RetrievalError(
      "too_large",
      "The search engine's memory is full: its limit of 4 GiB is reached.",
    );
  }
  giveBack(free, { start: bytes, size: pages * PAGE });
}
