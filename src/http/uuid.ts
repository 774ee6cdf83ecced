import { randomFillSync } from "node:crypto";

const bytes = Buffer.alloc(16);
let lastMs = 0;
let sequence = 0;

/**
 * A UUID of version 7 (RFC 9562): 48 bits of time, a 12-bit counter within the millisecond, 62 random bits. Ids made
 * by one process sort in the order they were made.
 */
export function uuidv7(): string {
  const now = Date.now();
  sequence = now > lastMs ? 0 : sequence + 1;
  // More than 4,096 in a millisecond borrow from the next one; so does a clock that was set back.
  lastMs = Math.max(lastMs, now) + (sequence >> 12);
  sequence &= 0xfff;
  randomFillSync(bytes, 8);
  bytes.writeUIntBE(lastMs, 0, 6);
  bytes.writeUInt16BE(0x7000 | sequence, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
