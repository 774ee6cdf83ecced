import { setTimeout as sleep } from "node:timers/promises";
import { createAdminKey } from "../../src/partners/keys.service.ts";
import { startCarrierSimulator } from "../simulators/carrier/carrier-simulator.ts";
import { type Client, client, hex, newWorld, startTestServer } from "../support.ts";
import type { Experiment, Outcome } from "./experiment.ts";
import { type ServerProcess, startProcess, waitUntil } from "./process.ts";

const REQUESTS_A_ROUND = 3;
const NUMBERS_A_REQUEST = 2;
/** An order whose answer was lost is certain after twenty seconds, and is looked at every five. */
const FULFILLED_MS = 120_000;

interface Keys {
  orgSlug: string;
  partner: string;
  accountId: string;
  admin: string;
}

/**
 * Lets the carrier provide numbers, kills the server just before or just after a sale, starts it again, and looks
 * whether every request has its numbers and nothing else was bought.
 */
export const killWhileOrdering: Experiment = {
  about: "kills the server before and after a carrier's sale; every number is bought once",
  rounds: 20,
  async run({ settings, rounds, progress }) {
    const carrier = await startCarrierSimulator();
    for (let i = 0; i < (rounds + 1) * REQUESTS_A_ROUND * NUMBERS_A_REQUEST; i += 1)
      carrier.stock(`+49303${1_000_000 + i}`);
    const environment = { ...settings, ...carrier.settings, BOOTSTRAP: "none", LOG_LEVEL: "fatal" };
    const keys = await newKeys(environment);
    let server = await startProcess(environment);
    const requests: string[] = [];
    let kills = 0;
    try {
      for (let round = 0; round < rounds; round += 1) {
        const killed = killAt(carrier.state, round, () => server);
        const begun = await begin(server.url, keys);
        requests.push(...begun);
        await killed;
        kills += 1;
        server = await startProcess(environment);
        await waitUntil("all requests are fulfilled", FULFILLED_MS, () =>
          areFulfilled(server.url, keys, begun),
        );
        progress(`round ${round + 1}: ${carrier.state.sales.length} sold for ${requests.length} requests`);
      }
      const violations = await look(server.url, keys, requests, carrier.state.sales);
      const wanted = requests.length * NUMBERS_A_REQUEST;
      return { figures: { kills, wanted, sold: carrier.state.sales.length }, violations };
    } finally {
      await server.stop("SIGKILL");
      await carrier.close();
    }
  },
};

/** Resolves when the server was killed: in even rounds after one of the round's sales, in odd ones before it. */
function killAt(
  state: Awaited<ReturnType<typeof startCarrierSimulator>>["state"],
  round: number,
  server: () => ServerProcess,
): Promise<void> {
  let left = 1 + Math.floor(Math.random() * REQUESTS_A_ROUND * NUMBERS_A_REQUEST);
  return new Promise((resolve) => {
    const kill = async () => {
      left -= 1;
      if (left !== 0) return;
      await server().stop("SIGKILL");
      // The carrier notices that nobody waits for its answer any more.
      await sleep(50);
      resolve();
    };
    state.afterSale = round % 2 === 0 ? kill : async () => undefined;
    state.beforeSale = round % 2 === 1 ? kill : async () => undefined;
  });
}

async function newKeys(environment: Record<string, string>): Promise<Keys> {
  const server = await startTestServer(environment);
  const { orgSlug, partner, accountId } = await newWorld(server);
  const { key: admin } = await createAdminKey(server.app);
  await server.close();
  return { orgSlug, partner: partner.key, accountId, admin };
}

/** Requests that the carrier is to fulfil. */
async function begin(url: string, keys: Keys): Promise<string[]> {
  const admin = client(url, keys.admin);
  const ids: string[] = [];
  for (let i = 0; i < REQUESTS_A_ROUND; i += 1) {
    const body = { country: "DE", number_type: "local", quantity: NUMBERS_A_REQUEST };
    const asked = await apiOf(url, keys).post(pathOf(keys), body);
    ids.push(asked.body.number_request.id);
  }
  for (const id of ids) await admin.post(`/v1/admin/number-requests/${id}/approve`, {});
  // The server may be killed while it answers: what was begun goes on all the same, what was not is begun again below.
  await Promise.all(
    ids.map((id) => admin.post(`/v1/admin/number-requests/${id}/provision`, {}).catch(() => undefined)),
  );
  return ids;
}

async function areFulfilled(url: string, keys: Keys, ids: readonly string[]): Promise<boolean> {
  for (const id of ids) {
    const { body } = await apiOf(url, keys).get(`${pathOf(keys)}/${id}`);
    const { status } = body.number_request;
    if (status === "approved")
      await client(url, keys.admin).post(`/v1/admin/number-requests/${id}/provision`, {});
    if (status !== "fulfilled") {
      await sleep(200);
      return false;
    }
  }
  return true;
}

async function look(
  url: string,
  keys: Keys,
  ids: readonly string[],
  sales: readonly { number: string; friendlyName: string }[],
): Promise<Outcome["violations"]> {
  const violations: string[] = [];
  for (const id of ids) {
    const { numbers } = (await apiOf(url, keys).get(`${pathOf(keys)}/${id}`)).body.number_request;
    const sold = sales.filter(({ friendlyName }) => friendlyName.includes(id)).map(({ number }) => number);
    const has = numbers.map(({ number }: { number: string }) => number);
    if (has.length !== NUMBERS_A_REQUEST) violations.push(`${id} has ${has.length} numbers`);
    if (sold.sort().join() !== has.sort().join()) violations.push(`${id} has ${has} and was sold ${sold}`);
  }
  const pool = (await client(url, keys.admin).get("/v1/admin/numbers")).body.numbers;
  if (pool.length > 0) violations.push(`${pool.length} numbers were bought for nobody`);
  return violations;
}

function apiOf(url: string, { partner, accountId }: Keys): Client {
  return client(url, partner, accountId);
}

function pathOf({ orgSlug }: Keys): string {
  return `/v1/org/${hex(orgSlug)}/number-requests`;
}
