import type { App } from "../context.ts";
import { type Carrier, CarrierError } from "../ports/carrier.ts";
import type { RequestRow } from "./move-request.ts";
import { dropOrder, keepBought, type OrderRow } from "./orders.ts";

/**
 * Gives an order that was written down.
 *
 * @returns `ended`: the number is ours, or somebody else's; `unknown`: it is to be looked for
 * @throws {@link CarrierError} for a refusal that another number would meet, too
 */
export async function giveOrder(
  app: App,
  carrier: Carrier,
  request: RequestRow,
  order: OrderRow,
  signal: AbortSignal,
): Promise<{ result: "ended" } | { result: "unknown"; said: string }> {
  const { bundle_id: bundleId, address_id: addressId } = request;
  const { number, reference } = order;
  try {
    const owned = await carrier.orderNumber({ number, reference, bundleId, addressId }, signal);
    await keepBought(app, order, owned);
    return { result: "ended" };
  } catch (error) {
    if (!(error instanceof CarrierError)) throw error;
    if (error.isAmbiguous) return { result: "unknown", said: wordsOf(error) };
    if (error.kind !== "taken") {
      await dropOrder(app, order, undefined);
      throw error;
    }
    // By us, if the order was given before and its answer was lost: no carrier sells a number twice.
    if (!(await keepFound(app, carrier, order, signal))) await dropOrder(app, order, "refused");
    return { result: "ended" };
  }
}

/**
 * Looks for an order without an answer among the numbers that are ours.
 *
 * @returns the time from which on it is certain, when it is too early to say that nothing was sold
 */
export async function lookForOrder(
  app: App,
  carrier: Carrier,
  order: OrderRow,
  signal: AbortSignal,
): Promise<"kept" | "lost" | Date> {
  if (await keepFound(app, carrier, order, signal)) return "kept";
  const settledAt = new Date(order.asked_at.getTime() + carrier.settleMs);
  return settledAt <= app.now() ? "lost" : settledAt;
}

/** What the carrier said, or else what can be said about it. */
export function wordsOf(error: CarrierError): string {
  return error.said ?? error.message;
}

async function keepFound(app: App, carrier: Carrier, order: OrderRow, signal: AbortSignal): Promise<boolean> {
  const found = await carrier.findByReference(order.reference, signal);
  for (const owned of found) await keepBought(app, order, owned);
  return found.length > 0;
}
