import { type Arena, createArena } from "./kernel/arena.ts";
import { createKernel, type Kernel } from "./kernel/kernel.ts";
import { readMeta, type SegmentMeta } from "./segment.ts";
import { checkIndex, damaged, readHeader, type SegmentHeader } from "./segment-layout.ts";

/** A segment's index part inside the kernel's memory. */
export type LoadedSegment = { hash: string; address: number; header: SegmentHeader; meta: SegmentMeta };

/** The kernel, its memory, and buffers that searches share: one search runs at a time. */
export type SearchMemory = {
  kernel: Kernel;
  arena: Arena;
  /** A buffer that keeps its name and address until it is asked for with more bytes; its content is undefined. */
  scratch: (name: string, bytes: number) => number;
};

export function createSearchMemory(): SearchMemory {
  const kernel = createKernel();
  const arena = createArena(kernel.memory);
  const buffers = new Map<string, { address: number; bytes: number }>();
  const scratch = (name: string, bytes: number): number => {
    const known = buffers.get(name);
    if (known && known.bytes >= bytes) return known.address;
    if (known) arena.release(known.address);
    // A quarter more than asked for: a growing workspace should not move its buffers with every document.
    const size = Math.ceil(bytes * 1.25) + 256;
    const address = arena.allocate(size);
    buffers.set(name, { address, bytes: size });
    return address;
  };
  return { kernel, arena, scratch };
}

/** The segment's bytes from `start` on: `length` of them, or as many as there are. */
export type ReadBytes = (start: number, length: number) => Uint8Array | Promise<Uint8Array>;

/** What is read first: enough for the index of most documents. */
const FIRST_READ_BYTES = 131_072;

/**
 * Reads a segment's index part into the kernel's memory and checks it. The passages stay where they are.
 * @throws RetrievalError `segment_damaged`, `segment_version`, `too_large`, or what `read` throws
 */
export async function loadSegment(
  memory: SearchMemory,
  hash: string,
  read: ReadBytes,
): Promise<LoadedSegment> {
  const first = await read(0, FIRST_READ_BYTES);
  const header = readHeader(first);
  const head = first.subarray(0, header.indexBytes);
  const missing = header.indexBytes - head.length;
  const rest = missing > 0 ? await read(head.length, missing) : undefined;
  // Nothing waits from here on: a view of the memory dies whenever someone else makes it grow.
  const address = memory.arena.allocate(header.indexBytes);
  const index = viewOf(memory, address, header.indexBytes);
  try {
    if (head.length + (rest?.length ?? 0) !== header.indexBytes) throw damaged("it ends inside its index");
    index.set(head);
    if (rest) index.set(rest, head.length);
    checkIndex(index, header);
    return { hash, address, header, meta: readMeta(index, header) };
  } catch (error) {
    memory.arena.release(address);
    throw error;
  }
}

/** A view of the kernel's memory; dead after the next allocation. */
export function viewOf(memory: SearchMemory, address: number, bytes: number): Uint8Array {
  return new Uint8Array(memory.kernel.memory.buffer, address, bytes);
}
