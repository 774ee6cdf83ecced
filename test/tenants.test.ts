import { sql } from "kysely";
import { beforeAll, describe, expect, test } from "vitest";
import { operations } from "../src/areas.ts";
import type { Operation } from "../src/http/operation.ts";
import { expectAnyProblem, expectProblem, expectSuccess, withoutRequestId } from "./expectations.ts";
import {
  addBeside,
  bodyOf,
  calls,
  contentOf,
  headersOf,
  mentionsOf,
  newPlace,
  type Place,
  parameterNames,
  pathOf,
  ruleOf,
  setAt,
  takesAccount,
} from "./registry.ts";
import { newKey, type Reply, send, testServer } from "./support.ts";

/** Someone whose things are tried, by what they have in common with the one who tries. */
interface Stranger {
  is: "another partner" | "another account of the same partner" | "another organization of the same account";
  place: Place;
  /** Things that belong to one of these are out of reach. */
  outOfReach: readonly string[];
}

interface Attempt {
  key?: string;
  path?: string;
  body?: object | undefined;
  accountId?: string;
}

const server = await testServer();

let own: Place;
let strangers: Stranger[];

beforeAll(async () => {
  own = await newPlace(server);
  strangers = [
    {
      is: "another partner",
      place: await newPlace(server),
      outOfReach: ["partner", "account", "organization"],
    },
    {
      is: "another account of the same partner",
      place: await newPlace(server, { partner: own.partner }),
      outOfReach: ["account", "organization"],
    },
    {
      is: "another organization of the same account",
      place: await newPlace(server, own),
      outOfReach: ["organization"],
    },
  ];
  // What strangers have attached must not be detachable either.
  for (const { place } of strangers) await calls.detachTool?.prepare?.(place);
});

/** The others name nothing that could be someone else's. */
const concerned = operations.filter(
  (operation) =>
    parameterNames(operation).some((name) => ruleOf(operation, name).belongsTo !== "installation") ||
    takesAccount(operation) ||
    hasNarrowedKeys(operation),
);

for (const operation of concerned) {
  describe(operation.id, () => {
    describeIds(operation);
    if (takesAccount(operation)) describeForeignAccount(operation);
    describeNarrowedKeys(operation);
    if (isList(operation)) describeList(operation);
  });
}

/** One's own key and account, and someone else's id in one place of the path or the body. */
function describeIds(operation: Operation): void {
  for (const name of parameterNames(operation)) {
    if (ruleOf(operation, name).isMade) {
      describeMade(operation, name);
      continue;
    }
    test(`someone else's :${name} is answered like one that does not exist, and nothing happens to it`, async () => {
      const { belongsTo, valid, unknown } = ruleOf(operation, name);
      const nothing = await attempt(operation, { path: pathOf(operation, own, { [name]: unknown }) });
      for (const { is, place } of strangers.filter(({ outOfReach }) => outOfReach.includes(belongsTo))) {
        const path = pathOf(operation, own, { [name]: valid(place) });
        for (const body of [bodyOf(operation, own), bodyOf(operation, place)]) {
          const work = () => attempt(operation, { path, body });
          await expectNoTrace(operation, place, is, nothing, work, [unknown, valid(place)]);
        }
      }
    });
  }

  // Whole places of others are what a superadmin is there for.
  if (parameterNames(operation).length > 1 && operation.tenant !== "superadmin")
    test("the whole path of someone else's thing is answered like one that does not exist", async () => {
      const unknown = Object.fromEntries(
        parameterNames(operation).map((name) => [name, ruleOf(operation, name).unknown]),
      );
      const nothing = await attempt(operation, { path: pathOf(operation, own, unknown) });
      for (const { is, place } of strangers.filter(({ outOfReach }) => outOfReach.includes("account"))) {
        await expectNoTrace(operation, place, is, nothing, () =>
          attempt(operation, { path: pathOf(operation, place) }),
        );
      }
    });

  for (const { at, belongsTo, valid, unknown, nowhere } of mentionsOf(operation)) {
    const bodyWith = (value: string | number) => setAt({ ...bodyOf(operation, own) }, at, value);
    const nobodys = () => nowhere ?? unknown?.(own) ?? expect.fail(`nothing is known that ${at} cannot name`);
    const among = () => strangers.filter(({ outOfReach }) => outOfReach.includes(belongsTo));

    test(`someone else's ${at} in the body is answered like one that does not exist`, async () => {
      const nothing = await attempt(operation, { body: bodyWith(nobodys()) });
      if (nowhere !== undefined) expectProblem(nothing, "invalid_request", operation);
      for (const { is, place } of among()) {
        const theirs = valid(place);
        const work = () => attempt(operation, { body: bodyWith(theirs) });
        await expectNoTrace(operation, place, is, nothing, work, [String(nobodys()), String(theirs)]);
      }
    });

    if (nowhere !== undefined && /\d/.test(at))
      test(`someone else's ${at} beside one's own refuses both, and nothing is done`, async () => {
        const before = await rowsOf(own);
        for (const { place } of among()) {
          const body = addBeside({ ...bodyOf(operation, own) }, at, String(valid(place)));
          expectProblem(await attempt(operation, { body }), "invalid_request", operation);
        }
        expect(await rowsOf(own)).toEqual(before);
      });
  }
}

