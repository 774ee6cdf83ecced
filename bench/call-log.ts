import { sql } from "kysely";
import pg from "pg";
import pino from "pino";
import { openApp } from "../src/app.ts";
import { readConfig } from "../src/config.ts";
import type { App } from "../src/context.ts";
import { encodeSlug } from "../src/http/schemas.ts";
import { printTable, startServer } from "./support.ts";

const CALLS = Number(process.env.BENCH_CALLS ?? 1_000_000);
const REQUESTS = Number(process.env.BENCH_REQUESTS ?? 100);
const WORKSPACES = 20;
const BATCH = 20_000;
const DAY_MS = 86_400_000;

/**
 * The call log of one account with a million calls, half of them in one workspace: each filter alone, filters together,
 * words from the most common to the rarest, and pages far behind. One client after the other, through HTTP.
 */
const empty = await startServer();
await empty.stop();
await fill(empty.environment);
const server = await startServer(empty.environment);
const { base_url: url, api_key: key, account_id: account, workspace_slug: slug } = server.bootstrap;
const headers = { authorization: `Bearer ${key}`, "x-account-id": account };
const logs = `${url}/api/v1/voice-integration/call-logs`;
const own = `${url}/api/v1/workspace/${encodeSlug(slug)}/voice-integration/call-logs`;
const day = (ago: number) => new Date(Date.now() - ago * DAY_MS).toISOString();

const queries: Record<string, string> = {
  "no filter": logs,
  "one workspace (half of all)": own,
  "one workspace, filter": `${logs}?workspace=${slug}`,
  "a small workspace": `${logs}?workspace=bench-7`,
  organization_id: `${logs}?organization_id=1`,
  "number_id (5 %)": `${logs}?number_id=3`,
  "direction=inbound (90 %)": `${logs}?direction=inbound`,
  "direction=outbound (10 %)": `${logs}?direction=outbound`,
  "status=finalized": `${logs}?status=finalized`,
  "status=in_progress (none)": `${logs}?status=in_progress`,
  "ended_reason=caller_hung_up (60 %)": `${logs}?ended_reason=caller_hung_up`,
  "ended_reason=model_failed (0.1 %)": `${logs}?ended_reason=model_failed`,
  "from, to: one day": `${logs}?from=${day(11)}&to=${day(10)}`,
  "from, to: a year ago": `${logs}?from=${day(360)}&to=${day(330)}`,
  "min_duration=590 (1.6 %)": `${logs}?min_duration=590`,
  "max_duration=5 (0.9 %)": `${logs}?max_duration=5`,
  "caller (about 20)": `${logs}?caller=%2B39061000123`,
  "has_tool_calls=true (25 %)": `${logs}?has_tool_calls=true`,
  "sort=-duration": `${logs}?sort=-duration`,
  "sort=duration, workspace": `${own}?sort=duration`,
  "sort=started_at": `${logs}?sort=started_at`,
  "workspace, number_id": `${own}?number_id=4`,
  "workspace, direction=outbound": `${own}?direction=outbound`,
  "workspace, status=finalized": `${own}?status=finalized`,
  "workspace, ended_reason=transferred": `${own}?ended_reason=transferred`,
  "workspace, from, to: one day": `${own}?from=${day(11)}&to=${day(10)}`,
  "workspace, min_duration=590": `${own}?min_duration=590`,
  "workspace, max_duration=5": `${own}?max_duration=5`,
  "workspace, caller": `${own}?caller=%2B39061000124`,
  "workspace, has_tool_calls=true": `${own}?has_tool_calls=true`,
  "tools, transferred (none)": `${logs}?has_tool_calls=true&ended_reason=transferred`,
  "number_id, min_duration=590": `${logs}?number_id=3&min_duration=590`,
  "a month, min_duration=590": `${logs}?from=${day(60)}&to=${day(30)}&min_duration=590`,
  "workspace, outbound, model_failed": `${own}?direction=outbound&ended_reason=model_failed`,
  "outbound, tools, min_duration=550": `${logs}?direction=outbound&has_tool_calls=true&min_duration=550`,
  "q: a word of 97 %": `${logs}?q=w0`,
  "q: a word of 13 %": `${logs}?q=w10`,
  "q: a word of 2.5 %": `${logs}?q=w100`,
  "q: a word of 0.5 %": `${logs}?q=w1000`,
  "q: a word of 0.06 %": `${logs}?q=w15000`,
  "q: two words, 97 % and 0.5 %": `${logs}?q=w0%20w1000`,
  "q: two words, 97 % and 13 %": `${logs}?q=w0%20w10`,
  "q: 13 %, in one workspace": `${own}?q=w10`,
  "q: 2.5 %, in one workspace": `${own}?q=w100`,
  "q: 13 %, in one day": `${logs}?q=w10&from=${day(11)}&to=${day(10)}`,
  "q: 2.5 %, in a month": `${logs}?q=w100&from=${day(60)}&to=${day(30)}`,
  "q: 13 %, min_duration=590": `${logs}?q=w10&min_duration=590`,
  "q: 13 %, of one caller": `${logs}?q=w10&caller=%2B39061000123`,
  "q: 0.5 %, outbound": `${logs}?q=w1000&direction=outbound`,
  "q: nothing": `${logs}?q=nowhere`,
};

