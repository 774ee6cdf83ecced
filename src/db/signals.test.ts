import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer } from "../../test/support.ts";
import { createDatabase, type Database } from "./database.ts";
import { postgresBackend } from "./postgres-backend.ts";
import { createSignals, type Signals } from "./signals.ts";

// A server and a database of its own, where nobody else raises a signal.
const server = await startTestServer();
const { app } = server;
const { databaseUrl } = app.config;

afterAll(() => server.close());

describe("a signal", () => {
  test("is heard here once its change is committed, and never when that is rolled back", async () => {
    let heard = 0;
    let heardInside = 0;
    app.signals.on("whatsapp", () => {
      heard += 1;
    });
    const work = app.db.asSystem("signals", async (tx) => {
      await app.signals.raise(tx, "whatsapp");
      heardInside = heard;
      throw new Error("not this time");
    });
    await expect(work).rejects.toThrow("not this time");
    expect(heard).toBe(0);
    await app.db.asSystem("signals", async (tx) => {
      await app.signals.raise(tx, "whatsapp");
      heardInside = heard;
    });
    expect(heardInside).toBe(0);
    expect(heard).toBeGreaterThan(0);
  });
});

describe.runIf(databaseUrl !== undefined)("in another process", () => {
  let db: Database;
  let signals: Signals;
  beforeAll(async () => {
    const backend = postgresBackend({
      connectionString: databaseUrl ?? "",
      onConnectionError: () => undefined,
    });
    db = createDatabase(backend);
    signals = await createSignals({ db, backend, nowMs: () => performance.now(), onError: () => undefined });
  });
  afterAll(async () => {
    signals.close();
    await db.close();
  });

  test.each(["access", "jobs", "whatsapp"] as const)("%s is heard, too", async (name) => {
    const heard = Promise.withResolvers<void>();
    app.signals.on(name, heard.resolve);
    // A listener that has just connected may miss the first one.
    for (let isHeard = false; !isHeard; ) {
      await db.asSystem("signals", (tx) => signals.raise(tx, name));
      isHeard = await Promise.race([heard.promise.then(() => true), sleep(500).then(() => false)]);
    }
  });
});
