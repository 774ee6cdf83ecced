import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import type { MetaSimulator } from "../simulators/meta/meta.ts";
import { startMeta } from "../simulators/meta/meta.ts";
import type { WebhookPayload } from "../simulators/meta/webhook-payloads.ts";
import { startTestServer } from "../support.ts";
import { type Connected, newConnected, newMessage } from "../whatsapp-inbox-support.ts";
import type { Experiment, Outcome } from "./experiment.ts";
import { type ServerProcess, startProcess } from "./process.ts";

const NUMBERS = 3;
const PEOPLE = 12;
const KILL_WITHIN_MS = 1_500;
const SETTLED_MS = 30_000;
const STATUSES = ["read", "sent", "delivered"];

/** Something that Meta wants to be rid of: sent again, the same bytes, until it was answered by 200. */
interface Outgoing {
  /** Messages of one person are sent one after the other. */
  person: string;
  wamid: string;
  payload: WebhookPayload;
  isAcknowledged: boolean;
}

interface Running {
  meta: MetaSimulator;
  connected: readonly Connected[];
  sent: Outgoing[];
}

/**
 * Kills a server with SIGKILL while Meta tells it of messages and statuses, starts it again, and looks whether all that
 * was answered by 200 is there: once, in each person's order, and with every status done.
 */
export const killWhileReceiving: Experiment = {
  about: "kill -9 while Meta's webhook is called: what was acknowledged is there, once and in order",
  rounds: 25,
  run,
};

async function run({ settings, rounds, progress }: Parameters<Experiment["run"]>[0]): Promise<Outcome> {
  const meta = await startMeta();
  const environment = { ...settings, ...meta.environment(), BOOTSTRAP: "none", LOG_LEVEL: "fatal" };
  const { connected, messageIds } = await fill(environment, meta, rounds);
  const running: Running = { meta, connected, sent: [] };
  const violations: string[] = [];
  let server = await startProcess(environment);
  try {
    for (let round = 1; round <= rounds; round += 1) {
      const stopping = new AbortController();
      const sending = sendAll(running, server.url, messageIds[round - 1] ?? [], stopping.signal);
      await sleep(100 + Math.random() * KILL_WITHIN_MS);
      await server.stop("SIGKILL");
      stopping.abort();
      await sending;
      server = await startProcess(environment);
      const again = await sendAgain(running, server.url);
      progress(`round ${round}: ${running.sent.length} sent, ${again} of them again`);
    }
    await settle(server, environment, violations);
  } finally {
    await server.stop("SIGKILL");
  }
  violations.push(...(await look(environment, running.sent, messageIds.flat())));
  await meta.close();
  return { figures: { rounds, acknowledged: running.sent.length }, violations };
}

/** Numbers, and for each round a message of ours that Meta will report on. */
async function fill(environment: Record<string, string>, meta: MetaSimulator, rounds: number) {
  const server = await startTestServer(environment);
  const connected: Connected[] = [];
  for (let i = 0; i < NUMBERS; i += 1) connected.push(await newConnected(server, meta));
  const messageIds: string[][] = [];
  for (let round = 0; round < rounds; round += 1) {
    messageIds.push(
      await Promise.all(connected.map((one) => newMessage(server.app, one, { state: "accepted" }))),
    );
  }
  await server.close();
  return { connected, messageIds };
}

/** Everybody writes as fast as they are answered, until they are not. */
async function sendAll(
  { meta, connected, sent }: Running,
  url: string,
  messageIds: readonly string[],
  stopping: AbortSignal,
): Promise<void> {
  const post = async (person: string, wamid: string, payload: WebhookPayload) => {
    const outgoing: Outgoing = { person, wamid, payload, isAcknowledged: false };
    sent.push(outgoing);
    outgoing.isAcknowledged = await deliver(meta, url, payload);
    return outgoing.isAcknowledged;
  };
  const talk = async (one: Connected, index: number) => {
    const from = `1650555${String(index).padStart(4, "0")}`;
    for (let goes = true; goes && !stopping.aborted; ) {
      const wamid = `wamid.${from}.${sent.length}.${Math.random()}`;
      goes = await post(
        `${one.number.id} ${from}`,
        wamid,
        meta.webhook.message(one.number, { from, bsuid: null, wamid }),
      );
    }
  };
  const reports = connected.map(async ({ number }, index) => {
    const reference = messageIds[index] ?? "";
    const wamid = `wamid.ours.${reference}`;
    for (const status of STATUSES)
      await post(
        `${number.id} ${status}`,
        `${wamid} ${status}`,
        meta.webhook.status(number, wamid, status, { reference }),
      );
  });
  const talks = connected.flatMap((one) =>
    Array.from({ length: PEOPLE / NUMBERS }, (_, person) => talk(one, person)),
  );
  await Promise.all([...talks, ...reports]);
}

/** As Meta does it: what was not answered comes again, and one or the other of those that were, too. */
async function sendAgain({ meta, sent }: Running, url: string): Promise<number> {
  const again = sent.filter(({ isAcknowledged }, index) => !isAcknowledged || index % 50 === 0);
  for (const outgoing of again) {
    if (!(await deliver(meta, url, outgoing.payload)))
      throw new Error("a server that nobody killed did not take a webhook");
    outgoing.isAcknowledged = true;
  }
  return again.length;
}

async function deliver(meta: MetaSimulator, url: string, payload: WebhookPayload): Promise<boolean> {
  try {
    const [reply] = await meta.webhook.send(url, payload);
    return reply?.status === 200;
  } catch {
    return false;
  }
}

/** Until the statuses are worked on by a server that nobody kills. */
async function settle(
  server: ServerProcess,
  environment: Record<string, string>,
  violations: string[],
): Promise<void> {
  await server.stop();
  const own = await startTestServer(environment);
  const deadline = performance.now() + SETTLED_MS;
  const waiting = () =>
    own.app.db.asSystem("superadmin", (tx) =>
      tx
        .selectFrom("whatsapp_inbox")
        .select("id")
        .where("kind", "=", "status")
        .where("state", "=", "waiting")
        .execute(),
    );
  while ((await waiting()).length > 0 && performance.now() < deadline) await sleep(100);
  const left = (await waiting()).length;
  if (left > 0) violations.push(`${left} statuses are not done`);
  await own.close();
}

async function look(
  environment: Record<string, string>,
  sent: readonly Outgoing[],
  messageIds: readonly string[],
): Promise<string[]> {
  const server = await startTestServer(environment);
  const { rows, states } = await server.app.db.asSystem("superadmin", async (tx) => ({
    rows: await tx.selectFrom("whatsapp_inbox").select(["key", "id"]).orderBy("id").execute(),
    states: (await sql<{ id: string; state: string }>`select id, state from whatsapp_messages`.execute(tx))
      .rows,
  }));
  await server.close();
  const violations: string[] = [];
  const places = new Map(rows.map(({ key, id }) => [key, id]));
  if (rows.length !== sent.length) violations.push(`${rows.length} rows of ${sent.length} that were sent`);
  const latest = new Map<string, number>();
  for (const { wamid, person } of sent) {
    const place = places.get(wamid);
    if (place === undefined) violations.push(`${wamid} was acknowledged and is lost`);
    else if (place < (latest.get(person) ?? 0))
      violations.push(`${wamid} came before what was said before it`);
    else latest.set(person, place);
  }
  for (const { id, state } of states)
    if (messageIds.includes(id) && state !== "read")
      violations.push(`the message ${id} is ${state}, not read`);
  return violations;
}
