import { brotliCompressSync, gzipSync } from "node:zlib";
import { testDatabase } from "../test/support.ts";
import { load, median, printTable, residentMb, startServer } from "./support.ts";

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 5);

/** Nobody calls Meta to show a page, so any app will do. */
const META = {
  META_APP_ID: "123456789012345",
  META_APP_SECRET: "only-for-the-benchmark",
  META_CONFIG_ID: "123456789012345",
  META_WEBHOOK_VERIFY_TOKEN: "only-for-the-benchmark",
};

/** The page that connects WhatsApp, through HTTP. The load comes from this process and shares the machine's cores. */
const server = await startServer({ ...(await testDatabase()), PORT: "0", LOG_LEVEL: "warn", ...META });
const { bootstrap } = server;
const url = await createLink();

const rows: Record<string, string | number>[] = [];
for (const connections of [1, 8]) {
  await load(server.pid, { url, connections, seconds: 2 });
  const results: Awaited<ReturnType<typeof load>>[] = [];
  for (let round = 0; round < ROUNDS; round += 1)
    results.push(await load(server.pid, { url, connections, seconds: SECONDS }));
  const of = (field: "perSecond" | "p50Ms" | "p99Ms" | "cpuMicros") =>
    median(results.map((result) => result[field]));
  rows.push({
    connections,
    "pages/s": of("perSecond"),
    "p50 ms": of("p50Ms"),
    "p99 ms": of("p99Ms"),
    "CPU µs/page": of("cpuMicros"),
    failed: results.reduce((sum, { failed }) => sum + failed, 0),
  });
}
const database = server.environment.DATABASE_URL === undefined ? "PGlite" : "PostgreSQL";
printTable(`GET …/whatsapp/connect-page, median of ${ROUNDS} × ${SECONDS} s, database: ${database}`, rows);

const weights = [];
for (const language of ["en", "it", "es", "de", "fr"]) {
  const page = Buffer.from(await (await fetch(`${url}&lang=${language}`)).arrayBuffer());
  const [bytes, gzip, brotli] = [page, gzipSync(page), brotliCompressSync(page)].map(
    ({ byteLength }) => byteLength,
  );
  weights.push({ language, bytes: bytes ?? 0, gzip: gzip ?? 0, brotli: brotli ?? 0 });
}
printTable("What it weighs, script and style in it, without Meta's own script", weights);
console.log(`\nmemory of the server after the run: ${residentMb(server.pid)} MB`);
await server.stop();

/** A link as a partner gets it, at the address where this server listens. */
async function createLink(): Promise<string> {
  const slug = Buffer.from(bootstrap.workspace_slug, "utf8").toString("hex");
  const path = `${bootstrap.base_url}/api/v1/workspace/${slug}/whatsapp`;
  const response = await fetch(`${path}/connect-token`, {
    method: "POST",
    headers: { authorization: `Bearer ${bootstrap.api_key}`, "x-account-id": bootstrap.account_id },
  });
  if (!response.ok) throw new Error(`no link: ${await response.text()}`);
  const { token } = JSON.parse(await response.text());
  return `${path}/connect-page?token=${token}`;
}