/** A name that someone else uses as well: one's own thing of that name is made, theirs is not touched. */
function describeMade(operation: Operation, name: string): void {
  test(`a :${name} of someone else's is made for oneself, and nothing happens to theirs`, async () => {
    const mine = await newPlace(server);
    for (const { place } of strangers) {
      const before = await rowsOf(place);
      const path = pathOf(operation, mine, { [name]: ruleOf(operation, name).valid(place) });
      const content = contentOf(operation, bodyOf(operation, mine));
      const headers = { ...headersOf(operation, mine), "content-type": content?.type ?? "" };
      expectSuccess(await send(server.url, operation.method, path, headers, content?.data), operation);
      expect(await rowsOf(place)).toEqual(before);
    }
  });
}

/** One's own key, someone else's account and things: the answer tells nothing of either. */
function describeForeignAccount(operation: Operation): void {
  test("another partner's account and all that is in it are answered like an account that does not exist", async () => {
    const nothing = await attempt(operation, { accountId: ruleOf(operation, "accountId").unknown });
    for (const { is, place } of strangers.filter(({ outOfReach }) => outOfReach.includes("partner"))) {
      await expectNoTrace(operation, place, is, nothing, () =>
        attempt(operation, {
          accountId: place.accountId,
          path: pathOf(operation, place),
          body: bodyOf(operation, place),
        }),
      );
    }
  });
}

function hasNarrowedKeys({ tenant, scope }: Operation): boolean {
  return tenant !== "superadmin" && scope !== null;
}

function describeNarrowedKeys(operation: Operation): void {
  if (!hasNarrowedKeys(operation)) return;

  test("a key of one account reaches nothing of another, and cannot tell what is there", async () => {
    const key = await newKey(server.app, own.partner.id, { accountId: own.accountId });
    await expectSameAsNothing(
      operation,
      key,
      strangers.filter(({ outOfReach }) => outOfReach.includes("account")),
    );
  });

  test("a key of one workspace reaches nothing of another, and cannot tell what is there", async () => {
    const key = await newKey(server.app, own.partner.id, {
      accountId: own.accountId,
      workspace: { id: own.workspaceId, organization: { id: own.organizationId } },
    });
    if (operation.tenant === "workspace") await expectSameAsNothing(operation, key, strangers);
    for (const { is, place } of [...strangers, { is: "its own", place: own }]) {
      if (operation.tenant === "workspace") continue;
      const reply = await attempt(operation, {
        key,
        path: pathOf(operation, place),
        body: bodyOf(operation, place),
      });
      if (operation.tenant !== "account-or-key") expect(reply.body.code, is).toBe("insufficient_scope");
      // It may be called, and what is not the key's own workspace is not there for it.
      else if (place !== own) expectNothingOf(place, is, reply);
    }
  });
}

/** The narrowed key with its own account's header and with the stranger's. */
async function expectSameAsNothing(operation: Operation, key: string, among: Stranger[]): Promise<void> {
  const names = parameterNames(operation);
  if (names.length > 0) {
    const unknown = Object.fromEntries(names.map((name) => [name, ruleOf(operation, name).unknown]));
    const nothing = await attempt(operation, { key, path: pathOf(operation, own, unknown) });
    for (const { is, place } of among) {
      const foreign = { key, path: pathOf(operation, place) };
      await expectNoTrace(operation, place, is, nothing, () => attempt(operation, foreign));
    }
  }
  if (!takesAccount(operation)) return;
  const noAccount = await attempt(operation, { key, accountId: ruleOf(operation, "accountId").unknown });
  for (const { is, place } of among.filter(({ outOfReach }) => outOfReach.includes("account"))) {
    const foreign = { key, path: pathOf(operation, place), accountId: place.accountId };
    await expectNoTrace(operation, place, is, noAccount, () => attempt(operation, foreign));
  }
}

