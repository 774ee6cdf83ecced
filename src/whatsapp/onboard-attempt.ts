import type { App } from "../context.ts";
import type { Tenant } from "../db/database.ts";
import type { Messenger, MessengerError } from "../ports/messenger.ts";
import { asMessengerError, type ConnectionRow, OVER, openToken } from "./connection.ts";
import type { OnboardBody, OnboardStep } from "./onboard.schemas.ts";
import { OnboardStop, type Stop, stopOf } from "./onboard-answer.ts";
import { type Claimed, holdPageToken, Superseded } from "./page-token-claim.ts";

/** One attempt to connect a number, from the claim of its link to the answer. */
export interface Attempt {
  app: App;
  messenger: Messenger;
  claim: Claimed;
  body: OnboardBody;
  requestId: string;
}

/** Less than the lease, which every step begins anew. */
const STEP_MS = 15_000;

/**
 * One call to Meta. What it refuses ends the attempt, in the words of `explain` or those for all steps; nothing is
 * repeated in here.
 */
export async function ask<T>(
  { messenger }: Attempt,
  step: OnboardStep,
  call: (messenger: Messenger, signal: AbortSignal) => Promise<T>,
  explain: (error: MessengerError) => Stop | undefined = () => undefined,
): Promise<T> {
  try {
    return await call(messenger, AbortSignal.timeout(STEP_MS));
  } catch (error) {
    const refusal = asMessengerError(error);
    if (refusal === undefined) throw error;
    throw new OnboardStop(explain(refusal) ?? stopOf(step, refusal));
  }
}

type Change = Partial<Omit<ConnectionRow, "id" | "health" | "last_error">>;

/** What a step has done, written only as long as this attempt is the one that counts. @throws Superseded */
export async function writeConnection(
  attempt: Attempt,
  connectionId: string,
  change: Change,
): Promise<ConnectionRow> {
  const { app, claim } = attempt;
  return app.db.asTenant(tenantOf(attempt), async (tx) => {
    await holdPageToken(app, tx, claim);
    const row = await tx
      .updateTable("whatsapp_connections")
      .set({ ...change, attempt: claim.attempt, updated_at: app.now() })
      .where("id", "=", connectionId)
      .where("status", "not in", OVER)
      .returningAll()
      .executeTakeFirst();
    if (row === undefined) throw new Superseded("the connection was ended meanwhile");
    return row;
  });
}

export function tenantOf({ claim }: Attempt): Tenant & { accountId: string; workspaceId: number } {
  const { row } = claim;
  return { partnerId: row.partner_id, accountId: row.account_id, workspaceId: row.workspace_id };
}

/** What a call about the number needs; there from the reservation on. */
export function placeOf(app: App, connection: ConnectionRow) {
  const { waba_id: wabaId, phone_number_id: phoneNumberId } = connection;
  if (wabaId === null || phoneNumberId === null)
    throw new Error(`the connection ${connection.id} has no number`);
  return { token: openToken(app, connection), wabaId, phoneNumberId };
}
