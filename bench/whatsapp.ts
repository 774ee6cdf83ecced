import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { startMeta } from "../test/simulators/meta/meta.ts";
import { startTestServer, testDatabase } from "../test/support.ts";
import { type Connected, newConnected } from "../test/whatsapp-inbox-support.ts";
import { treeCpuMicros } from "./documents-load.ts";
import { printTable, residentMb, startProgram, startServer } from "./support.ts";

/**
 * People who write on WhatsApp, through Meta's webhook of a server of its own, with a stub model in another process;
 * Meta's stand-in, which the answers go to and the statuses come from, is this process. BENCH_ONLY=acks,backlog runs
 * some parts; BENCH_SECONDS and BENCH_RATE (messages a second) say how many write, BENCH_BACKLOG how many at once,
 * BENCH_WAIT for how many seconds answers are waited for.
 */
const SECONDS = Number(process.env.BENCH_SECONDS ?? 60);
const RATE = Number(process.env.BENCH_RATE ?? 200);
const BACKLOG = Number(process.env.BENCH_BACKLOG ?? 5_000);
const WAIT_MS = Number(process.env.BENCH_WAIT ?? 300) * 1000;
const ONLY = process.env.BENCH_ONLY?.split(",");
const NUMBERS = 20;
const PEOPLE_OF_A_NUMBER = 100;
/** Of the backlog the first number has this share. */
const BUSY_SHARE = 0.6;
const BATCH = 50;
/** Without any answer in this time nobody answers. */
const SILENCE_MS = 20_000;

interface Person {
  connected: Connected;
  from: string;
  /** How often they have written. */
  count: number;
}

const model = await startProgram<{ url: string }>("bench/stub-model.ts");
const meta = await startMeta();
const environment = {
  ...(await testDatabase()),
  ...meta.environment(),
  PORT: "0",
  LOG_LEVEL: "error",
  LLM_PROVIDER: "openai-compatible",
  LLM_BASE_URL: `${model.line.url}/v1`,
  LLM_MODEL: "stub",
};
const database = "DATABASE_URL" in environment ? "PostgreSQL" : "PGlite";
// The first start writes who may use it; then it is filled from here, since PGlite is one process's.
await (await startServer(environment)).stop();
const numbers = await fill();
const people = numbers.flatMap((connected, number) =>
  Array.from({ length: PEOPLE_OF_A_NUMBER }, (_, person): Person => {
    const from = `1650${String(number).padStart(3, "0")}${String(person).padStart(4, "0")}`;
    return { connected, from, count: 0 };
  }),
);
const server = await startServer(environment);
const { base_url: url } = server.bootstrap;
let acknowledged = 0;
meta.reportStatuses({ serverUrl: url, statuses: ["sent", "delivered", "read"] });

console.log(`${database}, ${NUMBERS} numbers in as many workspaces, ${people.length} people, a stub model`);
if (isWanted("acks")) await benchAcks();
if (isWanted("backlog")) await benchBacklog();
await meta.reported();
await server.stop();
await checkStored();
await meta.close();
await model.stop();

function isWanted(part: string): boolean {
  return ONLY === undefined || ONLY.includes(part);
}

async function fill(): Promise<Connected[]> {
  const own = await startTestServer(environment);
  const all: Connected[] = [];
  for (let i = 0; i < NUMBERS; i += 1) all.push(await newConnected(own, meta));
  await own.close();
  return all;
}

/** At a steady rate, whether or not the server keeps up: a late answer is not a reason to ask later. */
async function benchAcks(): Promise<void> {
  const timesMs: number[] = [];
  const lateMs: number[] = [];
  const under: Promise<void>[] = [];
  let failed = 0;
  const cpuBefore = treeCpuMicros(server.pid);
  const begun = performance.now();
  const total = SECONDS * RATE;
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, Math.ceil(((performance.now() - begun) / 1000) * RATE));
    for (; sent < due; sent += 1) {
      // From when it was due: what this process is late with counts, too.
      const dueMs = begun + (sent / RATE) * 1000;
      lateMs.push(performance.now() - dueMs);
      under.push(
        write([personAt(sent)]).then((status) => {
          timesMs.push(performance.now() - dueMs);
          if (status !== 200) failed += 1;
        }),
      );
    }
    await sleep(1);
  }
  await Promise.all(under);
  const answersMeanwhile = meta.sent.length;
  const cpuMs = (treeCpuMicros(server.pid) - cpuBefore) / 1000;
  const sorted = timesMs.toSorted((a, b) => a - b);
  printTable(`Webhooks at ${RATE} messages a second for ${SECONDS} s, answered meanwhile, ${database}`, [
    {
      messages: total,
      "ack p50 ms": at(sorted, 0.5),
      "p99 ms": at(sorted, 0.99),
      "target ms": "≤ 50",
      "worst ms": at(sorted, 1),
      refused: failed,
      "sent late p99 ms": at(
        lateMs.toSorted((a, b) => a - b),
        0.99,
      ),
      "answers meanwhile": answersMeanwhile,
      "CPU ms a message": (cpuMs / total).toFixed(2),
      "memory MB": residentMb(server.pid),
    },
  ]);
  await drained();
  printTable("Its answers", [
    {
      answers: meta.sent.length,
      "seconds after the last message": ((performance.now() - begun) / 1000 - SECONDS).toFixed(0),
      "sent twice": meta.sent.length - new Set(meta.sent.map((one) => one.biz_opaque_callback_data)).size,
    },
  ]);
}

