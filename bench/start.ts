import { setTimeout as sleep } from "node:timers/promises";
import { median, printTable, residentMb, startServer } from "./support.ts";

const LATER_STARTS = 5;
const IDLE_MS = 5_000;

/** How long a start takes, on an empty database and later, and what an idle server holds after a restart. */
const first = await startServer();
await first.stop();
const later: number[] = [];
const idle: number[] = [];
for (let round = 0; round < LATER_STARTS; round += 1) {
  const server = await startServer(first.environment);
  later.push(server.startMs);
  await sleep(IDLE_MS);
  idle.push(residentMb(server.pid));
  await server.stop();
}
printTable(
  `Start and idle memory, database: ${first.environment.DATABASE_URL === undefined ? "PGlite" : "PostgreSQL"}`,
  [
    { what: "first start, ms", value: Math.round(first.startMs), spread: "" },
    { what: "later starts, ms", value: Math.round(median(later)), spread: range(later) },
    { what: "idle after a restart, MB", value: median(idle), spread: range(idle) },
  ],
);

function range(values: number[]): string {
  return `${Math.round(Math.min(...values))}–${Math.round(Math.max(...values))}`;
}
