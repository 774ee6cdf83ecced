import { createHmac, timingSafeEqual } from "node:crypto";

const SIGNATURE = /^sha256=([0-9a-f]{64})$/i;

/**
 * Whether Meta signed exactly these bytes. Never of anything parsed and written again: Meta writes `\u00e9` and `\/`
 * where JSON would let it write `é` and `/`, and signs what it wrote.
 *
 * @param secrets more than one while the app's secret is being changed
 * @param signature the header `X-Hub-Signature-256`
 */
export function isSigned(
  body: Buffer,
  signature: string | string[] | undefined,
  secrets: readonly string[],
): boolean {
  const hex = typeof signature === "string" ? SIGNATURE.exec(signature)?.[1] : undefined;
  if (hex === undefined) return false;
  const given = Buffer.from(hex, "hex");
  return secrets.some((secret) => timingSafeEqual(given, createHmac("sha256", secret).update(body).digest()));
}
