import type { Selectable } from "kysely";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { RequestRow } from "./move-request.ts";
import type { AdminNumber, NumberRequest, PhoneNumber } from "./numbers.schemas.ts";
import type { NumberTables } from "./numbers.tables.ts";

/** A number with whose assistant answers it. */
export type NumberRow = Selectable<NumberTables["numbers"]> & { link: unknown };
type MoveRow = Selectable<NumberTables["number_request_moves"]>;

/** Numbers, each with `link`: the workspace whose assistant answers it, as a JSON value, or null. */
export function selectNumbers(app: App, tx: Tx) {
  return tx.selectFrom("numbers").selectAll().select(linkOf(app).as("link"));
}

/** Of the row `numbers` in a query: the workspace whose assistant answers it, or null. */
export function linkOf(app: App) {
  return app.numberLink;
}

/** Requests as they are answered, each with its numbers and its history: two queries, however many there are. */
export async function showRequests(app: App, tx: Tx, rows: readonly RequestRow[]): Promise<NumberRequest[]> {
  if (rows.length === 0) return [];
  const ids = rows.map(({ id }) => id);
  const moves = await tx
    .selectFrom("number_request_moves")
    .selectAll()
    .where("request_id", "in", ids)
    .orderBy("position")
    .execute();
  const numbers = await selectNumbers(app, tx).where("request_id", "in", ids).orderBy("id").execute();
  const movesOf = Map.groupBy(moves, (move) => move.request_id);
  const numbersOf = Map.groupBy(numbers, (number) => number.request_id);
  return rows.map((row) => toRequest(row, numbersOf.get(row.id) ?? [], movesOf.get(row.id) ?? []));
}

export async function showRequest(app: App, tx: Tx, row: RequestRow): Promise<NumberRequest> {
  const [shown] = await showRequests(app, tx, [row]);
  if (shown === undefined) throw new Error("a request that was asked for is not shown");
  return shown;
}

export function toNumber(row: NumberRow): PhoneNumber {
  return {
    id: row.id,
    number: row.number,
    country: row.country,
    number_type: row.number_type,
    capabilities: { voice: row.can_voice, sms: row.can_sms },
    status: row.status,
    provider: row.provider,
    organization_id: row.organization_id,
    voice_integration: asLink(row.link),
    created_at: row.created_at.toISOString(),
  };
}

export function toAdminNumber(row: Selectable<NumberTables["numbers"]>): AdminNumber {
  const { voice_integration: _, ...shared } = toNumber({ ...row, link: null });
  return {
    ...shared,
    partner_id: row.partner_id,
    account_id: row.account_id,
    provider_id: row.provider_id,
    provider_status: row.provider_status,
    released_at: row.released_at?.toISOString() ?? null,
  };
}

function toRequest(row: RequestRow, numbers: readonly NumberRow[], moves: readonly MoveRow[]): NumberRequest {
  return {
    id: row.id,
    organization_id: row.organization_id,
    country: row.country,
    number_type: row.number_type,
    area_code: row.area_code,
    quantity: row.quantity,
    notes: row.notes,
    status: row.status,
    status_reason: row.status_reason,
    next_step: row.next_step,
    provider_status: row.provider_status,
    numbers: numbers.map(toNumber),
    history: moves.map((move) => ({
      status: move.status,
      at: move.moved_at.toISOString(),
      by: move.moved_by,
      reason: move.reason,
    })),
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

/** Built by the query that `App.numberLink` is part of, in the shape that it promises. */
function asLink(link: unknown): { workspace: string } | null {
  return link as { workspace: string } | null;
}
