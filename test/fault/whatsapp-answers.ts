import { setTimeout as sleep } from "node:timers/promises";
import type { App } from "../../src/context.ts";
import { type MetaSimulator, startMeta } from "../simulators/meta/meta.ts";
import { simulatorKey, startOpenaiSimulator } from "../simulators/openai/openai-simulator.ts";
import { startTestServer } from "../support.ts";
import { newWhatsAppWorld, newWriter, QUICK, type WhatsAppWorld, type Writer } from "../whatsapp-support.ts";
import type { Experiment, Outcome } from "./experiment.ts";
import { startProcess } from "./process.ts";

const PEOPLE = 12;
/** Time to pause, to ask the model and to send, and the moments in between. */
const KILL_AFTER_MS = 2_200;
const KILL_WITHIN_MS = 3_000;
const SETTLED_MS = 60_000;

/** What somebody wrote; its words are found nowhere else. */
interface Written {
  writer: Writer;
  body: string;
}

/**
 * Kills a server with SIGKILL while it answers people on WhatsApp, starts it again, and looks whether everything that
 * they wrote is in the history once, and whether anything went out twice.
 */
export const killWhileAnswering: Experiment = {
  about: "kill -9 while WhatsApp messages are answered: each is stored once, and nothing goes out twice",
  rounds: 20,
  run,
};

async function run({ settings, rounds, progress }: Parameters<Experiment["run"]>[0]): Promise<Outcome> {
  const meta = await startMeta();
  const model = await startOpenaiSimulator({
    chat: { texts: ["Yes, ", "of course."], firstDelayMs: 100, tokenDelayMs: 50 },
  });
  const environment = {
    ...settings,
    ...meta.environment(),
    LLM_PROVIDER: "openai-compatible",
    LLM_BASE_URL: `${model.url}/v1`,
    LLM_API_KEY: simulatorKey,
    LLM_MODEL: "gpt-4o-mini",
    BOOTSTRAP: "none",
    LOG_LEVEL: "fatal",
  };
  const own = await startTestServer(environment, { whatsapp: false });
  const world = await newWhatsAppWorld(own, meta);
  await own.close();
  const written: Written[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const server = await startProcess(environment);
    // Others each time: what a killed process has begun is nobody's until its lease is over.
    const people = Array.from({ length: PEOPLE }, () => newWriter());
    await writeAll(meta, world, server.url, people, round, written);
    await sleep(KILL_AFTER_MS + Math.random() * KILL_WITHIN_MS);
    await server.stop("SIGKILL");
    progress(`round ${round}: ${written.length} written, ${meta.sent.length} sent`);
  }
  const outcome = await look(environment, meta, world, written);
  await Promise.all([meta.close(), model.close()]);
  return outcome;
}

async function writeAll(
  meta: MetaSimulator,
  { number }: WhatsAppWorld,
  url: string,
  people: readonly Writer[],
  round: number,
  written: Written[],
): Promise<void> {
  for (const [index, writer] of people.entries()) {
    const body = `Question <${round}.${index}>`;
    const { from, bsuid } = writer;
    const [reply] = await meta.webhook.send(url, meta.webhook.message(number, { from, bsuid, body }));
    if (reply?.status !== 200) throw new Error("a server that nobody killed did not take a webhook");
    written.push({ writer, body });
  }
}

/** Once a server that nobody kills has done the rest. */
async function look(
  environment: Record<string, string>,
  meta: MetaSimulator,
  world: WhatsAppWorld,
  written: readonly Written[],
): Promise<Outcome> {
  const server = await startTestServer(environment, { whatsapp: QUICK });
  const { app } = server;
  const deadline = performance.now() + SETTLED_MS;
  while ((await leftOver(app)) > 0 && performance.now() < deadline) await sleep(200);
  const violations: string[] = [];
  const left = await leftOver(app);
  if (left > 0) violations.push(`${left} are not done after ${SETTLED_MS} ms`);
  const tenant = { partnerId: world.partner.id, accountId: world.accountId, workspaceId: world.workspaceId };
  const { said, outgoing } = await app.db.asTenant(tenant, async (tx) => ({
    said: (await tx.selectFrom("messages").select("text").where("role", "=", "user").execute()).map(
      ({ text }) => text,
    ),
    outgoing: await tx.selectFrom("whatsapp_messages").select(["id", "state"]).execute(),
  }));
  await server.close();
  for (const { body } of written) {
    const times = said.join("\n").split(body).length - 1;
    if (times !== 1) violations.push(`${body} is in the history ${times} times`);
  }
  for (const { id, state } of outgoing) {
    const times = meta.sent.filter((sent) => sent.biz_opaque_callback_data === id).length;
    if (times > 1) violations.push(`the message ${id} went out ${times} times`);
    if (times === 0 && state !== "unknown")
      violations.push(`the message ${id} is ${state} and never went out`);
  }
  const unknown = outgoing.filter(({ state }) => state === "unknown").length;
  const figures = { written: written.length, turns: said.length, sent: meta.sent.length, unknown };
  return { figures, violations };
}

async function leftOver(app: App): Promise<number> {
  return app.db.asSystem("superadmin", async (tx) => {
    const inbox = await tx.selectFrom("whatsapp_inbox").select("id").where("state", "=", "waiting").execute();
    const outbox = await tx
      .selectFrom("whatsapp_messages")
      .select("id")
      .where("state", "in", ["pending", "sending"])
      .execute();
    return inbox.length + outbox.length;
  });
}
