import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { onCommit, type Tenant, type Tx } from "../src/db/database.ts";
import { newWorld, testServer, type World } from "./support.ts";

const server = await testServer();
const { db } = server.app;

interface CatalogueTable {
  name: string;
  tenant_columns: string[];
  enabled: boolean;
  forced: boolean;
}

/** `api_keys` is looked up before the tenant is known: tenants have no right to it at all. */
const SYSTEM_ONLY = ["api_keys", "number_orders"];
const TENANT_COLUMNS = ["partner_id", "account_id", "organization_id", "workspace_id"];

const tables = await read<CatalogueTable>(`
  select c.relname as name, c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
    array_agg(a.attname::text order by a.attname) filter (where a.attname in (${TENANT_COLUMNS.map((name) => `'${name}'`).join(", ")})) as tenant_columns
  from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
  group by c.oid having bool_or(a.attname = 'partner_id') or c.relname = 'partners'`);
const tenantTables = tables.filter(({ name }) => !SYSTEM_ONLY.includes(name));

const [mine, theirs] = await Promise.all([newWorld(server), newWorld(server)]);
for (const world of [mine, theirs]) await furnish(world);

describe("the catalogue", () => {
  test("knows the tables that this file attacks", () => {
    expect(tenantTables.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["partners", "accounts", "organizations", "workspaces", "tools", "jobs"]),
    );
  });

  test.each(tables)("$name has row-level security, enabled and forced", ({ enabled, forced }) => {
    expect({ enabled, forced }).toEqual({ enabled: true, forced: true });
  });

  test.each(tenantTables)(
    "$name has exactly one policy for tenants, which binds reading and writing",
    async ({ name }) => {
      const policies = await read<{
        qual: string;
        with_check: string | null;
        cmd: string;
        permissive: string;
      }>(
        `select qual, with_check, cmd, permissive from pg_policies
       where tablename = '${name}' and (roles && '{lumenone_tenant,public}'::name[])`,
      );
      expect(policies).toHaveLength(1);
      expect(policies[0]?.qual).toContain("tenant_partner()");
      if (policies[0]?.cmd !== "SELECT") expect(policies[0]?.with_check).toBe(policies[0]?.qual);
    },
  );

  test.each(SYSTEM_ONLY)("%s has neither a policy nor a right for tenants", async (name) => {
    const policies = await read(
      `select from pg_policies where tablename = '${name}' and (roles && '{lumenone_tenant,public}'::name[])`,
    );
    expect(policies).toEqual([]);
    const [right] = await read<{ any: boolean }>(
      `select has_table_privilege('lumenone_tenant', '${name}', 'select, insert, update, delete') as any`,
    );
    expect(right).toEqual({ any: false });
  });

  test("every foreign key between tenant tables carries a tenant column on both sides", async () => {
    const keys = await read<{ key: string; parent: string; columns: string[]; referenced: string[] }>(`
      select con.conrelid::regclass || '.' || con.conname as key, con.confrelid::regclass::text as parent,
        (select array_agg(a.attname::text) from unnest(con.conkey) with ordinality k(n, i)
          join pg_attribute a on a.attrelid = con.conrelid and a.attnum = k.n) as columns,
        (select array_agg(a.attname::text) from unnest(con.confkey) with ordinality k(n, i)
          join pg_attribute a on a.attrelid = con.confrelid and a.attnum = k.n) as referenced
      from pg_constraint con where con.contype = 'f' and con.connamespace = 'public'::regnamespace`);
    const loose = keys.filter(({ parent, columns }) => {
      // The partner is the tenant: a reference to it is one by its nature.
      if (parent === "partners") return columns.join() !== "partner_id";
      return columns.length < 2 || !columns.some((column) => TENANT_COLUMNS.includes(column));
    });
    expect(keys.length).toBeGreaterThan(5);
    expect(loose).toEqual([]);
  });

  test("every table below an account carries its partner and its account", () => {
    const lacking = tables.filter(
      ({ name, tenant_columns: columns }) =>
        !["partners", "accounts"].includes(name) &&
        !(columns.includes("partner_id") && columns.includes("account_id")),
    );
    expect(lacking).toEqual([]);
  });

  test("no view runs with its owner's rights, and no function does", async () => {
    const views = await read(
      `select relname from pg_class where relkind in ('v', 'm') and relnamespace = 'public'::regnamespace
       and not coalesce(reloptions, '{}') && '{security_invoker=true,security_invoker=on}'`,
    );
    const functions = await read(
      "select proname from pg_proc where pronamespace = 'public'::regnamespace and prosecdef",
    );
    expect([...views, ...functions]).toEqual([]);
  });
});

