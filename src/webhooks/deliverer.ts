import { sql } from "kysely";
import type { App } from "../context.ts";
import { oneAtATime } from "../db/one-at-a-time.ts";
import { type Claimed, claimIn } from "./claim.ts";
import { FAN_OUT_MAX, fanOut } from "./fan-out.ts";
import { send } from "./send.ts";
import { giveBack, settle } from "./settle.ts";

export interface Deliverer {
  /** Takes nothing more, gives back what is under way, and waits for that. */
  stop(): Promise<void>;
}

/** Deliveries at once in a process. Nearly all of their time they wait for a foreign server. */
const SLOTS = 64;
/** Of them, those to endpoints that nothing has reached for a while. */
const FAILING_SLOTS = SLOTS / 2;
const POLL_MS = 1_000;

/**
 * Sends what the outbox holds, until stopped. Not a job: foreign servers that let a request hang would hold the places
 * of those who read documents.
 */
export function startDeliverer(app: App): Deliverer {
  const stopping = new AbortController();
  const sending = new Map<Promise<void>, Claimed>();
  const turns = oneAtATime(
    async () => {
      const failing = [...sending.values()].filter((delivery) => delivery.is_failing).length;
      const { events, claimed } = await next(app, SLOTS - sending.size, FAILING_SLOTS - failing);
      for (const delivery of claimed) start(delivery);
      if (events === FAN_OUT_MAX) turns.ask();
    },
    stopping.signal,
    { pollMs: POLL_MS },
  );

  function start(delivery: Claimed): void {
    const work = deliver(app, delivery, stopping.signal).finally(() => {
      sending.delete(work);
      turns.ask();
    });
    sending.set(work, delivery);
  }

  app.deliveries.on(turns.ask);
  return {
    async stop() {
      stopping.abort();
      await turns.settled();
      await Promise.all(sending.keys());
    },
  };
}

/** On the embedded database there was only one process: what it left under way is nobody's now. */
export async function reclaimDeliveries(app: App): Promise<void> {
  await app.db.asSystem("jobs", async (tx) => {
    await tx
      .updateTable("webhook_deliveries")
      .set({ due_at: sql<Date>`now()` })
      .where("status", "=", "sending")
      .execute();
  });
}

async function next(app: App, free: number, freeForFailing: number) {
  try {
    return await app.db.asSystem(
      "jobs",
      async (tx) => {
        const events = await fanOut(tx);
        return { events, claimed: free > 0 ? await claimIn(tx, free, Math.max(0, freeForFailing)) : [] };
      },
      "background",
    );
  } catch (error) {
    app.log.error({ error }, "no webhook could be claimed");
    return { events: 0, claimed: [] };
  }
}

async function deliver(app: App, delivery: Claimed, stopping: AbortSignal): Promise<void> {
  try {
    await settle(app, delivery, await send(app, delivery, stopping));
  } catch (error) {
    if (!stopping.aborted)
      app.log.warn(
        { error, eventId: delivery.event_id },
        "a delivery's end could not be written; its lease will run out",
      );
    else await giveBack(app, delivery).catch(() => undefined);
  }
}
