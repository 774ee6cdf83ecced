import { sql } from "kysely";
import pino from "pino";
import { openApp } from "../src/app.ts";
import { readConfig } from "../src/config.ts";
import { encodeSlug } from "../src/http/schemas.ts";
import { load, median, printTable, startServer } from "./support.ts";

const WORKSPACES = Number(process.env.BENCH_WORKSPACES ?? 100_000);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 3);
const PAGE = 100;

/** A list costs its page, not what it lists: the first and the last page of many workspaces, measured in turns. */
const empty = await startServer();
await empty.stop();
await fill(empty.environment);
const server = await startServer(empty.environment);
const { bootstrap } = server;
const headers = { authorization: `Bearer ${bootstrap.api_key}`, "x-account-id": bootstrap.account_id };
const list = `${bootstrap.base_url}/api/v1/org/${encodeSlug(bootstrap.org_slug)}/workspaces?limit=${PAGE}`;

// Behind this cursor are the last hundred: ids were given out in order, and a list is newest first.
const cursor = Buffer.from(String(PAGE + 1)).toString("base64url");
const pages = { first: list, last: `${list}&cursor=${cursor}` };
const results = { first: [] as Result[], last: [] as Result[] };
type Result = Awaited<ReturnType<typeof load>>;
for (let round = 0; round < ROUNDS; round += 1) {
  for (const page of ["first", "last"] as const) {
    const { workspaces } = JSON.parse(await (await fetch(pages[page], { headers })).text());
    if (workspaces.length !== PAGE) throw new Error(`the ${page} page holds ${workspaces.length} workspaces`);
    results[page].push(
      await load(server.pid, { url: pages[page], headers, connections: 8, seconds: SECONDS }),
    );
  }
}
const p50 = (page: "first" | "last") => median(results[page].map(({ p50Ms }) => p50Ms));
const rate = (page: "first" | "last") => median(results[page].map(({ perSecond }) => perSecond));
printTable(
  `Pages of ${PAGE} out of ${WORKSPACES} workspaces, 8 connections, median of ${ROUNDS}`,
  (["first", "last"] as const).map((page) => ({
    page,
    "req/s": rate(page),
    "p50 ms": p50(page),
    "p99 ms": median(results[page].map(({ p99Ms }) => p99Ms)),
    "of the first": (rate(page) / rate("first")).toFixed(2),
  })),
);
await server.stop();

async function fill(environment: Record<string, string>): Promise<void> {
  const { app, close } = await openApp(readConfig(environment), {
    log: pino({ level: "warn" }),
    onFatal: (error) => {
      throw error;
    },
  });
  await app.db.asSystem("superadmin", (tx) =>
    sql`insert into workspaces (partner_id, account_id, organization_id, name, slug)
      select partner_id, account_id, id, 'Workspace ' || n, 'workspace-' || n
      from organizations cross join generate_series(2, ${WORKSPACES}::int) n`.execute(tx),
  );
  await close();
}