/** One number has most of it: the others are not to wait until it is done. */
async function benchBacklog(): Promise<void> {
  const before = meta.sent.length;
  const counts = numbers.map((_, index) =>
    Math.round(index === 0 ? BACKLOG * BUSY_SHARE : (BACKLOG * (1 - BUSY_SHARE)) / (NUMBERS - 1)),
  );
  const begun = performance.now();
  const begunMs = meta.now.ms();
  for (const [index, count] of counts.entries()) {
    const own = people.filter(({ connected }) => connected === numbers[index]);
    for (let sent = 0; sent < count; sent += BATCH) {
      const some = Array.from(
        { length: Math.min(BATCH, count - sent) },
        (_, i) => own[(sent + i) % own.length],
      );
      await write(some.filter((person) => person !== undefined));
    }
  }
  const takenMs = performance.now() - begun;
  if (!(await drained())) return;
  const ends = numbers.map(({ number }) => {
    const times = meta.sent
      .slice(before)
      .filter(({ phoneNumberId }) => phoneNumberId === number.id)
      .map((one) => (one.at.getTime() - begunMs) / 1000)
      .toSorted((a, b) => a - b);
    return { answers: times.length, first: times[0] ?? Number.NaN, last: times.at(-1) ?? Number.NaN };
  });
  const [busy, ...quiet] = ends;
  const lasts = quiet.map(({ last }) => last).toSorted((a, b) => a - b);
  printTable(
    `A backlog of ${counts.reduce((sum, count) => sum + count)}, ${Math.round(takenMs)} ms to take, ${database}`,
    [
      {
        numbers: "the busy one",
        messages: counts[0] ?? 0,
        answers: busy?.answers ?? 0,
        "first answer s": (busy?.first ?? Number.NaN).toFixed(1),
        "last answer s": (busy?.last ?? Number.NaN).toFixed(1),
      },
      {
        numbers: `${quiet.length} others`,
        messages: counts.slice(1).reduce((sum, count) => sum + count),
        answers: quiet.reduce((sum, { answers }) => sum + answers, 0),
        "first answer s": Math.max(...quiet.map(({ first }) => first)).toFixed(1),
        "last answer s": `${at(lasts, 0)}–${at(lasts, 1)}`,
      },
    ],
  );
}

/** What people said is there once, and each person's in the order that they said it. */
async function checkStored(): Promise<void> {
  const own = await startTestServer(environment);
  const { inbox, said, messages } = await own.app.db.asSystem("superadmin", async (tx) => ({
    inbox: await tx
      .selectFrom("whatsapp_inbox")
      .select(["key", "state"])
      .where("kind", "=", "message")
      .execute(),
    said: await tx
      .selectFrom("messages")
      .select(["conversation_id", "text"])
      .where("role", "=", "user")
      .orderBy("id")
      .execute(),
    messages: (
      await sql<{ state: string; count: number }>`
        select state, count(*) as count from whatsapp_messages group by 1 order by 1`.execute(tx)
    ).rows,
  }));
  await own.close();
  let outOfOrder = 0;
  const latest = new Map<string, number>();
  for (const { conversation_id, text } of said) {
    for (const [, count] of text.matchAll(/question (\d+)/g)) {
      if (Number(count) < (latest.get(conversation_id) ?? 0)) outOfOrder += 1;
      latest.set(conversation_id, Number(count));
    }
  }
  printTable("In the end", [
    {
      acknowledged,
      stored: inbox.length,
      lost: acknowledged - inbox.length,
      "not done": inbox.filter(({ state }) => state !== "done").length,
      "conversations in order": latest.size,
      "messages out of order": outOfOrder,
      "our messages": messages.map(({ state, count }) => `${count} ${state}`).join(", ") || "none",
    },
  ]);
}

/** Until nothing has been sent for a while. `false`: nobody answers here. */
async function drained(): Promise<boolean> {
  const begun = performance.now();
  let count = meta.sent.length;
  let changedAt = performance.now();
  while (performance.now() - begun < WAIT_MS) {
    await sleep(250);
    if (meta.sent.length !== count) changedAt = performance.now();
    count = meta.sent.length;
    if (performance.now() - changedAt > (count === 0 ? SILENCE_MS : SILENCE_MS / 2)) break;
  }
  if (count === 0) console.log(`\nnobody answered within ${SILENCE_MS / 1000} s`);
  return count > 0;
}

async function write(some: readonly Person[]): Promise<number> {
  const payloads = some.map((person) => {
    person.count += 1;
    const body = `This is question ${person.count}: when are you open?`;
    return meta.webhook.message(person.connected.number, {
      from: person.from,
      bsuid: `US.${person.from}`,
      body,
    });
  });
  const [reply] = await meta.webhook.send(url, meta.webhook.batch(...payloads));
  if (reply?.status === 200) acknowledged += some.length;
  return reply?.status ?? 0;
}

/** The numbers in turns, and of each its people in turns. */
function personAt(n: number): Person {
  const person = people[((n % NUMBERS) * PEOPLE_OF_A_NUMBER + Math.floor(n / NUMBERS)) % people.length];
  if (person === undefined) throw new Error("there are no people");
  return person;
}

function at(sorted: readonly number[], share: number): string {
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(1);
}
