import { describe, expect, test } from "vitest";
import { newKey, newPartner, operator, testServer } from "../../test/support.ts";
import type { App } from "../context.ts";
import type { Database } from "../db/database.ts";
import { createKeyDirectory } from "./key-directory.ts";
import { createKey, listKeys, revokeKey } from "./keys.service.ts";

const { app } = await testServer();
const onEmbedded = app.db.kind === "pglite";

describe("the key directory", () => {
  test("asks the database once for a key, and never for what is none", async () => {
    const counted = countingTransactions(app);
    const directory = createKeyDirectory(counted.app);
    const { key } = await newPartner(app);
    expect(await directory.find(key)).toMatchObject({ accountId: null, scopes: null });
    expect(counted.transactions).toBe(1);
    for (let i = 0; i < 1_000; i += 1) expect(directory.find(key)).not.toBeInstanceOf(Promise);
    for (const none of ["", "lum_", "x".repeat(5_000), `${key}0`, key.slice(0, -1), flipLast(key)]) {
      expect(directory.find(none)).toBeUndefined();
    }
    expect(counted.transactions).toBe(1);
    await directory.close();
  });

  test("finds nothing for a well-formed key that was never issued", async () => {
    const directory = createKeyDirectory(app);
    const { createSecretKey } = await import("./secret-key.ts");
    expect(await directory.find(createSecretKey("partner").secret)).toBeUndefined();
    expect(await directory.find(createSecretKey("superadmin").secret)).toBeUndefined();
    await directory.close();
  });

  test("forgets a revoked key with the commit of the revocation, in this process", async () => {
    const directory = createKeyDirectory(app);
    const partner = await newPartner(app);
    const { id, key } = await createKey(app, operator(partner.id), {});
    expect(await directory.find(key)).toBeDefined();
    expect(directory.find(key)).toBeDefined();
    await revokeKey(app, operator(partner.id), id);
    expect(await directory.find(key)).toBeUndefined();
    expect(await directory.find(partner.key)).toBeDefined();
    await directory.close();
  });

  test("never remembers an answer that a revocation overtook", async () => {
    const directory = createKeyDirectory(app);
    const { id: partnerId } = await newPartner(app);
    for (let i = 0; i < 40; i += 1) {
      const { id, key } = await createKey(app, operator(partnerId), {});
      const asked = Array.from({ length: 5 }, () => directory.find(key));
      const revoked = revokeKey(app, operator(partnerId), id);
      const late = Array.from({ length: 5 }, () => directory.find(key));
      await Promise.all([revoked, ...asked, ...late]);
      expect(await directory.find(key)).toBeUndefined();
    }
    await directory.close();
  });

  test("refuses a key from its end on, also one that it remembers", async () => {
    let now = new Date();
    const directory = createKeyDirectory({ ...app, now: () => now });
    const { id } = await newPartner(app);
    const expiresAt = new Date(now.getTime() + 60_000);
    const key = await newKey(app, id, { expiresAt });
    expect(await directory.find(key)).toMatchObject({ expiresAt });
    now = new Date(expiresAt.getTime() - 1);
    expect(directory.find(key)).toBeDefined();
    now = expiresAt;
    expect(directory.find(key)).toBeUndefined();
    await directory.close();
  });

  test("writes when a key was last used, in one statement for many, and never goes back in time", async () => {
    let now = new Date("2030-01-01T00:00:00.000Z");
    const counted = countingTransactions(app);
    const directory = createKeyDirectory({ ...counted.app, now: () => now });
    const partner = await newPartner(app);
    const keys = await Promise.all(Array.from({ length: 5 }, () => newKey(app, partner.id)));
    for (const key of keys) await directory.find(key);
    const before = counted.transactions;
    await directory.flush();
    expect(counted.transactions - before).toBe(1);
    now = new Date("2029-01-01T00:00:00.000Z");
    await directory.find(keys[0] ?? "");
    await directory.close();
    const listed = await listKeys(app, partner.id);
    const times = listed.map(({ last_used_at: time }) => time);
    expect(times).toEqual([...Array(5).fill("2030-01-01T00:00:00.000Z"), null]);
  });

  test.runIf(!onEmbedded)("asks the database each time while it cannot know of changes", async () => {
    const counted = countingTransactions(app);
    const directory = createKeyDirectory({
      ...counted.app,
      signals: { ...app.signals, isFresh: () => false },
    });
    const { key } = await newPartner(app);
    for (let i = 0; i < 5; i += 1) expect(await directory.find(key)).toBeDefined();
    expect(counted.transactions).toBe(5);
    await directory.close();
  });
});

describe("a key at rest", () => {
  test("is a hash and a prefix; the key itself is nowhere", async () => {
    const { id } = await newPartner(app);
    const { key, prefix } = await createKey(app, operator(id), { name: "At rest" });
    const rows = await app.db.asSystem("keys", (tx) =>
      tx.selectFrom("api_keys").selectAll().where("partner_id", "=", id).execute(),
    );
    const row = rows.find(({ name }) => name === "At rest");
    expect(row?.hash).toHaveLength(32);
    expect(key.startsWith(prefix)).toBe(true);
    expect(prefix).toMatch(/^lum_.{8}$/);
    expect(JSON.stringify(rows)).not.toContain(key.slice(12));
    expect(JSON.stringify(await listKeys(app, id))).not.toContain(key.slice(12));
  });
});

function countingTransactions(of: App): { app: App; readonly transactions: number } {
  let transactions = 0;
  const db: Database = {
    ...of.db,
    asSystem(...args) {
      transactions += 1;
      return of.db.asSystem(...args);
    },
  };
  return {
    app: { ...of, db },
    get transactions() {
      return transactions;
    },
  };
}

function flipLast(key: string): string {
  return `${key.slice(0, -1)}${key.endsWith("0") ? "1" : "0"}`;
}