describe("a tenant", () => {
  test.each(tenantTables)(
    "that asks $name without any condition gets rows of its own only",
    async ({ name }) => {
      const column = name === "partners" ? "id" : "partner_id";
      const seen = await asPartner(mine, async (tx) =>
        rowsOf(tx, `select distinct ${column} as owner from ${name}`),
      );
      expect(seen.filter(({ owner }) => owner !== mine.partner.id)).toEqual([]);
    },
  );

  test("sees its own rows in every table it may read", async () => {
    for (const name of [
      "partners",
      "accounts",
      "organizations",
      "workspaces",
      "tools",
      "audit_events",
      "jobs",
      "webhook_endpoints",
    ]) {
      const rows = await asAccount(mine, (tx) => rowsOf(tx, `select from ${name}`));
      expect(rows.length, name).toBeGreaterThan(0);
    }
  });

  test("narrowed to an account sees no other account of the same partner", async () => {
    const sister = await newWorld(server, mine.partner);
    for (const name of [
      "accounts",
      "organizations",
      "workspaces",
      "tools",
      "audit_events",
      "jobs",
      "webhook_endpoints",
    ]) {
      const column = name === "accounts" ? "id" : "account_id";
      const rows = await asAccount(sister, (tx) => rowsOf(tx, `select ${column} as owner from ${name}`));
      expect(
        rows.filter(({ owner }) => owner !== sister.accountId),
        name,
      ).toEqual([]);
    }
  });

  test("narrowed to a workspace sees no other workspace of the same organization", async () => {
    await mine.api.post(`/v1/org/${await orgSlug(mine)}/workspaces`, { name: "Second" });
    const tenant = { ...accountOf(mine), workspaceId: mine.workspaceId };
    const rows = await db.asTenant(tenant, (tx) => rowsOf(tx, "select id from workspaces"));
    expect(rows).toEqual([{ id: mine.workspaceId }]);
  });

  test.each([
    ["of another partner", () => accountOf(theirs)],
    ["of another account", () => ({ ...accountOf(theirs), partnerId: mine.partner.id })],
  ])("cannot insert a row %s", async (_whose, target) => {
    const { partnerId, accountId } = target();
    const statements = [
      `insert into accounts (partner_id, id, name) values ('${partnerId}', '${server.app.newId()}', 'x')`,
      `insert into organizations (partner_id, account_id, name, slug) values ('${partnerId}', '${accountId}', 'x', 'x')`,
      `insert into workspaces (partner_id, account_id, organization_id, name, slug)
        values ('${partnerId}', '${accountId}', ${theirs.organizationId}, 'x', 'x')`,
      `insert into audit_events (partner_id, account_id, id, actor_kind, action, resource_type, resource_id)
        values ('${partnerId}', '${accountId}', '${server.app.newId()}', 'key', 'x', 'x', 'x')`,
      `insert into jobs (partner_id, account_id, id, kind, lane, payload, max_attempts)
        values ('${partnerId}', '${accountId}', '${server.app.newId()}', 'erase', 'x', '{}', 1)`,
    ];
    for (const statement of statements) {
      await expect(
        asAccount(mine, (tx) => rowsOf(tx, statement)),
        statement,
      ).rejects.toThrow(/row-level security/);
    }
  });

  test("changes and deletes nothing of another, however it asks", async () => {
    for (const statement of [
      "update accounts set name = 'stolen'",
      "update organizations set name = 'stolen'",
      "update workspaces set name = 'stolen', open_ai_prompt = 'stolen'",
      "update tools set description = 'stolen'",
      "delete from workspace_tools",
      "delete from tools",
      "update webhook_endpoints set url = 'stolen'",
    ]) {
      await asPartnerRolledBack(mine, (tx) =>
        rowsOf(tx, `${statement} where partner_id = '${theirs.partner.id}'`),
      );
      await asAccountRolledBack(mine, (tx) => rowsOf(tx, statement));
      // Committed: what it touched was its own.
      await asAccount(mine, (tx) => rowsOf(tx, `${statement} where partner_id <> '${mine.partner.id}'`));
    }
    const rows = await asAccount(theirs, (tx) =>
      rowsOf(
        tx,
        "select name from workspaces union all select name from accounts union all select name from tools",
      ),
    );
    expect(rows.map(({ name }) => name)).toEqual(expect.arrayContaining(["Support", "Acme", "look_up"]));
  });

  test("cannot move a row to another tenant", async () => {
    const moves = [
      `update accounts set partner_id = '${theirs.partner.id}'`,
      `update organizations set partner_id = '${theirs.partner.id}', account_id = '${theirs.accountId}'`,
      `update organizations set account_id = '${theirs.accountId}'`,
      `update workspaces set partner_id = '${theirs.partner.id}', account_id = '${theirs.accountId}', organization_id = ${theirs.organizationId}`,
      `update tools set account_id = '${theirs.accountId}'`,
    ];
    for (const move of moves) {
      await expect(
        asAccount(mine, (tx) => rowsOf(tx, move)),
        move,
      ).rejects.toThrow(/row-level security|foreign key/);
    }
  });

  test.each(["api_keys", "schema_migrations"])("has no right to %s", async (name) => {
    await expect(asAccount(mine, (tx) => rowsOf(tx, `select from ${name}`))).rejects.toThrow(
      /permission denied/,
    );
  });

  test("cannot change the partner it belongs to, nor the schema", async () => {
    for (const statement of [
      "update partners set name = 'x'",
      "create table mine (id int)",
      "alter table accounts disable row level security",
      "drop policy tenant on accounts",
      "truncate accounts",
      "delete from accounts",
      "delete from audit_events",
      "update audit_events set action = 'x'",
      "copy accounts to '/tmp/stolen'",
    ]) {
      await expect(
        asAccount(mine, (tx) => rowsOf(tx, statement)),
        statement,
      ).rejects.toThrow(/permission denied|must be /);
    }
  });
});

