import { sql } from "kysely";
import type { App } from "../context.ts";
import { CarrierError } from "../ports/carrier.ts";
import { lookForOrder } from "./give-order.ts";
import { enqueueOrder, safetyTime } from "./order.jobs.ts";
import { dropOrder } from "./orders.ts";
import { finishRelease } from "./release.ts";

const AT_ONCE = 100;

/**
 * Asks the carrier again about everything whose time has come: requests that wait for it, orders that nobody waits for
 * any more, numbers on their way back. Several processes may do it at once.
 */
export async function reconcileNumbers(app: App, signal: AbortSignal): Promise<void> {
  await resumeRequests(app);
  await settleForgottenOrders(app, signal);
  await finishReleases(app, signal);
}

async function resumeRequests(app: App): Promise<void> {
  await app.db.asSystem("jobs", async (tx) => {
    const due = await tx
      .selectFrom("number_requests")
      .selectAll()
      .where("check_at", "<=", app.now())
      .where("status", "=", "provisioning")
      .where("erasing_at", "is", null)
      .orderBy("check_at")
      .limit(AT_ONCE)
      .forUpdate()
      .skipLocked()
      .execute();
    for (const request of due) {
      await enqueueOrder(app, tx, request);
      const change = { check_at: safetyTime(app) };
      await tx.updateTable("number_requests").set(change).where("id", "=", request.id).execute();
    }
  });
}

/** Of requests that were erased, or failed by hand, while an order had no answer: what was bought goes to the pool. */
async function settleForgottenOrders(app: App, signal: AbortSignal): Promise<void> {
  const { carrier } = app;
  if (carrier === null) return;
  const orders = await app.db.asSystem("jobs", (tx) =>
    tx
      .selectFrom("number_orders")
      .selectAll()
      .where("state", "=", "asked")
      .where("provider", "=", carrier.provider)
      .where("asked_at", "<=", new Date(app.now().getTime() - carrier.settleMs))
      .where(
        sql<boolean>`not exists (select from number_requests where number_requests.id = number_orders.request_id
          and number_requests.status = 'provisioning' and number_requests.erasing_at is null)`,
      )
      .orderBy("asked_at")
      .limit(AT_ONCE)
      .execute(),
  );
  for (const order of orders) {
    try {
      if ((await lookForOrder(app, carrier, order, signal)) === "lost")
        await dropOrder(app, order, undefined);
    } catch (error) {
      if (!(error instanceof CarrierError)) throw error;
      app.log.warn(
        { error, reference: order.reference },
        "an order could not be looked for; tried again soon",
      );
    }
  }
}

async function finishReleases(app: App, signal: AbortSignal): Promise<void> {
  const due = await app.db.asSystem("jobs", (tx) =>
    tx
      .selectFrom("numbers")
      .selectAll()
      .where("check_at", "<=", app.now())
      .where("status", "=", "releasing")
      .orderBy("check_at")
      .limit(AT_ONCE)
      .execute(),
  );
  for (const row of due) await finishRelease(app, row, signal);
}
