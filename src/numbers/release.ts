import { type Selectable, sql } from "kysely";
import { recordAudit } from "../audit/record.ts";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { Caller } from "../http/caller.ts";
import { Problem } from "../http/problem.ts";
import { CarrierError } from "../ports/carrier.ts";
import { wordsOf } from "./give-order.ts";
import type { NumberTables } from "./numbers.tables.ts";
import { linkOf, toAdminNumber } from "./show.ts";

type Row = Selectable<NumberTables["numbers"]>;

const RETRY_MS = 60_000;
const RELEASE_MS = 10_000;

/**
 * Gives a number back to its carrier: from now on it is `releasing`, and asked for until the carrier has taken it. One
 * that was bought by hand is given back by hand, and is released at once here.
 */
export async function releaseNumber(app: App, operator: Omit<Caller, "partnerId">, numberId: number) {
  const row = await app.db.asSystem("superadmin", async (tx) => {
    const number = await holdNumber(app, tx, numberId);
    if (number.status !== "active") return number;
    const change =
      number.provider === "manual" ? released(app) : { status: "releasing" as const, check_at: app.now() };
    const changed = await setNumber(tx, number.id, change);
    await audit(app, tx, operator, changed);
    return changed;
  });
  const now =
    row.status === "releasing" ? await finishRelease(app, row, AbortSignal.timeout(RELEASE_MS)) : row;
  return { success: true as const, number: toAdminNumber(now) };
}

/** Asks the carrier to take it back, and says when to ask again if it does not. */
export async function finishRelease(app: App, row: Row, signal: AbortSignal): Promise<Row> {
  const { carrier } = app;
  const refusal = await release();
  return app.db.asSystem("jobs", (tx) => {
    if (refusal === undefined) return setNumber(tx, row.id, { ...released(app), provider_status: null });
    const check_at = new Date(app.now().getTime() + RETRY_MS);
    return setNumber(tx, row.id, { check_at, provider_status: refusal });
  });

  async function release(): Promise<string | undefined> {
    if (carrier?.provider !== row.provider) return `The carrier ${row.provider} is not configured.`;
    if (row.provider_id === null) return undefined;
    try {
      await carrier.releaseNumber(row.provider_id, signal);
      return undefined;
    } catch (error) {
      if (error instanceof CarrierError) return wordsOf(error);
      if (signal.aborted) return "The carrier did not answer in time.";
      throw error;
    }
  }
}

/** While an assistant answers it, a number stays. */
async function holdNumber(app: App, tx: Tx, numberId: number): Promise<Row> {
  const row = await tx
    .selectFrom("numbers")
    .selectAll()
    .where("id", "=", numberId)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) throw new Problem("not_found", "There is no such number.");
  const linked = await tx
    .selectFrom("numbers")
    .select(linkOf(app).as("link"))
    .where("id", "=", numberId)
    .executeTakeFirst();
  if (linked?.link !== null && linked?.link !== undefined) {
    throw new Problem("conflict", "An assistant answers this number: take it away from the assistant first.");
  }
  return row;
}

function released(app: App) {
  return { status: "released", released_at: app.now(), check_at: null } as const;
}

async function setNumber(tx: Tx, id: number, change: Partial<Row>): Promise<Row> {
  return tx
    .updateTable("numbers")
    .set({ ...change, updated_at: sql`now()` })
    .where("id", "=", id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** The trail belongs to partners: what nobody has is given back without a line in it. */
async function audit(app: App, tx: Tx, operator: Omit<Caller, "partnerId">, row: Row): Promise<void> {
  app.log.info({ numberId: row.id, requestId: operator.requestId }, "a number is given back");
  if (row.partner_id === null || row.account_id === null || row.organization_id === null) return;
  const caller = { ...operator, partnerId: row.partner_id };
  await recordAudit(app, tx, caller, {
    action: "number.released",
    resourceType: "number",
    resourceId: row.id,
    accountId: row.account_id,
    organizationId: row.organization_id,
  });
}
