import type { Tx } from "../db/database.ts";
import { type ConnectionRow, type LastError, OVER } from "./connection.ts";
import { asText } from "./webhook-json.ts";

/** Nobody else changes it until this transaction ends. */
export async function lockLiveConnection(tx: Tx, id: string): Promise<ConnectionRow | undefined> {
  return tx
    .selectFrom("whatsapp_connections")
    .selectAll()
    .where("id", "=", id)
    .where("status", "not in", OVER)
    .forNoKeyUpdate()
    .executeTakeFirst();
}

/** Meta's times are whole seconds. */
export function isBefore(at: Date, since: Date): boolean {
  return at.getTime() + 1_000 <= since.getTime();
}

/** Seconds since 1970, as a number or as text. */
export function timeOf(seconds: unknown): Date | undefined {
  const value = Number(asText(seconds) ?? Number.NaN);
  return Number.isSafeInteger(value) && value > 0 && value < 1e11 ? new Date(value * 1_000) : undefined;
}

export function errorOf(code: string, message: string, at: Date): LastError {
  return { code, message, trace_id: null, at: at.toISOString() };
}
