import { createHash } from "node:crypto";

/**
 * The id of the turn that ends with this row of the inbox: the same for every attempt and in every process, so that it
 * is stored once. A UUID of version 8 (RFC 9562), which is for ids made of something else.
 */
export function turnIdOf({ id }: { id: number }): string {
  const hash = createHash("sha256").update(`whatsapp inbox ${id}`).digest("hex");
  const variant = ((Number.parseInt(hash.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `8${hash.slice(13, 16)}`,
    `${variant}${hash.slice(17, 20)}`,
    hash.slice(20, 32),
  ].join("-");
}