describe("foreign keys", () => {
  const cases: [string, () => string][] = [
    [
      "an organization under another partner's account",
      () =>
        `insert into organizations (partner_id, account_id, name, slug) values ('${mine.partner.id}', '${theirs.accountId}', 'x', 'x')`,
    ],
    [
      "a workspace under another account's organization",
      () =>
        `insert into workspaces (partner_id, account_id, organization_id, name, slug)
         values ('${mine.partner.id}', '${mine.accountId}', ${theirs.organizationId}, 'x', 'x')`,
    ],
    [
      "a tool under another account's organization",
      () =>
        `insert into tools (partner_id, account_id, organization_id, id, name, description, kind, enabled, parameters)
         values ('${mine.partner.id}', '${mine.accountId}', ${theirs.organizationId}, '${server.app.newId()}', 'x', 'x', 'http', true, '{}')`,
    ],
    [
      "another organization's tool in a workspace",
      () =>
        `insert into workspace_tools (partner_id, account_id, organization_id, workspace_id, tool_id)
         select '${mine.partner.id}', '${mine.accountId}', ${mine.organizationId}, ${mine.workspaceId}, id
         from tools where organization_id = ${theirs.organizationId}`,
    ],
    [
      "a key for another partner's account",
      () =>
        `insert into api_keys (id, partner_id, account_id, name, prefix, hash)
         values ('${server.app.newId()}', '${mine.partner.id}', '${theirs.accountId}', 'x', 'x', sha256('${server.app.newId()}'))`,
    ],
    [
      "a key for another account's workspace",
      () =>
        `insert into api_keys (id, partner_id, account_id, organization_id, workspace_id, name, prefix, hash)
         values ('${server.app.newId()}', '${mine.partner.id}', '${mine.accountId}', ${theirs.organizationId}, ${theirs.workspaceId}, 'x', 'x', sha256('${server.app.newId()}'))`,
    ],
    [
      "an organization that moves to another partner's account",
      () =>
        `update organizations set account_id = '${theirs.accountId}', slug = 'moved' where id = ${mine.organizationId}`,
    ],
  ];

  test.each(cases)("refuse %s, even to the system role", async (_what, statement) => {
    await expect(db.asSystem("superadmin", (tx) => rowsOf(tx, statement()))).rejects.toThrow(/foreign key/);
  });
});

