import { z } from "zod";
import type { Messenger, MessengerNumber } from "../ports/messenger.ts";
import type { ConnectionStatus } from "./whatsapp.tables.ts";

/** How Meta says a number is. */
export interface Health {
  /** Null: it is no longer among those of its account. */
  number: MessengerNumber | null;
  /** As Meta gives it. */
  report: Record<string, unknown> | null;
}

const PAYMENT_CODES = [131042, 141006];

const Report = z.object({
  can_send_message: z.string().optional(),
  entities: z
    .array(z.object({ errors: z.array(z.object({ error_code: z.number().optional() })).optional() }))
    .optional(),
});

/** @throws MessengerError */
export async function readHealth(
  messenger: Messenger,
  place: { token: string; wabaId: string; phoneNumberId: string },
  signal: AbortSignal,
): Promise<Health> {
  const numbers = await messenger.listNumbers(place.token, place.wabaId, signal);
  const report = await messenger.getHealth(place.token, place.phoneNumberId, signal);
  return { number: numbers.find(({ id }) => id === place.phoneNumberId) ?? null, report };
}

/** What a connected number is by its report: able to send, or in want of something only its customer can do. */
export function statusByHealth(report: Health["report"]): {
  status: ConnectionStatus;
  reason: string | null;
} {
  const { can_send_message: can, entities = [] } = Report.safeParse(report ?? {}).data ?? {};
  if (can !== "BLOCKED") return { status: "active", reason: null };
  const codes = entities.flatMap(({ errors = [] }) => errors.map(({ error_code: code }) => code));
  return codes.some((code) => code !== undefined && PAYMENT_CODES.includes(code))
    ? { status: "needs_payment", reason: "payment" }
    : { status: "blocked", reason: "health" };
}
