import { readFileSync } from "node:fs";

/** Bytes of one entry of a shard's table; `scan.as` names its fields. */
export const ENTRY_BYTES = 64;
/** Bytes of one hit that `rank` writes. */
export const HIT_BYTES = 16;

/** The compiled loops and the memory they work on. All arguments are addresses in it, counts or factors. */
export type Kernel = {
  memory: WebAssembly.Memory;
  find: (
    entries: number,
    count: number,
    high: number,
    low: number,
    languages: number,
    found: number,
  ) => number;
  accumulate: (
    entries: number,
    count: number,
    found: number,
    weight: number,
    presence: number,
    flat: number,
    slope: number,
    scores: number,
  ) => void;
  scan: (
    entries: number,
    count: number,
    selector: number,
    query: number,
    queryScale: number,
    scores: number,
  ) => void;
  rank: (
    first: number,
    end: number,
    lexical: number,
    cosines: number,
    weight: number,
    floor: number,
    threshold: number,
    k: number,
    kept: number,
    hits: number,
  ) => number;
};

/** A kernel with a memory of its own, which grows up to 4 GiB and never shrinks. */
export function createKernel(): Kernel {
  compiled ??= new WebAssembly.Module(readFileSync(new URL("./scan.wasm", import.meta.url)));
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536 });
  return kernelOf(new WebAssembly.Instance(compiled, { env: { memory } }), memory);
}

let compiled: WebAssembly.Module | undefined;

/** `scan.wasm` is built from `scan.as`, whose exports have these signatures; a test compares source and binary. */
function kernelOf(instance: WebAssembly.Instance, memory: WebAssembly.Memory): Kernel {
  return { ...instance.exports, memory } as unknown as Kernel;
}
