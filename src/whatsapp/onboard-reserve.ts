import { randomInt } from "node:crypto";
import type { Tx } from "../db/database.ts";
import { isUniqueViolation } from "../db/violations.ts";
import {
  type ConnectionRow,
  OVER,
  openPin,
  openToken,
  sealPin,
  sealToken,
  selectLive,
} from "./connection.ts";
import { numberColumns } from "./number-facts.ts";
import { OnboardStop } from "./onboard-answer.ts";
import type { Choice } from "./onboard-assets.ts";
import { type Attempt, tenantOf } from "./onboard-attempt.ts";
import { holdPageToken, Superseded } from "./page-token-claim.ts";

/**
 * From here on the number is this workspace's and nobody else's in the installation. Where the workspace had it already,
 * that connection goes on with the new token: its id, its inbox and its conversations stay.
 */
export async function reserveNumber(
  attempt: Attempt,
  connection: ConnectionRow,
  choice: Choice,
): Promise<ConnectionRow> {
  try {
    return await attempt.app.db.asTenant(tenantOf(attempt), (tx) =>
      reserveIn(attempt, tx, connection, choice),
    );
  } catch (error) {
    if (!isTaken(error)) throw error;
    // Whose it is, is nobody else's business.
    throw new OnboardStop({
      step: "reserve_number",
      code: "number_in_use",
      message: "This number is connected already. Disconnect it where it is, or choose another.",
      needs: "number",
    });
  }
}

function isTaken(error: unknown): boolean {
  return (
    isUniqueViolation(error, "whatsapp_connections_number") ||
    isUniqueViolation(error, "whatsapp_connections_workspace")
  );
}

async function reserveIn(
  attempt: Attempt,
  tx: Tx,
  connection: ConnectionRow,
  choice: Choice,
): Promise<ConnectionRow> {
  const { app, claim } = attempt;
  await holdPageToken(app, tx, claim);
  const earlier = await selectLive(tx, connection.workspace_id)
    .where("phone_number_id", "=", choice.number.id)
    .where("id", "<>", connection.id)
    .forUpdate()
    .executeTakeFirst();
  const target = earlier ?? connection;
  if (earlier !== undefined) {
    await holdPageToken(app, tx, claim, { connection_id: earlier.id });
    await tx.deleteFrom("whatsapp_connections").where("id", "=", connection.id).execute();
  }
  const row = await tx
    .updateTable("whatsapp_connections")
    .set({
      ...numberColumns(choice.number),
      is_coexistence: choice.number.isOnBusinessApp,
      step: "reserved",
      attempt: claim.attempt,
      waba_id: choice.account.id,
      business_id: choice.account.ownerBusinessId,
      phone_number_id: choice.number.id,
      // Meta counts for each number.
      registrations: target.phone_number_id === choice.number.id ? target.registrations : 0,
      token: sealToken(app, target.id, openToken(app, connection)),
      token_expires_at: connection.token_expires_at,
      pin: sealPin(app, target.id, await pinFor(attempt, tx, target, choice.number.id)),
      updated_at: app.now(),
    })
    .where("id", "=", target.id)
    .where("status", "not in", OVER)
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) throw new Superseded("the connection was ended meanwhile");
  return row;
}

/** The one that this workspace gave the number earlier, since it may still have it; else one at random. */
async function pinFor(
  attempt: Attempt,
  tx: Tx,
  target: ConnectionRow,
  phoneNumberId: string,
): Promise<string> {
  const { app } = attempt;
  const earlier = await tx
    .selectFrom("whatsapp_connections")
    .selectAll()
    .where("workspace_id", "=", target.workspace_id)
    .where("phone_number_id", "=", phoneNumberId)
    .where("pin", "is not", null)
    .orderBy("created_at", "desc")
    .limit(1)
    .executeTakeFirst();
  const known = earlier === undefined ? null : openPin(app, earlier);
  return known ?? String(randomInt(1_000_000)).padStart(6, "0");
}
