import { sql } from "kysely";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { isUniqueViolation } from "../db/violations.ts";
import { Problem } from "../http/problem.ts";
import { CarrierError, type OwnedNumber } from "../ports/carrier.ts";
import { answer, getRequest, type Operator, refuseSuspended } from "./fulfil.ts";
import { moveRequest, type RequestRow } from "./move-request.ts";
import type { AttachNumber } from "./numbers.schemas.ts";
import { columnsOf, countMissing, openOrders } from "./orders.ts";
import { checkNumber } from "./phone-number.ts";

/** Those of `numbers` that keep a number with one owner. */
const NUMBER_INDEXES = ["numbers_number", "numbers_provider"];
const LOOK_UP_MS = 10_000;

/**
 * Gives a request a number that there is already: one of the pool, one that lies at the carrier, or one that was bought
 * by hand. With the last one that it asked for, the request is fulfilled.
 */
export async function attachNumber(
  app: App,
  operator: Operator,
  requestId: string,
  { number: text, sms }: AttachNumber,
) {
  const wanted = await app.db.asSystem("superadmin", (tx) => getRequest(tx, requestId));
  const number = checkNumber(text, wanted);
  const owned = await findAtCarrier(app, number);
  return refuseTaken(() =>
    app.db.asSystem("superadmin", async (tx) => {
      const request = await getRequest(tx, requestId);
      await refuseSuspended(tx, request);
      const begun =
        request.status === "provisioning"
          ? request
          : await moveRequest(app, tx, operator, request, { to: "provisioning", by: "superadmin" });
      const missing = await countMissing(tx, begun);
      if (missing - (await openOrders(tx, request.id)).length <= 0) throw enough();
      if (!(await takeFromPool(tx, begun, number))) await insertNumber(app, tx, begun, number, owned, sms);
      const isLast = missing === 1;
      const done = isLast
        ? await moveRequest(app, tx, operator, begun, { to: "fulfilled", by: "superadmin" })
        : begun;
      return answer(app, tx, done);
    }),
  );
}

/** Whether it is ours at the carrier. That it did not answer does not mean that it is not. */
async function findAtCarrier(app: App, number: string): Promise<OwnedNumber | undefined> {
  try {
    return await app.carrier?.findNumber(number, AbortSignal.timeout(LOOK_UP_MS));
  } catch (error) {
    if (!(error instanceof CarrierError) && !(error instanceof DOMException)) throw error;
    throw new Problem("provider_failed", "The carrier could not be asked whose number it is. Try again.", {
      cause: error,
    });
  }
}

async function takeFromPool(tx: Tx, request: RequestRow, number: string): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable("numbers")
    .set({ ...ownerOf(request), updated_at: sql`now()` })
    .where("number", "=", number)
    .where("status", "=", "active")
    .where("organization_id", "is", null)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

async function insertNumber(
  app: App,
  tx: Tx,
  request: RequestRow,
  number: string,
  owned: OwnedNumber | undefined,
  sms: boolean | undefined,
): Promise<void> {
  const byHand = {
    number,
    can_voice: true,
    can_sms: sms ?? false,
    provider: "manual" as const,
    provider_id: null,
    provider_status: null,
  };
  const source =
    owned === undefined || app.carrier === null ? byHand : columnsOf(app.carrier.provider, owned);
  await tx
    .insertInto("numbers")
    .values({ ...source, ...ownerOf(request) })
    .execute();
}

/** A number of the pool is what the request asked for, too, once it is attached. */
function ownerOf({ partner_id, account_id, organization_id, id, country, number_type }: RequestRow) {
  return { partner_id, account_id, organization_id, request_id: id, country, number_type };
}

async function refuseTaken<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!NUMBER_INDEXES.some((index) => isUniqueViolation(error, index))) throw error;
    const message = "is an organization's already, or on its way back to the carrier";
    throw new Problem("conflict", `This number ${message}.`, {
      details: [{ path: "body.number", message }],
      cause: error,
    });
  }
}

function enough(): Problem {
  return new Problem(
    "conflict",
    "This request has all the numbers that it asked for, or they are on their way.",
  );
}
