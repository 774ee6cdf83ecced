import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";
import { ConfigError } from "./config.ts";

/** Encrypts what must be readable again: credentials of tools, channels and providers. */
export interface SecretBox {
  /** Id of the key that seals now. */
  readonly keyId: string;
  /**
   * @param purpose binds the result to one place, e.g. `tool:<id>`: moved to another row it cannot be opened
   * @returns `v1.<key id>.<nonce>.<ciphertext and tag>`, base64url
   */
  seal(plaintext: string, purpose: string): string;
  /** @throws when the text was changed, belongs elsewhere, or ({@link ConfigError}) was sealed with a key that is not configured */
  open(sealed: string, purpose: string): string;
}

const ALGORITHM = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

interface Key {
  id: string;
  bytes: Buffer;
}

/** AES-256-GCM under `secretKey`; what `previous` sealed can still be opened, until `rotate-secrets` has run. */
export function createSecretBox(secretKey: string, previous?: string): SecretBox {
  const current = deriveKey(secretKey);
  const keys = previous === undefined ? [current] : [current, deriveKey(previous)];

  return {
    keyId: current.id,
    seal(plaintext, purpose) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, current.bytes, nonce).setAAD(Buffer.from(purpose));
      const sealed = Buffer.concat([cipher.update(plaintext, "utf8"), cipher.final(), cipher.getAuthTag()]);
      return ["v1", current.id, nonce.toString("base64url"), sealed.toString("base64url")].join(".");
    },
    open(sealed, purpose) {
      const [version, keyId, nonce, data] = sealed.split(".");
      const key = keys.find(({ id }) => id === keyId);
      if (version !== "v1" || nonce === undefined || data === undefined)
        throw new Error("not a sealed secret");
      if (key === undefined) {
        throw new ConfigError(
          `A secret was sealed with a key (${keyId}) that is not configured: set SECRET_KEY_PREVIOUS to it.`,
        );
      }
      const bytes = Buffer.from(data, "base64url");
      const decipher = createDecipheriv(ALGORITHM, key.bytes, Buffer.from(nonce, "base64url"))
        .setAAD(Buffer.from(purpose))
        .setAuthTag(bytes.subarray(-TAG_BYTES));
      return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]).toString(
        "utf8",
      );
    },
  };
}

function deriveKey(secretKey: string): Key {
  const bytes = Buffer.from(hkdfSync("sha256", secretKey, "", "lumenone secrets v1", 32));
  return { id: createHash("sha256").update("key id").update(bytes).digest("hex").slice(0, 8), bytes };
}
