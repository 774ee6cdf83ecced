import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { startWebhookReceiver } from "../simulators/webhook-receiver/webhook-receiver.ts";
import { client, newWorld, startTestServer, testDatabase } from "../support.ts";
import { newEndpoint, record } from "../webhook-support.ts";
import { type ServerProcess, startProcess, waitUntil } from "./process.ts";

const EVENTS = 300;
const SUBJECTS = 10;
const ANSWER_MS = 400;
const DELIVERED_MS = 90_000;

interface Outcome {
  recorded: number;
  /** Requests that the receiver believed; more than recorded where a process was killed before it wrote down the end. */
  received: number;
  /** Everything that is wrong, in sentences; empty when all is well. */
  faults: string[];
}

/**
 * Fills the outbox, then sends it with processes that are killed with SIGKILL at any moment and started again, and
 * looks whether every event arrived, under its own id, and is marked as delivered once.
 *
 * @param processes more than one needs PostgreSQL
 */
export async function killDuringDelivery(processes: number, kills: number): Promise<Outcome> {
  const receiver = await startWebhookReceiver();
  receiver.answerWith(async () => {
    await sleep(ANSWER_MS);
    return 200;
  });
  const environment = await testDatabase();
  const { endpoint, key, ids } = await fill(environment, receiver);
  const settings = { ...environment, BOOTSTRAP: "none", LOG_LEVEL: "fatal" };
  const arrived = () => new Set(receiver.accepted(endpoint.name).map(({ id }) => id)).size;
  const faults: string[] = [];
  const all = await Promise.all(Array.from({ length: processes }, () => startProcess(settings)));
  try {
    for (let i = 0; i < kills; i += 1) {
      const victim = i % processes;
      const next = arrived() + 10 + Math.random() * 20;
      await waitUntil("some more arrived", DELIVERED_MS, () => arrived() >= next);
      if (arrived() === ids.length) faults.push("nothing was left to send when a process was killed");
      await all[victim]?.stop("SIGKILL");
      all[victim] = await startProcess(settings);
    }
    const api = client(all[0]?.url ?? "", key);
    // What had arrived when its sender was killed is sent again when the lease is over.
    await waitUntil("every delivery has ended", DELIVERED_MS, async () => {
      const path = `/v1/webhook-endpoints/${endpoint.id}/deliveries?limit=500`;
      const { body } = await api.get(path);
      return body.deliveries.every(({ status }: { status: string }) => status === "delivered");
    });
    await Promise.all(all.map((one: ServerProcess) => one.stop()));
    const received = receiver.accepted(endpoint.name);
    faults.push(...(await look(environment, received, ids)));
    return { recorded: ids.length, received: received.length, faults };
  } finally {
    await Promise.all(all.map((one) => one.stop("SIGKILL")));
    await receiver.close();
  }
}

async function fill(
  environment: Record<string, string>,
  receiver: Awaited<ReturnType<typeof startWebhookReceiver>>,
) {
  const server = await startTestServer(environment, { deliverer: false });
  const world = await newWorld(server);
  const endpoint = await newEndpoint(world.api, receiver);
  for (let i = 0; i < EVENTS; i += 1) await record(server.app, world, `d-${i % SUBJECTS}`);
  const { rows } = await server.app.db.asSystem("superadmin", (tx) =>
    sql<{ id: string }>`select id from webhook_events`.execute(tx),
  );
  await server.close();
  return { endpoint, key: world.partner.key, ids: rows.map(({ id }) => id) };
}

async function look(
  environment: Record<string, string>,
  received: readonly { id: string; sequence: number; subject: { id: string } }[],
  ids: readonly string[],
): Promise<string[]> {
  const faults: string[] = [];
  const arrived = new Set(received.map(({ id }) => id));
  for (const id of ids) if (!arrived.has(id)) faults.push(`${id} is lost`);
  const places = new Set(received.map(({ id, sequence, subject }) => `${id} ${subject.id} ${sequence}`));
  if (arrived.size !== ids.length) faults.push(`${arrived.size} events arrived of ${ids.length}`);
  if (places.size !== ids.length) faults.push("an event came again with another sequence");
  const server = await startTestServer(environment, { deliverer: false });
  const { rows } = await server.app.db.asSystem("superadmin", (tx) =>
    sql<{
      status: string;
      count: number;
    }>`select status, count(*) as count from webhook_deliveries group by 1`.execute(tx),
  );
  await server.close();
  if (rows.length !== 1 || rows[0]?.status !== "delivered" || rows[0].count !== ids.length) {
    faults.push(`the log says ${JSON.stringify(rows)}`);
  }
  return faults;
}
