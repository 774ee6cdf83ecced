import { type Selectable, sql } from "kysely";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { Carrier, OwnedNumber } from "../ports/carrier.ts";
import type { RequestRow } from "./move-request.ts";
import type { NumberTables } from "./numbers.tables.ts";
import { describeNumber } from "./phone-number.ts";

export type OrderRow = Selectable<NumberTables["number_orders"]>;

/** The request, held until the transaction ends; `undefined` when it is gone or being erased. */
export async function holdRequest(tx: Tx, requestId: string): Promise<RequestRow | undefined> {
  return tx
    .selectFrom("number_requests")
    .selectAll()
    .where("id", "=", requestId)
    .where("erasing_at", "is", null)
    .forNoKeyUpdate()
    .executeTakeFirst();
}

/** What was asked of the carrier for a request, and not answered yet. */
export async function openOrders(tx: Tx, requestId: string): Promise<OrderRow[]> {
  return tx
    .selectFrom("number_orders")
    .selectAll()
    .where("request_id", "=", requestId)
    .where("state", "=", "asked")
    .orderBy("position")
    .execute();
}

/** How many numbers a request still needs, without those that were ordered and may be on their way. */
export async function countMissing(tx: Tx, request: RequestRow): Promise<number> {
  const { count } = await tx
    .selectFrom("numbers")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("request_id", "=", request.id)
    .where("status", "<>", "released")
    .executeTakeFirstOrThrow();
  return request.quantity - Number(count);
}

/**
 * Writes down that a number will be ordered. Whatever happens from this commit on, the order is found again: by its
 * reference among the numbers that the carrier sold us.
 *
 * @returns `undefined` when the request does not want another number any more
 */
export async function intendOrder(
  app: App,
  carrier: Carrier,
  requestId: string,
  number: string,
): Promise<OrderRow | undefined> {
  return app.db.asSystem("jobs", async (tx) => {
    const request = await holdRequest(tx, requestId);
    if (request?.status !== "provisioning") return undefined;
    const asked = await openOrders(tx, requestId);
    if ((await countMissing(tx, request)) - asked.length <= 0) return undefined;
    const { position } = await tx
      .selectFrom("number_orders")
      .select(sql<number>`coalesce(max(position), 0) + 1`.as("position"))
      .where("request_id", "=", requestId)
      .executeTakeFirstOrThrow();
    return tx
      .insertInto("number_orders")
      .values({
        partner_id: request.partner_id,
        account_id: request.account_id,
        organization_id: request.organization_id,
        request_id: request.id,
        position,
        reference: referenceOf(request.id, position),
        provider: carrier.provider,
        number,
        state: "asked",
        asked_at: app.now(),
      })
      .returningAll()
      .executeTakeFirstOrThrow();
  });
}

/** The order is given once more. `undefined` when it has ended meanwhile. */
export async function renewOrder(app: App, order: OrderRow): Promise<OrderRow | undefined> {
  return app.db.asSystem("jobs", async (tx) => {
    const request = await holdRequest(tx, order.request_id);
    if (request?.status !== "provisioning") return undefined;
    return tx
      .updateTable("number_orders")
      .set({ asked_at: app.now(), updated_at: sql`now()` })
      .where("reference", "=", order.reference)
      .where("state", "=", "asked")
      .returningAll()
      .executeTakeFirst();
  });
}

/** Numbers that somebody else was quicker to buy: carriers go on offering them for a while. */
export async function refusedNumbers(app: App, requestId: string): Promise<ReadonlySet<string>> {
  const rows = await app.db.asSystem("jobs", (tx) =>
    tx
      .selectFrom("number_orders")
      .select("number")
      .where("request_id", "=", requestId)
      .where("state", "=", "refused")
      .execute(),
  );
  return new Set(rows.map(({ number }) => number));
}

/**
 * The carrier has sold it: it becomes the organization's, or, when nobody wants it any more, it lies in the pool. Safe
 * to repeat.
 */
export async function keepBought(app: App, order: OrderRow, owned: OwnedNumber): Promise<void> {
  await app.db.asSystem("jobs", async (tx) => {
    const request = await holdRequest(tx, order.request_id);
    const isWanted = request?.status === "provisioning" && (await countMissing(tx, request)) > 0;
    const owner = isWanted
      ? {
          partner_id: request.partner_id,
          account_id: request.account_id,
          organization_id: request.organization_id,
          request_id: request.id,
        }
      : { partner_id: null, account_id: null, organization_id: null, request_id: null };
    await tx
      .insertInto("numbers")
      .values({ ...owner, ...(await kindOf(tx, order, owned)), ...columnsOf(order.provider, owned) })
      // Known already: by an earlier run, or because somebody attached it by hand meanwhile.
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    await endOrder(tx, order, request === undefined ? undefined : { state: "bought", provider_id: owned.id });
  });
}

/** The carrier has not sold it. `undefined`: the order says nothing worth keeping. */
export async function dropOrder(app: App, order: OrderRow, end: "refused" | undefined): Promise<void> {
  await app.db.asSystem("jobs", async (tx) => {
    const request = await holdRequest(tx, order.request_id);
    await endOrder(tx, order, request === undefined || end === undefined ? undefined : { state: end });
  });
}

/** What a number at the carrier is in our table. */
export function columnsOf(provider: "twilio" | "telnyx", owned: OwnedNumber) {
  return {
    number: owned.number,
    can_voice: owned.capabilities.voice,
    can_sms: owned.capabilities.sms,
    provider,
    provider_id: owned.id,
    provider_status: owned.status,
  };
}

/** What another process found out first stands: only an order without an answer gets one. */
async function endOrder(
  tx: Tx,
  { reference }: OrderRow,
  end: { state: "bought" | "refused"; provider_id?: string } | undefined,
): Promise<void> {
  if (end === undefined) {
    const remove = tx.deleteFrom("number_orders").where("reference", "=", reference);
    await remove.where("state", "=", "asked").execute();
    return;
  }
  await tx
    .updateTable("number_orders")
    .set({ ...end, updated_at: sql`now()` })
    .where("reference", "=", reference)
    .where("state", "=", "asked")
    .execute();
}

/** The order does not say; the request does, and it may be gone: then the number itself must. */
async function kindOf(tx: Tx, order: OrderRow, owned: OwnedNumber) {
  const request = await tx
    .selectFrom("number_requests")
    .select(["country", "number_type"])
    .where("id", "=", order.request_id)
    .executeTakeFirst();
  return request ?? describeNumber(owned.number);
}

/** Sent as `FriendlyName` and the like, which take 64 characters. */
function referenceOf(requestId: string, position: number): string {
  return `LumenOne ${requestId} ${position}`;
}
