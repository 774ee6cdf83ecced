/** A term as the index knows it: 48 bits, so that among ten million words two share a hash once in 30 workspaces' lifetimes. */
export type TermHash = { high: number; low: number };

/**
 * Hashes a term to 32 + 16 bits, the same on every machine.
 * Two independent multiplicative hashes over the UTF-16 units; the upper 32 bits are spread evenly, which the bucket
 * table of a segment relies on.
 */
export function hashTerm(term: string): TermHash {
  let a = 0x9e3779b9;
  let b = 0x85ebca6b;
  for (let i = 0; i < term.length; i++) {
    const unit = term.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x5bd1e995);
    b ^= b >>> 15;
  }
  return { high: mix(a ^ term.length), low: mix(b ^ a) & 0xffff };
}

/** Spreads every input bit over all output bits. */
export function mix(value: number): number {
  let h = value ^ (value >>> 16);
  h = Math.imul(h, 0x7feb352d);
  h ^= h >>> 15;
  h = Math.imul(h, 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}
