import { appendFile, cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { temporaryFolder, testDatabase } from "../../test/support.ts";
import { migrate } from "./migrate.ts";
import { pgliteBackend } from "./pglite-backend.ts";
import { postgresBackend } from "./postgres-backend.ts";
import { StartRefused } from "./start-refused.ts";

const settings = await testDatabase();
const open = async () =>
  settings.DATABASE_URL === undefined
    ? pgliteBackend({ dataDir: settings.DATA_DIR ?? "", onFatal: () => undefined })
    : postgresBackend({ connectionString: settings.DATABASE_URL, onConnectionError: () => undefined });
const backend = await open();
afterAll(() => backend.close());

// PGlite is PostgreSQL 18, where a login that makes a role may not yet take it on. As on a server, it is no superuser.
if (backend.kind === "pglite") {
  const ending = backend.asOwner((run) =>
    run(
      `create role boss login createrole; grant all on schema public to boss; set session authorization boss`,
    ),
  );
  // The role it should rest in is made by the first migration only.
  await ending.catch(() => undefined);
}

describe("migrations", { timeout: 60_000 }, () => {
  test("run as a login that is no superuser, and leave the connection in the restricted role", async () => {
    await migrate(backend, await copyOfMigrations());
    const session = await backend.open("begin", "interactive");
    const { rows } = await session.query({
      sql: "select current_user as resting, session_user as login",
      parameters: [],
    });
    await session.commit();
    expect(rows).toEqual([
      { resting: "lumenone_tenant", login: backend.kind === "pglite" ? "boss" : "lumenone_test" },
    ]);
  });

  test("are applied once, in order, and each as a whole", async () => {
    const folder = await copyOfMigrations();
    expect(await migrate(backend, folder)).toEqual([]);

    await writeFile(join(folder, "9001_half.sql"), "create table half (id int); select 1 / 0;");
    await expect(migrate(backend, folder)).rejects.toThrow("9001_half.sql failed: error: division by zero");
    expect(await tablesNamed("half")).toEqual([]);

    await writeFile(join(folder, "9001_half.sql"), "create table half (id int);");
    await writeFile(join(folder, "9002_next.sql"), "alter table half add column name text;");
    await writeFile(join(folder, "notes.txt"), "no migration");
    expect(await migrate(backend, folder)).toEqual(["9001_half.sql", "9002_next.sql"]);
  });

  test("that ask at once wait for one another", async () => {
    const folder = await copyOfMigrations();
    await writeFile(join(folder, "9101_once.sql"), "create table once (id int);");
    const applied = await Promise.all(Array.from({ length: 6 }, () => migrate(backend, folder)));
    expect(applied.flat()).toEqual(["9101_once.sql"]);
  });

  test("that were edited afterwards stop the start", async () => {
    const folder = await copyOfMigrations();
    await appendFile(join(folder, "0001_house.sql"), "\n-- a harmless remark");
    const edited = migrate(backend, folder);
    await expect(edited).rejects.toThrow(StartRefused);
    await expect(edited).rejects.toThrow(
      "0001_house.sql was edited after it had been applied; restore it and add a new migration.",
    );
  });

  test("that a newer version applied do not stop an older one", async () => {
    expect(await migrate(backend, await copyOfMigrations())).toEqual([]);
  });
});

async function copyOfMigrations(): Promise<string> {
  const folder = await temporaryFolder();
  await cp(fileURLToPath(new URL("../../migrations", import.meta.url)), folder, { recursive: true });
  return folder;
}

async function tablesNamed(name: string): Promise<unknown[]> {
  return backend.asOwner((run) => run(`select tablename from pg_tables where tablename = '${name}'`));
}
