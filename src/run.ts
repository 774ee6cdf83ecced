import type { AddressInfo } from "node:net";
import type { Logger } from "pino";
import { openApp } from "./app.ts";
import { jobHandlers } from "./areas.ts";
import { bootstrapDemo } from "./bootstrap.ts";
import type { Config } from "./config.ts";
import type { App } from "./context.ts";
import { openControlSocket } from "./control-socket.ts";
import { beginRetention } from "./conversations/retention.ts";
import { StartRefused } from "./db/start-refused.ts";
import { collectOrphans, reembedOutdated } from "./documents/maintain.ts";
import { forgetOldIdempotencyKeys } from "./http/idempotency-store.ts";
import { forgetOldJobs } from "./jobs/jobs.service.ts";
import { every } from "./jobs/schedule.ts";
import { reclaimAll, startWorker } from "./jobs/worker.ts";
import { reconcileNumbers } from "./numbers/reconcile.ts";
import { buildServer } from "./server.ts";
import { recordStorage } from "./usage/storage.ts";
import { refreshEngines } from "./voice/engine/refresh-engines.ts";
import { endLostCalls, reclaimCalls } from "./voice/sweep-calls.ts";
import { reconcileCalls } from "./voice/vapi/reconcile-calls.ts";
import { reclaimDeliveries, startDeliverer } from "./webhooks/deliverer.ts";
import { forgetOldEvents } from "./webhooks/maintain.ts";
import { startWhatsAppAnswers } from "./whatsapp/answer.ts";
import { reclaimAnswers } from "./whatsapp/answer-claim.ts";
import { startWhatsAppInbox } from "./whatsapp/inbox-worker.ts";
import { forgetOldWhatsApp } from "./whatsapp/maintain.ts";
import { startConnectionChecks } from "./whatsapp/maintain-connections.ts";
import { reclaimPageTokens } from "./whatsapp/page-token-claim.ts";

/** A supervisor kills after ten seconds; what is not done by then is taken up by the next start. */
const DRAIN_MS = 8_000;
const HANG_UP_MS = 50;
const HOUR_MS = 3_600_000;
const CALL_SWEEP_MS = 15_000;
const NUMBERS_MS = 5_000;

/** Starts the roles asked for, says where, and ends them in order when the process is told to stop. */
export async function runServer(config: Config, log: Logger): Promise<void> {
  const { app, close } = await openApp(config, {
    log,
    onFatal: (error) => {
      log.fatal({ error }, "the embedded database failed; start again");
      process.exit(1);
    },
  });
  const stopping = new AbortController();
  const ends: (() => Promise<void> | void)[] = [close];

  if (config.databaseUrl === undefined) {
    await reclaimAll(app);
    await reclaimDeliveries(app);
    await reclaimAnswers(app);
    await reclaimPageTokens(app);
    await reclaimCalls(app);
  }
  if (config.roles.includes("worker")) {
    const worker = startWorker(app, jobHandlers);
    const deliverer = startDeliverer(app);
    const whatsappInbox = app.messenger === null ? undefined : startWhatsAppInbox(app);
    const whatsappAnswers = startWhatsAppAnswers(app);
    const cleaning = every(HOUR_MS, () => cleanUp(app));
    const checks = startConnectionChecks(app);
    const sweeping = every(CALL_SWEEP_MS, () => sweepCalls(app));
    const asking = every(CALL_SWEEP_MS, () => askForCalls(app, stopping.signal));
    const numbers = every(NUMBERS_MS, () => lookAfterNumbers(app, stopping.signal));
    ends.unshift(
      () => worker.stop(),
      () => checks.stop(),
      () => deliverer.stop(),
      () => whatsappInbox?.stop(),
      () => whatsappAnswers.stop(),
      cleaning,
      sweeping,
      asking,
      numbers,
    );
  }
  // Before the line that says "ready": whoever has read it may use the command line.
  if (config.databaseUrl === undefined) ends.unshift(await openControlSocket(app));
  if (config.roles.includes("http")) ends.unshift(await listen(app, stopping.signal));

  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.once(name, () => void stop(name));
  }
  async function stop(name: string): Promise<void> {
    log.info({ signal: name }, "stopping");
    setTimeout(() => {
      log.warn("some work did not end in time; it will be taken up again");
      process.exit(0);
    }, DRAIN_MS).unref();
    stopping.abort();
    app.queue.stopWaiting();
    for (const end of ends) {
      try {
        await end();
      } catch (error) {
        // Whatever cannot be ended well, the rest still can.
        log.warn({ error }, "something did not end well");
      }
    }
    process.exit(0);
  }
}