const rows: { query: string; total: string; "p50 ms": string; "p95 ms": string }[] = [];
for (const [query, address] of Object.entries(queries)) rows.push(await measure(query, address));
rows.push(await measure("a page far behind", await farBehind(logs)));
printTable(`Call log of ${CALLS} calls, ${REQUESTS} requests each, pages of 100, one client`, rows);
await server.stop();

async function measure(query: string, address: string) {
  await ask(address);
  const times: number[] = [];
  let total: unknown;
  for (let request = 0; request < REQUESTS; request += 1) {
    const begun = performance.now();
    ({ total } = await ask(address));
    times.push(performance.now() - begun);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => (times[Math.ceil(share * times.length) - 1] ?? 0).toFixed(1);
  const row = { query, total: String(total), "p50 ms": at(0.5), "p95 ms": at(0.95) };
  console.log(JSON.stringify(row));
  return row;
}

async function ask(
  address: string,
): Promise<{ total: unknown; call_logs: { started_at: string; id: string }[] }> {
  const reply = await fetch(address, { headers });
  const text = await reply.text();
  if (reply.status !== 200) throw new Error(`${address}: ${reply.status} ${text}`);
  return JSON.parse(text);
}

/** The cursor that a reader would have after most of the list. */
async function farBehind(address: string): Promise<string> {
  const { call_logs: page } = await ask(`${address}?sort=started_at&limit=100`);
  const last = page.at(-1);
  if (last === undefined) throw new Error("there are no calls");
  const key = `-started_at ${Date.parse(last.started_at)} ${last.id}`;
  return `${address}?cursor=${Buffer.from(key).toString("base64url")}`;
}

async function fill(environment: Record<string, string>): Promise<void> {
  const { app, close } = await openApp(readConfig(environment), {
    log: pino({ level: "warn" }),
    onFatal: (error) => {
      throw error;
    },
  });
  await makeWorkspaces(app);
  for (let from = 0; from < CALLS; from += BATCH) {
    await makeCalls(app, from, Math.min(CALLS, from + BATCH));
    if (from % 100_000 === 0) console.log(`${from} calls`);
  }
  await app.db.vacuum();
  await close();
  await settle(environment);
}

async function makeWorkspaces(app: App): Promise<void> {
  await app.db.asSystem("superadmin", (tx) =>
    sql`insert into workspaces (partner_id, account_id, organization_id, name, slug)
      select partner_id, account_id, id, 'Bench ' || n, 'bench-' || n
      from organizations cross join generate_series(2, ${WORKSPACES}::int) n`.execute(tx),
  );
}

/** A year of calls of twelve entries, with forty words each, of which few are common and most are rare. */
async function makeCalls(app: App, from: number, to: number): Promise<void> {
  await app.db.asSystem("superadmin", async (tx) => {
    await sql`
      with places as (select array_agg(id order by id) as ids from workspaces),
      made as (
        insert into calls (partner_id, account_id, organization_id, workspace_id, id, direction, provider, status,
          from_number, to_number, number_id, started_at, answered_at, ended_at, finalized_at, duration_seconds,
          ended_reason, has_tool_calls, summary, latency, metadata)
        select workspaces.partner_id, workspaces.account_id, workspaces.organization_id, workspaces.id,
          (lpad(to_hex((extract(epoch from began) * 1000)::bigint), 12, '0') || '7000' ||
            substr('89ab', 1 + (n % 4), 1) || substr(md5(n::text), 1, 15))::uuid,
          case when n % 10 = 0 then 'outbound' else 'inbound' end, 'twilio', 'finalized',
          '+39061' || lpad((n % 50000)::text, 6, '0'), '+390600000000', n % 20, began, began,
          began + seconds * interval '1 second', began + (seconds + 2) * interval '1 second', seconds,
          case when n % 1000 = 10 then 'model_failed' when n % 10 < 6 then 'caller_hung_up' when n % 10 < 9 then
            'goodbye' else 'transferred' end, n % 4 = 0, 'Asked when we deliver.',
          '{"turns":4,"p50_ms":600,"p95_ms":900,"p99_ms":900,"ours":{"p50_ms":9,"p95_ms":14,"p99_ms":14},"retrieval":{"p50_ms":2,"p95_ms":4,"p99_ms":4}}', '{}'
        from generate_series(${from}::int, ${to}::int - 1) n
        cross join places
        cross join lateral (select date_trunc('milliseconds', now() - (${CALLS}::int - n) * 31536000.0 / ${CALLS}::int *
          interval '1 second') as began, (random() * 600)::int as seconds) times
        join workspaces on workspaces.id = places.ids[case when n % 2 = 0 then 1 else 1 + (n / 2) % ${WORKSPACES}::int end]
        returning *)
      insert into call_transcripts (partner_id, account_id, organization_id, workspace_id, call_id, started_at,
        duration_seconds, transcript, words)
      select partner_id, account_id, organization_id, workspace_id, id, started_at, duration_seconds,
        (select json_agg(json_build_object('role', case when entry % 2 = 0 then 'assistant' else 'user' end, 'text',
          repeat('When do you deliver? ', 8), 'at_ms', entry * 5000, 'interrupted', false))
          from generate_series(1, 12) entry),
        array_to_tsvector(array(select distinct 'w' || floor(20000 * power(random(), 4))::int
          from generate_series(1, 40 + length(made.id::text) * 0)) || array['@account:' || right(account_id::text, 12),
            '@account:' || right(account_id::text, 12) || to_char(started_at at time zone 'UTC', ':YYYY-MM'),
            '@organization:' || organization_id, '@organization:' || organization_id ||
              to_char(started_at at time zone 'UTC', ':YYYY-MM'),
            '@workspace:' || workspace_id, '@workspace:' || workspace_id ||
              to_char(started_at at time zone 'UTC', ':YYYY-MM'), '@direction:' || direction,
            '@reason:' || ended_reason, '@tools:' || has_tool_calls, '@number:' || number_id,
            '@caller:' || caller_number,
            '@day:' || to_char(started_at at time zone 'UTC', 'YYYY-MM-DD'),
            '@seconds10:' || duration_seconds / 10, '@seconds100:' || duration_seconds / 100])
      from made`.execute(tx);
  });
}

/** What autovacuum and checkpoints would have done by the time that so many calls were made. */
async function settle({ DATABASE_URL: own }: Record<string, string>): Promise<void> {
  const admin = process.env.TEST_DATABASE_URL;
  if (own === undefined || admin === undefined) return;
  // Only the tables' owner may do the one, only a superuser the other.
  for (const [url, ...statements] of [
    [own, "vacuum analyze calls", "vacuum analyze call_transcripts"],
    [admin, "checkpoint"],
  ]) {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    for (const statement of statements) await client.query(statement);
    await client.end();
  }
}
