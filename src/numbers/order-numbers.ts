import { sql } from "kysely";
import { isSuspended } from "../accounts/accounts.service.ts";
import type { App } from "../context.ts";
import { type Carrier, CarrierError, type NumberPapers } from "../ports/carrier.ts";
import { giveOrder, lookForOrder } from "./give-order.ts";
import { moveRequest, type RequestRow } from "./move-request.ts";
import { failed, needsAddress, noneLeft, type Outcome, outcomeOf, rejectedPapers } from "./order-outcome.ts";
import {
  countMissing,
  holdRequest,
  intendOrder,
  type OrderRow,
  openOrders,
  refusedNumbers,
  renewOrder,
} from "./orders.ts";
import type { RequestMove } from "./request-states.ts";

/** What is left to do for a request that is being provisioned. */
interface Work {
  request: RequestRow;
  /** Given, and not answered. */
  open: OrderRow | undefined;
  missing: number;
}

const OFFERS_AT_ONCE = 20;
const BUNDLE_WAIT_MS = 5 * 60_000;
const SUSPENDED_WAIT_MS = 15 * 60_000;

/**
 * Goes on with a request until it has its numbers, or must wait, or cannot go on. Each order is written down before it
 * is given, and one without an answer is looked for at the carrier before anything else is ordered; given again, it is
 * for the same number. So this may be ended at any moment and begun again, and never buys twice.
 */
export async function orderNumbers(app: App, requestId: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const work = await findWork(app, requestId);
    if (work === undefined) return;
    const outcome = await takeStep(app, work, signal);
    if (outcome === "again") continue;
    if ("to" in outcome) await move(app, requestId, outcome);
    else await wait(app, requestId, outcome.askAgainMs, outcome.said);
    return;
  }
}

async function findWork(app: App, requestId: string): Promise<Work | undefined> {
  return app.db.asSystem("jobs", async (tx) => {
    const request = await holdRequest(tx, requestId);
    if (request?.status !== "provisioning") return undefined;
    if (await isSuspended(tx, request.account_id)) {
      const check_at = later(app, SUSPENDED_WAIT_MS);
      await tx.updateTable("number_requests").set({ check_at }).where("id", "=", requestId).execute();
      return undefined;
    }
    const [open] = await openOrders(tx, requestId);
    return { request, open, missing: await countMissing(tx, request) };
  });
}

async function takeStep(app: App, { request, open, missing }: Work, signal: AbortSignal): Promise<Outcome> {
  const { carrier } = app;
  if (carrier === null) return failed("No carrier that sells numbers is configured any more.");
  try {
    if (open !== undefined) return await takeUp(app, carrier, request, open, signal);
    if (missing <= 0) return { to: "fulfilled", by: "carrier" };
    return (await checkBundle(carrier, request, signal)) ?? (await orderOne(app, carrier, request, signal));
  } catch (error) {
    if (!(error instanceof CarrierError)) throw error;
    const papers = error.kind === "papers" ? await listPapers(app, carrier, request, signal) : [];
    return outcomeOf(error, request, papers);
  }
}

/** An order without an answer: found, waited for, or given once more. */
async function takeUp(
  app: App,
  carrier: Carrier,
  request: RequestRow,
  order: OrderRow,
  signal: AbortSignal,
): Promise<Outcome> {
  const found = await lookForOrder(app, carrier, order, signal);
  if (found === "kept") return "again";
  if (found !== "lost") {
    const askAgainMs = Math.max(0, found.getTime() - app.now().getTime());
    return { askAgainMs, said: "The answer to an order was lost; it is being looked for." };
  }
  const renewed = await renewOrder(app, order);
  return renewed === undefined ? "again" : give(app, carrier, request, renewed, signal);
}

async function orderOne(
  app: App,
  carrier: Carrier,
  request: RequestRow,
  signal: AbortSignal,
): Promise<Outcome> {
  const { country, number_type: type, area_code: areaCode } = request;
  const offers = await carrier.searchNumbers({ country, type, areaCode, limit: OFFERS_AT_ONCE }, signal);
  const refused = await refusedNumbers(app, request.id);
  const fresh = offers.filter(({ number }) => !refused.has(number));
  const hasAddress = request.address_id !== null || request.bundle_id !== null;
  const offer = fresh.find(({ addressRequired }) => hasAddress || addressRequired === "none");
  if (offer === undefined) return fresh.length > 0 ? needsAddress(request) : noneLeft(request);
  const order = await intendOrder(app, carrier, request.id, offer.number);
  return order === undefined ? "again" : give(app, carrier, request, order, signal);
}

async function give(
  app: App,
  carrier: Carrier,
  request: RequestRow,
  order: OrderRow,
  signal: AbortSignal,
): Promise<Outcome> {
  const given = await giveOrder(app, carrier, request, order, signal);
  return given.result === "ended" ? "again" : { askAgainMs: carrier.settleMs, said: given.said };
}

async function checkBundle(
  carrier: Carrier,
  request: RequestRow,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  if (request.bundle_id === null) return undefined;
  const { verdict, status } = await carrier.getBundle(request.bundle_id, signal);
  if (verdict === "approved") return undefined;
  return verdict === "waiting" ? { askAgainMs: BUNDLE_WAIT_MS, said: status } : rejectedPapers(status);
}

/** For the partner to read; that the carrier does not say is no reason to stop. */
async function listPapers(
  app: App,
  carrier: Carrier,
  request: RequestRow,
  signal: AbortSignal,
): Promise<readonly NumberPapers[]> {
  try {
    return await carrier.listPapers({ country: request.country, type: request.number_type }, signal);
  } catch (error) {
    if (!(error instanceof CarrierError)) throw error;
    app.log.warn({ error, numberRequestId: request.id }, "the carrier did not say which papers it wants");
    return [];
  }
}

async function move(app: App, requestId: string, step: RequestMove): Promise<void> {
  await app.db.asSystem("jobs", async (tx) => {
    const request = await holdRequest(tx, requestId);
    // Somebody else was quicker: their word stands.
    if (request?.status !== "provisioning") return;
    const actor = { actor: { kind: "system", id: null }, requestId: `order-${requestId}` } as const;
    await moveRequest(app, tx, actor, request, step);
  });
}

async function wait(app: App, requestId: string, askAgainMs: number, said: string): Promise<void> {
  await app.db.asSystem("jobs", (tx) =>
    tx
      .updateTable("number_requests")
      .set({ check_at: later(app, askAgainMs), provider_status: said, updated_at: sql`now()` })
      .where("id", "=", requestId)
      .where("status", "=", "provisioning")
      .execute(),
  );
}

function later(app: App, ms: number): Date {
  return new Date(app.now().getTime() + ms);
}