describe("tenant ids", () => {
  const good = mine.partner.id;
  const bad: [string, string][] = [
    ["a quote", `${good}'; reset role; --`],
    ["capitals", "AAAAAAAA-AAAA-4AAA-AAAA-AAAAAAAAAAAA"],
    ["no UUID", "1"],
    ["nothing", ""],
    ["a line break behind it", `${good}\n`],
    ["a line break before it", `\n${good}`],
    ["braces", `{${good}}`],
    ["other digits", good.replace(/./, "٣")],
  ];

  test.each(bad)("with %s are refused before anything is sent", async (_what, id) => {
    for (const tenant of [{ partnerId: id }, { partnerId: good, accountId: id }]) {
      await expect(db.asTenant(tenant, async () => 1)).rejects.toThrow("not a UUID in lower case");
      await expect(
        db.readAsTenant(tenant, (compile) => compile.selectFrom("accounts").selectAll()),
      ).rejects.toThrow("not a UUID in lower case");
    }
  });

  test.each([Number.NaN, 1.5, Number.POSITIVE_INFINITY, Object("1; reset role") as number])(
    "that are no integer are refused: %s",
    async (workspaceId) => {
      await expect(db.asTenant({ ...accountOf(mine), workspaceId }, async () => 1)).rejects.toThrow(
        "not an integer",
      );
    },
  );

  test("of any other text never reach the database", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 60 }), async (id) => {
        await expect(db.asTenant({ partnerId: id }, async () => 1)).rejects.toThrow("not a UUID");
      }),
      { numRuns: 200 },
    );
  });
});

describe("the guard against a transaction inside a transaction", () => {
  const inner: [string, () => Promise<unknown>][] = [
    ["asTenant", () => db.asTenant(accountOf(mine), async () => 1)],
    ["asSystem", () => db.asSystem("keys", async () => 1)],
    [
      "readAsTenant",
      () => db.readAsTenant(accountOf(mine), (compile) => compile.selectFrom("jobs").selectAll()),
    ],
    ["asSystem after a pause", () => sleep(5).then(() => db.asSystem("keys", async () => 1))],
  ];

  test.each(inner)("stops %s at once, in a tenant's and in the system's", async (_name, open) => {
    const started = performance.now();
    await expect(db.asTenant(accountOf(mine), open)).rejects.toThrow("inside another one");
    await expect(db.asSystem("keys", open)).rejects.toThrow("inside another one");
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test("stops the query builder's own transactions", async () => {
    const nested = db.asTenant(accountOf(mine), (tx) =>
      tx.transaction().execute((inside) => inside.selectFrom("accounts").selectAll().execute()),
    );
    await expect(nested).rejects.toThrow("inside another one");
  });

  test("lets hooks after the commit open one, and requests beside it", async () => {
    const fromHook = Promise.withResolvers<unknown>();
    await db.asTenant(accountOf(mine), async (tx) => {
      onCommit(tx, () => fromHook.resolve(db.asSystem("keys", async () => "opened")));
      return rowsOf(tx, "select 1");
    });
    expect(await fromHook.promise).toBe("opened");
    const beside = await Promise.all(
      Array.from({ length: 20 }, (_, i) => db.asTenant(accountOf(i % 2 ? mine : theirs), async () => i)),
    );
    expect(beside).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  test("calls no hook when the transaction was rolled back", async () => {
    let called = false;
    const failing = db.asTenant(accountOf(mine), async (tx) => {
      onCommit(tx, () => {
        called = true;
      });
      throw new Error("changed my mind");
    });
    await expect(failing).rejects.toThrow("changed my mind");
    expect(called).toBe(false);
  });

  test("a query with a transaction's builder after its end fails", async () => {
    let kept: Tx | undefined;
    await db.asSystem("keys", async (tx) => {
      kept = tx;
    });
    await expect(kept?.selectFrom("api_keys").selectAll().execute()).rejects.toThrow("had ended");
  });
});

describe("the connection", () => {
  test("rests in the restricted role, without a tenant, whatever was done with it before", async () => {
    await db.asSystem("keys", (tx) => rowsOf(tx, "select 1"));
    await db.asTenant(accountOf(mine), (tx) => rowsOf(tx, "select 1"));
    await expect(db.asSystem("keys", (tx) => rowsOf(tx, "select 1 / 0"))).rejects.toThrow("division by zero");
    for (let i = 0; i < 30; i += 1) {
      expect(
        await atRest("select current_user as role, current_setting('app.partner_id', true) as partner"),
      ).toEqual([
        { role: "lumenone_tenant", partner: expect.toSatisfy((value) => value === null || value === "") },
      ]);
    }
  });

  test.each(tenantTables)("at rest sees nothing in $name", async ({ name }) => {
    expect(await atRest(`select count(*)::int as rows from ${name}`)).toEqual([{ rows: 0 }]);
  });

  test("is clean for the next one after an error in the middle", async () => {
    for (let i = 0; i < 25; i += 1) {
      const broken = asAccount(theirs, async (tx) => {
        await rowsOf(tx, "select set_config('app.partner_id', 'nonsense', true)");
        await rowsOf(tx, "select * from accounts");
      });
      await expect(broken).rejects.toThrow("uuid");
      expect(await asAccount(mine, (tx) => rowsOf(tx, "select partner_id from accounts"))).toEqual([
        { partner_id: mine.partner.id },
      ]);
    }
  });

  test("a failure that was swallowed makes the commit fail, and nothing of it stays", async () => {
    const swallowing = asAccount(mine, async (tx) => {
      await rowsOf(tx, "update accounts set name = 'half'");
      await rowsOf(tx, "select 1 / 0").catch(() => undefined);
      return "looks fine";
    });
    await expect(swallowing).rejects.toThrow("a statement in it had failed");
    expect(await asAccount(mine, (tx) => rowsOf(tx, "select name from accounts"))).toEqual([
      { name: "Acme" },
    ]);
  });

  test("a read that fails harms no read written behind it", async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 60 }, (_, i) =>
        db.readAsTenant<{ partner_id: string }>(accountOf(i % 2 ? mine : theirs), (compile) =>
          i % 5 === 0
            ? compile.selectFrom("accounts").select("partner_id").where("id", "=", "not a uuid")
            : compile.selectFrom("accounts").select("partner_id"),
        ),
      ),
    );
    for (const [i, result] of results.entries()) {
      if (i % 5 === 0) expect(result.status).toBe("rejected");
      else expect(result).toMatchObject({ value: [{ partner_id: (i % 2 ? mine : theirs).partner.id }] });
    }
  });
});

