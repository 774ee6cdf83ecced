import { encodeSlug } from "../src/http/schemas.ts";
import { load, median, printTable, residentMb, startProgram, startServer } from "./support.ts";

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 5);
const CONNECTIONS = 32;

/**
 * The three paths every request takes: key only, and key, account and both walls; beside a bare Fastify route that is
 * measured in turns with them. The load comes from this process, so server and load share the machine's cores.
 */
const server = await startServer();
const bare = await startProgram<{ url: string; key: string }>("bench/bare-server.ts");
const { bootstrap } = server;
const authorization = `Bearer ${bootstrap.api_key}`;
const account = { authorization, "x-account-id": bootstrap.account_id };
const base = `${bootstrap.base_url}/api/v1`;

const subjects = [
  {
    name: "bare Fastify route",
    pid: bare.pid,
    url: `${bare.line.url}/api/v1/auth`,
    headers: { authorization: `Bearer ${bare.line.key}` },
  },
  { name: "GET /v1/auth", pid: server.pid, url: `${base}/auth`, headers: { authorization } },
  {
    name: "GET /v1/workspace/{slug}",
    pid: server.pid,
    url: `${base}/workspace/${encodeSlug(bootstrap.workspace_slug)}`,
    headers: account,
  },
  {
    name: "GET /v1/org/{orgSlug}",
    pid: server.pid,
    url: `${base}/org/${encodeSlug(bootstrap.org_slug)}`,
    headers: account,
  },
  { name: "GET /v1/orgs", pid: server.pid, url: `${base}/orgs`, headers: account },
];

for (const { pid, url, headers } of subjects)
  await load(pid, { url, headers, connections: CONNECTIONS, seconds: 2 });
const results = subjects.map(() => [] as Awaited<ReturnType<typeof load>>[]);
for (let round = 0; round < ROUNDS; round += 1) {
  for (const [index, { name, pid, url, headers }] of subjects.entries()) {
    process.stderr.write(`round ${round + 1}/${ROUNDS}: ${name}\n`);
    results[index]?.push(await load(pid, { url, headers, connections: CONNECTIONS, seconds: SECONDS }));
  }
}

const reference = median((results[0] ?? []).map(({ perSecond }) => perSecond));
printTable(
  `HTTP, ${CONNECTIONS} connections, median of ${ROUNDS} × ${SECONDS} s, database: ${server.environment.DATABASE_URL === undefined ? "PGlite" : "PostgreSQL"}`,
  subjects.map(({ name }, index) => {
    const of = (field: "perSecond" | "p50Ms" | "p99Ms" | "cpuMicros") =>
      median((results[index] ?? []).map((result) => result[field]));
    return {
      request: name,
      "req/s": of("perSecond"),
      "of bare": (of("perSecond") / reference).toFixed(2),
      "p50 ms": of("p50Ms"),
      "p99 ms": of("p99Ms"),
      "CPU µs/req": of("cpuMicros"),
      failed: (results[index] ?? []).reduce((sum, { failed }) => sum + failed, 0),
    };
  }),
);
console.log(`\nmemory of the server after the run: ${residentMb(server.pid)} MB`);
await server.stop();
await bare.stop();
