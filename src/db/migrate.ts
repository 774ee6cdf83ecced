import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Backend } from "./backend.ts";
import { SYSTEM_ROLE, TENANT_ROLE } from "./roles.ts";
import { StartRefused } from "./start-refused.ts";

type Run = (sql: string) => Promise<Record<string, unknown>[]>;

interface Migration {
  version: number;
  name: string;
  sql: string;
  checksum: string;
}

/**
 * Brings the database to the newest version; processes that start together wait for one another.
 *
 * @returns the names of the migrations that were applied now
 */
export async function migrate(backend: Backend, folder: string): Promise<string[]> {
  const migrations = await readMigrations(folder);
  return backend.asOwner(async (run) => {
    if (backend.kind === "postgres") await refuseUnsafeLogin(run);
    await createRoles(run);
    await run(`create table if not exists schema_migrations (
      version integer primary key, name text not null, checksum text not null,
      applied_at timestamptz not null default now())`);
    const applied = new Map(
      (await run("select version, checksum from schema_migrations")).map((row) => [
        row.version,
        row.checksum,
      ]),
    );
    const names: string[] = [];
    for (const migration of migrations) {
      const checksum = applied.get(migration.version);
      if (checksum === undefined) {
        await apply(run, migration);
        names.push(migration.name);
      } else if (checksum !== migration.checksum) {
        throw new StartRefused(
          `${migration.name} was edited after it had been applied; restore it and add a new migration.`,
        );
      }
    }
    return names;
  });
}

async function apply(run: Run, migration: Migration): Promise<void> {
  await run("begin");
  try {
    await run(migration.sql);
    await run(`insert into schema_migrations (version, name, checksum)
      values (${migration.version}, '${migration.name}', '${migration.checksum}')`);
    await run("commit");
  } catch (error) {
    await run("rollback");
    throw new Error(`${migration.name} failed: ${String(error)}`, { cause: error });
  }
}

async function readMigrations(folder: string): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(join(folder, name), "utf8");
      return {
        version: Number(name.slice(0, 4)),
        name,
        sql,
        checksum: createHash("sha256").update(sql).digest("hex"),
      };
    }),
  );
}

/** A superuser or BYPASSRLS login walks through every row-level-security policy: the second wall would be paper. */
async function refuseUnsafeLogin(run: Run): Promise<void> {
  const [login] = await run(
    "select current_user as name, rolsuper, rolbypassrls from pg_roles where rolname = current_user",
  );
  if (login?.rolsuper === true || login?.rolbypassrls === true) {
    throw new StartRefused(
      `DATABASE_URL logs in as "${String(login.name)}", which is a superuser or has BYPASSRLS, so that row-level ` +
        "security would not hold. Use a login made by: create role lumenone login createrole password '…'.",
    );
  }
}

/** Roles belong to the whole cluster: another database of it may have made them, perhaps in this very moment. */
async function createRoles(run: Run): Promise<void> {
  for (const role of [TENANT_ROLE, SYSTEM_ROLE]) {
    await run(`do $$ begin
      if not exists (select from pg_roles where rolname = '${role}') then
        create role ${role} nologin noinherit nosuperuser nobypassrls;
      end if;
    exception when duplicate_object or unique_violation then null; end $$`);
    // From PostgreSQL 16 on, who made a role is its member, but may take it on only after a grant to itself.
    await run(`do $$ begin
      if not pg_has_role(current_user, '${role}',
          case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end) then
        grant ${role} to current_user;
      end if;
    exception when unique_violation then null; end $$`);
  }
}
