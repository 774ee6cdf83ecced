import { sql } from "kysely";
import { expect, test } from "vitest";
import { newWorld, testServer, type World } from "../../test/support.ts";
import { factWords } from "./call-facts.ts";
import { CALL_SORTS, TOTAL_MAX } from "./call-log.schemas.ts";

const server = await testServer();
const CALLS = 22_000;
const PAGE = 40;
const MANY = `${TOTAL_MAX}+`;
const T0 = Date.parse("2026-01-01T00:00:00.000Z");
/** Two calls in each moment: the id decides between them. */
const STEP_MS = 40 * 60_000;

/** Which calls said a word, by their number: common, frequent, rare, old ones only, and all but the oldest. */
const SAID = {
  always: () => true,
  third: (n: number) => n % 3 === 0,
  hundredth: (n: number) => n % 100 === 7,
  old: (n: number) => n < 11_000,
  lately: (n: number) => n >= 500,
  once: (n: number) => n === 12_345,
} as const;
type Word = keyof typeof SAID;
const words = Object.keys(SAID) as Word[];

interface Call {
  n: number;
  id: string;
  startedMs: number;
  seconds: number;
}

function callOf(n: number): Call {
  return {
    n,
    id: `00000000-0000-7000-8000-${n.toString(16).padStart(12, "0")}`,
    startedMs: T0 + Math.floor(n / 2) * STEP_MS,
    seconds: (n * 7) % 1_300,
  };
}
const calls = Array.from({ length: CALLS }, (_, n) => callOf(n));

const world = await newWorld(server);
await server.app.db.asSystem("superadmin", (tx) => insertCalls(world)(tx));

function insertCalls({ partner, accountId, organizationId, workspaceId }: World) {
  const own = sql`${partner.id}::uuid, ${accountId}::uuid, ${organizationId}::int, ${workspaceId}::int`;
  const said = (n: number) => words.filter((word) => SAID[word](n));
  const rows = calls.map(({ n, id, startedMs, seconds }) => ({
    id,
    at: new Date(startedMs).toISOString(),
    seconds,
    words: [
      ...said(n),
      ...factWords({
        account: accountId,
        organization: organizationId,
        workspace: workspaceId,
        direction: "inbound",
        reason: "goodbye",
        tools: false,
        number: null,
        caller: null,
        startedAt: new Date(startedMs),
        seconds,
      }),
    ],
  }));
  return async (tx: Parameters<Parameters<typeof server.app.db.asSystem>[1]>[0]) => {
    await sql`insert into calls (partner_id, account_id, organization_id, workspace_id, id, direction, provider, status,
        started_at, ended_at, duration_seconds, ended_reason, metadata)
      select ${own}, id, 'inbound', 'test', case when id::text like '%0' then 'ended' else 'finalized' end,
        at, at, seconds, 'goodbye', '{}'
      from json_to_recordset(${JSON.stringify(rows)}::json) as row(id uuid, at timestamptz, seconds int)`.execute(
      tx,
    );
    await sql`insert into call_transcripts (partner_id, account_id, organization_id, workspace_id, call_id, started_at,
        duration_seconds, transcript, words)
      select ${own}, id, at, seconds, '[]', array_to_tsvector(words)
      from json_to_recordset(${JSON.stringify(rows)}::json) as row(id uuid, at timestamptz, seconds int, words text[])`.execute(
      tx,
    );
  };
}

type Sort = (typeof CALL_SORTS)[number];

/** In the order of a sort. */
function sorted(some: Call[], sort: Sort): string[] {
  const sign = sort.startsWith("-") ? -1 : 1;
  const keyOf = (call: Call) => (sort.endsWith("duration") ? call.seconds : call.startedMs);
  return some.toSorted((a, b) => sign * (keyOf(a) - keyOf(b) || a.n - b.n)).map(({ id }) => id);
}

async function ask(query: Record<string, string>) {
  const reply = await world.api.get(`/v1/voice-integration/call-logs?${new URLSearchParams(query)}`);
  expect(reply.status, JSON.stringify(reply.body)).toBe(200);
  const { call_logs, next_cursor, total } = reply.body;
  return {
    ids: call_logs.map(({ id }: { id: string }) => id) as string[],
    cursor: next_cursor as string | null,
    total,
  };
}

const iso = (n: number) => new Date(callOf(n).startedMs).toISOString();
const isBetween = (n: number, from: number, to: number) =>
  callOf(n).startedMs >= callOf(from).startedMs && callOf(n).startedMs < callOf(to).startedMs;
const RANGES: Record<string, [query: Record<string, string>, holds: (call: Call) => boolean]> = {
  "at any time": [{}, () => true],
  "in some months": [{ from: iso(3_001), to: iso(9_000) }, ({ n }) => isBetween(n, 3_001, 9_000)],
  "up to a time": [{ to: iso(15_000) }, ({ n }) => isBetween(n, 0, 15_000)],
  "of a length": [
    { min_duration: "245", max_duration: "1100" },
    ({ seconds }) => seconds >= 245 && seconds <= 1_100,
  ],
  "not summed up": [{ status: "ended" }, ({ id }) => id.endsWith("0")],
};

const cases = Object.keys(RANGES).flatMap((range) => words.map((word) => [word, range] as const));

test.each(cases)(
  "a word that was said %s, %s: page by page and in each order, no call twice and none left out",
  async (word, range) => {
    const [query, holds] = RANGES[range] ?? [{}, () => true];
    const found = calls.filter((call) => SAID[word](call.n) && holds(call));
    const total = found.length > TOTAL_MAX ? MANY : found.length;
    for (const sort of CALL_SORTS) {
      const expected = sorted(found, sort);
      let cursor: string | null = null;
      for (let page = 0; page < 2; page += 1) {
        const answer: Awaited<ReturnType<typeof ask>> = await ask({
          q: word,
          sort,
          limit: String(PAGE),
          ...query,
          ...(cursor === null ? {} : { cursor }),
        });
        expect([sort, page, answer.total]).toEqual([sort, page, total]);
        expect(answer.ids, `${sort}, page ${page}`).toEqual(expected.slice(page * PAGE, (page + 1) * PAGE));
        cursor = answer.cursor;
        if (cursor === null) break;
      }
    }
  },
);

test("the last pages are reached, too", async () => {
  const expected = sorted(calls, "-started_at");
  const before = callOf(70);
  const key = `-started_at ${before.startedMs} ${before.id}`;
  const answer = await ask({
    q: "always",
    limit: String(PAGE),
    cursor: Buffer.from(key).toString("base64url"),
  });
  expect(answer.total).toBe(MANY);
  expect(answer.ids).toEqual(expected.slice(expected.indexOf(before.id) + 1).slice(0, PAGE));
});
