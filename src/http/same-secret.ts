import { createHmac, timingSafeEqual } from "node:crypto";

/** Compares in a time that tells nothing of how much of it was right, nor of how long the expected one is. */
export function isSameSecret(given: string, expected: string): boolean {
  return timingSafeEqual(digest(given), digest(expected));
}

function digest(text: string): Buffer {
  return createHmac("sha256", "compare").update(text).digest();
}
