import { hash, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";

/** A freshly made API key. `secret` is shown once and nowhere stored. */
export interface NewSecretKey {
  secret: string;
  prefix: string;
  hash: Buffer;
}

const SHAPE = /^(lum|lumadmin)_([A-Za-z0-9_-]{43})([0-9a-f]{8})$/;
const PREFIX_LENGTH = 8;

/**
 * `lum_` (or `lumadmin_`), 256 random bits in base64url, and a CRC-32: leaked keys can be recognised by their shape,
 * and made-up ones are refused without asking the database.
 */
export function createSecretKey(kind: "partner" | "superadmin"): NewSecretKey {
  const random = randomBytes(32).toString("base64url");
  const secret = `${kind === "partner" ? "lum" : "lumadmin"}_${random}${checksum(random)}`;
  return {
    secret,
    prefix: secret.slice(0, secret.indexOf("_") + 1 + PREFIX_LENGTH),
    hash: hashSecretKey(secret),
  };
}

export function looksLikeSecretKey(text: string): boolean {
  const [, , random, sum] = SHAPE.exec(text) ?? [];
  return random !== undefined && checksum(random) === sum;
}

/** The keys are random, so a plain hash is safe at rest: there is nothing to guess. */
export function hashSecretKey(secret: string): Buffer {
  return hash("sha256", secret, "buffer");
}

function checksum(random: string): string {
  return crc32(random).toString(16).padStart(8, "0");
}