function describeList(operation: Operation): void {
  test("it lists nothing of anybody else", async () => {
    const narrowed = await newKey(server.app, own.partner.id, { accountId: own.accountId });
    const keys = [{ key: own.partner.key, sendsAccount: true }];
    if (operation.tenant !== "superadmin") keys.push({ key: narrowed, sendsAccount: true });
    if (["partner-or-account", "account-or-key"].includes(operation.tenant))
      keys.push({ key: narrowed, sendsAccount: false });
    for (const { key, sendsAccount } of keys) {
      const { "x-account-id": account, ...headers } = headersOf(operation, own, key);
      const sent = sendsAccount && account !== undefined ? { ...headers, "x-account-id": account } : headers;
      const reply = await send(server.url, operation.method, pathOf(operation, own), sent);
      expectSuccess(reply, operation);
      const unseen = key === narrowed || takesAccount(operation) ? ["partner", "account"] : ["partner"];
      for (const { is, place, outOfReach } of strangers) {
        if (outOfReach.some((level) => unseen.includes(level))) expectNothingOf(place, is, reply);
      }
    }
  });

  if (operation.tenant === "partner-or-account")
    test("without an account it lists the partner's alone", async () => {
      const reply = await send(server.url, operation.method, pathOf(operation, own), {
        authorization: `Bearer ${own.partner.key}`,
      });
      expectSuccess(reply, operation);
      for (const { is, place, outOfReach } of strangers) {
        if (outOfReach.includes("partner")) expectNothingOf(place, is, reply);
      }
    });
}

/** Refused as if there were nothing, and the stranger's rows are as they were. */
async function expectNoTrace(
  operation: Operation,
  stranger: Place,
  is: string,
  nothing: Reply,
  work: () => Promise<Reply>,
  sent: readonly string[] = [],
): Promise<void> {
  const before = await rowsOf(stranger);
  const reply = await work();
  expect(reply.status, `${operation.id} of ${is}`).toBeGreaterThanOrEqual(400);
  expectAnyProblem(reply, operation);
  const expected = withoutRequestId(nothing, sent);
  expect(withoutRequestId(reply, sent), `${operation.id} of ${is}`).toEqual(expected);
  expect(await rowsOf(stranger), `${operation.id} of ${is}`).toEqual(before);
}

function attempt(operation: Operation, { key, path, accountId, ...change }: Attempt): Promise<Reply> {
  const content = contentOf(operation, "body" in change ? change.body : bodyOf(operation, own));
  const headers = {
    ...headersOf(operation, own, key),
    ...(accountId === undefined ? {} : { "x-account-id": accountId }),
    ...(content === undefined ? {} : { "content-type": content.type }),
  };
  return send(server.url, operation.method, path ?? pathOf(operation, own), headers, content?.data);
}

function expectNothingOf(
  { marker, accountId, toolId, jobId, failedJobId, partner }: Place,
  is: string,
  reply: Reply,
): void {
  const text = JSON.stringify(reply.body);
  for (const trace of [marker, Buffer.from(marker).toString("hex"), toolId, jobId, failedJobId, partner.id]) {
    if (trace !== own.partner.id) expect(text, `of ${is}`).not.toContain(trace);
  }
  if (accountId !== own.accountId) expect(text, `of ${is}`).not.toContain(accountId);
}

/** All that the database has of a place's organization, whatever the table, and its account. */
async function rowsOf({ accountId, organizationId, keyId }: Place): Promise<unknown> {
  return server.app.db.asSystem("superadmin", async (tx) => {
    const tables = await sql<{ name: string }>`
      select table_name as name from information_schema.columns
      where table_schema = 'public' and column_name = 'organization_id'
        -- the trail is meant to grow, and searches are counted a second later
        and table_name not in ('audit_events', 'usage_counts')
      order by 1`.execute(tx);
    const rows: unknown[] = [];
    for (const { name } of tables.rows) {
      const found = await sql<Record<string, unknown>>`select * from ${sql.table(name)} t
        where organization_id = ${organizationId} order by t::text`.execute(tx);
      // When a key was last used is written a second later.
      rows.push({ name, rows: found.rows.map(({ last_used_at: _, ...row }) => row) });
    }
    const above = await sql`select o.*, a.* from organizations o join accounts a on a.id = o.account_id
      where o.id = ${organizationId} and a.id = ${accountId}`.execute(tx);
    const { last_used_at: _, ...key } = await tx
      .selectFrom("api_keys")
      .selectAll()
      .where("id", "=", keyId)
      .executeTakeFirstOrThrow();
    return [...rows, above.rows, key];
  });
}

function isList(operation: Operation): boolean {
  const page = operation.response[200];
  return page !== undefined && "shape" in page && "next_cursor" in Object(page.shape);
}