async function listen(app: App, stopping: AbortSignal): Promise<() => Promise<void>> {
  const server = await buildServer(app, stopping);
  await server.listen({ host: app.config.host, port: app.config.port }).catch((error: unknown) => {
    throw refusedAddress(app.config, error);
  });
  const baseUrl = app.config.publicUrl ?? addressOf(server.server.address());
  const written = app.config.bootstrap === "demo" ? await bootstrapDemo(app, baseUrl) : undefined;
  announce(app.config, baseUrl, written);
  return async () => {
    // What was busy when the server stopped listening is kept alive when it is done: nobody would ever hang up.
    const hangUp = setInterval(() => server.server.closeIdleConnections(), HANG_UP_MS);
    await server.close();
    clearInterval(hangUp);
  };
}

function refusedAddress({ host, port }: Config, error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EADDRINUSE")
    return new StartRefused(`Another process listens on ${host}:${port}. Set PORT to a free one.`);
  if (code === "EACCES")
    return new StartRefused(`This user may not listen on port ${port}. Set PORT to another.`);
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND")
    return new StartRefused(`This machine has no address ${host}. Set HOST to one that it has.`);
  return error;
}

function addressOf(address: AddressInfo | string | null): string {
  if (address === null || typeof address === "string") throw new Error("the server has no TCP address");
  const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}

/** The one line that is meant for eyes: where it is, where it is explained, how to ask. */
function announce(config: Config, baseUrl: string, bootstrap: string | undefined): void {
  const key = bootstrap === undefined ? "<api key>" : `<api_key in ${config.dataDir}/bootstrap.json>`;
  process.stdout.write(
    `LumenOne is ready at ${baseUrl} · reference: ${baseUrl}/docs · ` +
      `first request: curl -H "Authorization: Bearer ${key}" ${baseUrl}/api/v1/auth\n`,
  );
}

/** By itself: another sweep must not wait for Vapi. */
async function askForCalls(app: App, signal: AbortSignal): Promise<void> {
  try {
    if (app.engineCalls !== null && !signal.aborted) await reconcileCalls(app, signal);
  } catch (error) {
    if (!signal.aborted)
      app.log.warn({ error }, "calls could not be asked for; it is tried again in a moment");
  }
}

async function sweepCalls(app: App): Promise<void> {
  try {
    await endLostCalls(app);
  } catch (error) {
    app.log.warn({ error }, "lost calls could not be looked for; it is tried again in a moment");
  }
}

async function lookAfterNumbers(app: App, signal: AbortSignal): Promise<void> {
  try {
    if (!signal.aborted) await reconcileNumbers(app, signal);
  } catch (error) {
    if (!signal.aborted) app.log.warn({ error }, "numbers could not be looked after; it is tried again soon");
  }
}

async function cleanUp(app: App): Promise<void> {
  try {
    await forgetOldIdempotencyKeys(app.db);
    await forgetOldJobs(app.db);
    await beginRetention(app);
    await recordStorage(app);
    await refreshEngines(app);
    await forgetOldEvents(app);
    await forgetOldWhatsApp(app);
    await collectOrphans(app);
    await reembedOutdated(app);
    await app.db.vacuum();
  } catch (error) {
    app.log.warn({ error }, "cleaning up failed; it is tried again in an hour");
  }
}
