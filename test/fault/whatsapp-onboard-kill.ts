import { readFile } from "node:fs/promises";
import { join } from "node:path";
import pino from "pino";
import { openApp } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { finished, mintToken, postOnboard, whatsappPath } from "../onboard-support.ts";
import { type MetaSimulator, startMeta } from "../simulators/meta/meta.ts";
import type { SimBusiness } from "../simulators/meta/meta-world.ts";
import { client, hex, type World } from "../support.ts";
import type { Experiment, Outcome } from "./experiment.ts";
import { type Gate, startGate } from "./gate.ts";
import { type ServerProcess, startProcess } from "./process.ts";

type Settings = Record<string, string>;

/** Every call of an onboarding, in order; the numbers of the account are looked at three times. */
const CALLS = [
  { name: "exchange", match: /GET .*\/oauth\/access_token$/, skip: 0 },
  { name: "inspect", match: /GET .*\/debug_token$/, skip: 0 },
  { name: "account", match: /GET \/v[\d.]+\/\d+$/, skip: 0 },
  { name: "numbers", match: /GET .*\/phone_numbers$/, skip: 0 },
  { name: "subscribe", match: /POST .*\/subscribed_apps$/, skip: 0 },
  { name: "look before registering", match: /GET .*\/phone_numbers$/, skip: 1 },
  { name: "register", match: /POST .*\/register$/, skip: 0 },
  { name: "look at its health", match: /GET .*\/phone_numbers$/, skip: 2 },
  { name: "health", match: /GET \/v[\d.]+\/\d+$/, skip: 1 },
] as const;

/** Where a process can die: before Meta is asked, and when it has answered and nobody has written that down. */
export const POINTS = CALLS.flatMap((call) =>
  (["before", "after"] as const).map((when) => ({ ...call, when, title: `${when} "${call.name}"` })),
);

export const killDuringOnboarding: Experiment = {
  about:
    "kill -9 before and after each call of a WhatsApp onboarding; the page goes on to one connected number",
  rounds: POINTS.length,
  run: ({ settings, rounds, progress }) => killAt(settings, POINTS.slice(0, rounds), progress),
};

/** One onboarding for each point: killed there, started again, gone on with as the page does. */
export async function killAt(
  settings: Settings,
  points: readonly (typeof POINTS)[number][],
  progress: (line: string) => void,
): Promise<Outcome> {
  const meta = await startMeta();
  const gate = await startGate(meta.url);
  const environment = {
    ...settings,
    ...meta.environment(),
    META_GRAPH_BASE_URL: gate.url,
    LOG_LEVEL: "fatal",
  };
  const outcome: Outcome = { figures: { kills: 0, connected: 0, "new codes": 0 }, violations: [] };
  let server = await startProcess(environment);
  try {
    for (const point of points) {
      const run = new Signup(meta, gate, environment, server);
      const faults = await run.killedAt(point);
      server = run.server;
      outcome.figures.kills = (outcome.figures.kills ?? 0) + 1;
      outcome.figures["new codes"] = (outcome.figures["new codes"] ?? 0) + run.newCodes;
      if (faults.length === 0) outcome.figures.connected = (outcome.figures.connected ?? 0) + 1;
      outcome.violations.push(...faults.map((fault) => `killed ${point.title}: ${fault}`));
      progress(`killed ${point.title}: ${faults.length === 0 ? "connected" : faults.join("; ")}`);
    }
  } finally {
    await server.stop("SIGKILL");
    await gate.close();
    await meta.close();
  }
  return outcome;
}

/** One customer's signup, which a process does not survive. */
class Signup {
  readonly meta: MetaSimulator;
  readonly gate: Gate;
  readonly environment: Settings;
  server: ServerProcess;
  newCodes = 0;

  constructor(meta: MetaSimulator, gate: Gate, environment: Settings, server: ServerProcess) {
    this.meta = meta;
    this.gate = gate;
    this.environment = environment;
    this.server = server;
  }

  async killedAt({ match, skip, when }: (typeof POINTS)[number]): Promise<string[]> {
    const business = this.meta.addBusiness();
    const world = await this.world();
    await world.api.delete(whatsappPath(world));
    const token = await mintToken(world);
    const sent = finished({ meta: this.meta }, business);
    const earlier = Array.from({ length: skip }, () => this.gate.hold(match, "before"));
    for (const held of earlier) held.release();
    const held = this.gate.hold(match, when);
    const lost = postOnboard(this.server.url, world, token, sent).catch(() => undefined);
    await held.arrived;
    await this.server.stop("SIGKILL");
    held.release();
    await lost;
    if (this.environment.DATABASE_URL !== undefined) await endLeases(this.environment);
    this.server = await startProcess(this.environment);
    return this.goOn(token, sent.code ?? "", business);
  }

  /** As the page does: the same post again, and then what it is told to. */
  private async goOn(token: string, code: string, business: SimBusiness): Promise<string[]> {
    const world = await this.world();
    const faults: string[] = [];
    let reply = await postOnboard(this.server.url, world, token, { code });
    if (reply.body.needs === "new_code") {
      this.newCodes += 1;
      reply = await postOnboard(this.server.url, world, token, finished({ meta: this.meta }, business));
    }
    if (reply.status !== 200 || reply.body.status !== "active")
      faults.push(`answered ${JSON.stringify(reply.body)}`);
    const { whatsapp } = (await world.api.get(whatsappPath(world))).body;
    if (whatsapp.status !== "active") faults.push(`shown as ${whatsapp.status}`);
    const [number] = business.numbers;
    if (number?.status !== "CONNECTED") faults.push("the number is not registered");
    const { pin } = (await world.api.post(whatsappPath(world, "/reveal-pin"))).body;
    if (pin !== number?.pin) faults.push("the PIN that is kept is not the number's");
    const count = (path: RegExp, of?: string) =>
      this.meta.requests.filter(
        ({ path: asked, query }) => path.test(asked) && (of === undefined || query.code === of),
      ).length;
    if (count(/access_token$/, code) > 1) faults.push("the code was exchanged twice");
    const registrations = count(new RegExp(`${number?.id}/register$`));
    if (registrations !== 1) faults.push(`registered ${registrations} times`);
    return faults;
  }

  /** The demo tenant, in the words of the tests. */
  private async world(): Promise<World> {
    const demo = JSON.parse(await readFile(join(this.environment.DATA_DIR ?? "", "bootstrap.json"), "utf8"));
    const api = client(this.server.url, demo.api_key, demo.account_id);
    const { workspace } = (await api.get(`/v1/workspace/${hex(demo.workspace_slug)}`)).body;
    return {
      partner: { id: demo.partner_id, key: demo.api_key },
      accountId: demo.account_id,
      orgSlug: demo.org_slug,
      workspaceSlug: demo.workspace_slug,
      organizationId: workspace.organization.id,
      workspaceId: workspace.id,
      api,
    };
  }
}

/** As if the minute had passed for which a dead process still holds a link; the embedded database gives it back at once. */
async function endLeases(environment: Settings): Promise<void> {
  const { app, close } = await openApp(readConfig(environment), {
    log: pino({ level: "silent" }),
    onFatal: (error) => {
      throw error;
    },
  });
  const before = new Date(Date.now() - 1_000);
  await app.db.asSystem("jobs", (tx) =>
    tx
      .updateTable("whatsapp_page_tokens")
      .set({ lease_until: before })
      .where("lease_until", "is not", null)
      .execute(),
  );
  await close();
}
