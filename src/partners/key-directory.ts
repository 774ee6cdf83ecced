import { timingSafeEqual } from "node:crypto";
import { sql } from "kysely";
import type { App } from "../context.ts";
import type { KeyGrant } from "../http/caller.ts";
import { SCOPES, type Scope } from "../http/scopes.ts";
import { hashSecretKey, looksLikeSecretKey } from "./secret-key.ts";

/** Finds what a key grants. From memory on the hot path; memory is trusted only while `Signals.isFresh()`. */
export interface KeyDirectory {
  find(secret: string): KeyGrant | undefined | Promise<KeyGrant | undefined>;
  /** Writes the last-used times that have gathered. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

interface Remembered {
  hash: Buffer;
  grant: KeyGrant;
}

const REMEMBERED_MAX = 20_000;
const FLUSH_MS = 10_000;

export function createKeyDirectory(app: App): KeyDirectory {
  const remembered = new Map<string, Remembered>();
  const used = new Map<string, Date>();
  // An answer that was read before a revocation must not be remembered after it.
  let generation = 0;
  app.signals.on("access", () => {
    generation += 1;
    remembered.clear();
  });
  const timer = setInterval(() => {
    flush().catch((error: unknown) => app.log.warn({ error }, "last-used times could not be written"));
  }, FLUSH_MS);

  function admit(grant: KeyGrant): KeyGrant | undefined {
    const now = app.now();
    if (grant.expiresAt !== null && grant.expiresAt <= now) return undefined;
    used.set(grant.keyId, now);
    return grant;
  }

  async function ask(hash: Buffer, index: string): Promise<KeyGrant | undefined> {
    const asked = generation;
    const grant = await readGrant(app, hash);
    if (grant === undefined) return undefined;
    if (asked === generation) {
      if (remembered.size >= REMEMBERED_MAX) remembered.clear();
      remembered.set(index, { hash, grant });
    }
    return admit(grant);
  }

  async function flush(): Promise<void> {
    const times = [...used];
    used.clear();
    if (times.length > 0) await writeLastUsed(app, times);
  }

  return {
    find(secret) {
      const hash = hashSecretKey(secret);
      const index = hash.toString("latin1");
      const known = app.signals.isFresh() ? remembered.get(index) : undefined;
      // The index is a hash already, so its timing tells nothing of the key; the comparison says so out loud.
      if (known !== undefined && timingSafeEqual(known.hash, hash)) return admit(known.grant);
      return looksLikeSecretKey(secret) ? ask(hash, index) : undefined;
    },
    flush,
    async close() {
      clearInterval(timer);
      await flush();
    },
  };
}

async function readGrant(app: App, hash: Buffer): Promise<KeyGrant | undefined> {
  const row = await app.db.asSystem("keys", (tx) =>
    tx
      .selectFrom("api_keys")
      .select(["id", "partner_id", "account_id", "workspace_id", "scopes", "expires_at"])
      .where("hash", "=", hash)
      .where("revoked_at", "is", null)
      .executeTakeFirst(),
  );
  if (row === undefined) return undefined;
  return {
    keyId: row.id,
    partnerId: row.partner_id,
    accountId: row.account_id,
    workspaceId: row.workspace_id,
    scopes: row.scopes === null ? null : new Set(row.scopes.filter(isScope)),
    expiresAt: row.expires_at,
  };
}

function isScope(text: string): text is Scope {
  return SCOPES.some((scope) => scope === text);
}

async function writeLastUsed(app: App, times: [string, Date][]): Promise<void> {
  const ids = times.map(([id]) => id);
  const dates = times.map(([, date]) => date.toISOString());
  await app.db.asSystem(
    "keys",
    (tx) =>
      sql`update api_keys set last_used_at = used.at
        from unnest(${ids}::uuid[], ${dates}::timestamptz[]) as used (id, at)
        where api_keys.id = used.id and (last_used_at is null or last_used_at < used.at)`.execute(tx),
    "background",
  );
}