describe("many tenants at once", () => {
  test("never see one another's rows, whatever fails, is rolled back or cancelled between them", async () => {
    const worlds = [mine, theirs, ...(await Promise.all(Array.from({ length: 4 }, () => newWorld(server))))];
    const step = fc.record({
      who: fc.nat({ max: worlds.length - 1 }),
      what: fc.constantFrom(
        "read",
        "pipelined",
        "write",
        "fail",
        "swallow",
        "roll back",
        "cancel",
        "abandon",
        "system",
        "narrow",
      ),
      pause: fc.nat({ max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
        const leaks = await Promise.all(steps.map(({ who, what, pause }) => act(worlds, who, what, pause)));
        expect(leaks.flat()).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });
});

/** Does something as one tenant and tells of every row that was not its own. */
async function act(worlds: World[], who: number, what: string, pauseMs: number): Promise<unknown[]> {
  const world = worlds[who];
  if (world === undefined) throw new Error("no such tenant");
  const foreign = (rows: { partner_id?: unknown }[]) =>
    rows.filter((row) => row.partner_id !== world.partner.id);
  const all = "select partner_id from accounts union all select partner_id from workspaces";
  const pause = () => (pauseMs === 0 ? undefined : sleep(pauseMs));
  const tenant = accountOf(world);
  const leaks: unknown[] = [];
  const look = async (tx: Tx) => {
    const rows = await rowsOf(tx, all);
    leaks.push(...foreign(rows));
    if (rows.length === 0) leaks.push("its own rows were gone");
  };
  const expected = new Error("expected");
  const work: Record<string, () => Promise<unknown>> = {
    read: () => db.asTenant(tenant, look),
    narrow: () => db.asTenant({ ...tenant, workspaceId: world.workspaceId }, look),
    pipelined: async () => {
      const rows = await db.readAsTenant<{ partner_id: string }>(tenant, (compile) =>
        compile.selectFrom("workspaces").select("partner_id"),
      );
      leaks.push(...foreign(rows), ...(rows.length === 0 ? ["its own rows were gone"] : []));
    },
    write: () =>
      db.asTenant(tenant, async (tx) => {
        await Promise.all([
          look(tx),
          rowsOf(tx, "update accounts set external_id = partner_id::text"),
          look(tx),
        ]);
        await pause();
        await look(tx);
      }),
    fail: () =>
      db.asTenant(tenant, async (tx) => {
        await Promise.all([rowsOf(tx, "select 1 / 0"), rowsOf(tx, all), rowsOf(tx, all)]);
      }),
    swallow: () =>
      db.asTenant(tenant, async (tx) => {
        await rowsOf(tx, "select nonsense").catch(() => undefined);
        await pause();
      }),
    "roll back": () =>
      db.asTenant(tenant, async (tx) => {
        await rowsOf(tx, "update accounts set name = 'never seen'");
        await pause();
        throw expected;
      }),
    cancel: () =>
      db.asTenant(tenant, async (tx) => {
        const signal = AbortSignal.timeout(1);
        await look(tx);
        await sleep(5, undefined, { signal });
      }),
    // The answer of a statement that nobody waits for must not reach the next tenant.
    abandon: () =>
      db.asTenant(tenant, async (tx) => {
        rowsOf(tx, all).catch(() => undefined);
        throw expected;
      }),
    system: () => db.asSystem("keys", (tx) => rowsOf(tx, "select partner_id from accounts")),
  };
  await work[what]?.().catch((error: unknown) => {
    const text = String(error);
    if (!/expected|division|had failed|abort|timeout|aborted/i.test(text)) leaks.push(text);
  });
  return leaks;
}

async function furnish(world: World): Promise<void> {
  const org = `/v1/org/${await orgSlug(world)}`;
  const { body } = await world.api.post(`${org}/tools`, {
    name: "look_up",
    description: "Looks up an order.",
    kind: "http",
    parameters: { type: "object", properties: {} },
    http: { method: "GET", url: "https://example.com/orders" },
  });
  if (body.tool === undefined) throw new Error(JSON.stringify(body));
  await world.api.post("/v1/webhook-endpoints", { url: "https://example.com/hooks" });
  await world.api.post(`${org}/workspaces`, { name: "Gone", slug: "gone" });
  await world.api.delete(`/v1/workspace/${Buffer.from("gone").toString("hex")}`);
}

async function orgSlug(world: World): Promise<string> {
  return Buffer.from(world.orgSlug).toString("hex");
}

function accountOf(world: World): Tenant & { accountId: string } {
  return { partnerId: world.partner.id, accountId: world.accountId };
}

function asPartner<T>(world: World, work: (tx: Tx) => Promise<T>): Promise<T> {
  return db.asTenant({ partnerId: world.partner.id }, work);
}

function asAccount<T>(world: World, work: (tx: Tx) => Promise<T>): Promise<T> {
  return db.asTenant(accountOf(world), work);
}

async function rolledBack(tenant: Tenant, work: (tx: Tx) => Promise<unknown>): Promise<void> {
  const undone = new Error("undone");
  const attempt = db.asTenant(tenant, async (tx) => {
    await work(tx);
    throw undone;
  });
  await expect(attempt).rejects.toBe(undone);
}
const asPartnerRolledBack = (world: World, work: (tx: Tx) => Promise<unknown>) =>
  rolledBack({ partnerId: world.partner.id }, work);
const asAccountRolledBack = (world: World, work: (tx: Tx) => Promise<unknown>) =>
  rolledBack(accountOf(world), work);

async function rowsOf(tx: Tx, text: string): Promise<Record<string, unknown>[]> {
  const { rows } = await sql<Record<string, unknown>>`${sql.raw(text)}`.execute(tx);
  return rows;
}

/** As a statement would run that was sent outside asTenant and asSystem: `end` leaves the transaction's role and tenant. */
async function atRest(text: string): Promise<Record<string, unknown>[]> {
  let rows: Record<string, unknown>[] = [];
  await db.asTenant(accountOf(mine), async (tx) => {
    await rowsOf(tx, "commit");
    rows = await rowsOf(tx, text);
    await rowsOf(tx, "begin");
  });
  return rows;
}

async function read<Row>(text: string): Promise<Row[]> {
  return db.asSystem("superadmin", async (tx) => (await sql<Row>`${sql.raw(text)}`.execute(tx)).rows);
}
