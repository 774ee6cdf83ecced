import { z } from "zod";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { JobFailure, type JobHandler } from "../jobs/worker.ts";
import type { MessengerErrorKind } from "../ports/messenger.ts";
import { asJson, asMessengerError, type ConnectionRow, lastErrorOf, OVER, openToken } from "./connection.ts";
import { DISCONNECT_JOB } from "./disconnect.ts";

const CALL_MS = 15_000;
/** After these there is nothing left to undo: the token, the account or the number is gone, or was never there. */
const MOOT: readonly MessengerErrorKind[] = [
  "reauth",
  "permission",
  "asset",
  "foreign",
  "not_registered",
  "coexistence",
  "rejected",
];

const Payload = z.object({ connectionId: z.uuid(), releaseNumber: z.boolean() });

/** Tells Meta what {@link DISCONNECT_JOB} is for, and then forgets the token. */
export const disconnectHandler: JobHandler = async (app, job) => {
  const payload = Payload.safeParse(job.payload);
  if (!payload.success) throw new JobFailure("bad_payload", "This job does not say what to disconnect.");
  const { connectionId, releaseNumber } = payload.data;
  try {
    await finishDisconnection(app, connectionId, releaseNumber, job.signal);
  } catch (error) {
    // Kept any longer, the token would outlive its purpose for the sake of a call that does not succeed.
    if (job.isLastAttempt && !job.signal.aborted) await forgetToken(app, connectionId, error);
    throw error;
  }
};

/** Safe to repeat. @throws MessengerError when trying again may help */
export async function finishDisconnection(
  app: App,
  connectionId: string,
  releaseNumber: boolean,
  signal: AbortSignal,
): Promise<void> {
  const connection = await findEnding(app, connectionId);
  if (connection === undefined) return;
  if (releaseNumber) await release(app, connection, signal);
  await unsubscribe(app, connection, signal);
  await forgetToken(app, connectionId, undefined);
}

async function findEnding(app: App, connectionId: string): Promise<ConnectionRow | undefined> {
  return app.db.asSystem(
    "jobs",
    (tx) =>
      tx
        .selectFrom("whatsapp_connections")
        .selectAll()
        .where("id", "=", connectionId)
        .where("status", "=", "disconnecting")
        .where("token", "is not", null)
        .executeTakeFirst(),
    "background",
  );
}

/** Our app hears of an account as a whole: as long as another connection has a number of it, it must go on. */
async function unsubscribe(app: App, connection: ConnectionRow, signal: AbortSignal): Promise<void> {
  const { messenger } = app;
  const { waba_id: wabaId } = connection;
  if (messenger === null || wabaId === null) return;
  if ((await findSibling(app, wabaId)) !== undefined) return;
  await unlessMoot((within) => messenger.unsubscribe(openToken(app, connection), wabaId, within), signal);
  // One that was connected in between has subscribed for nothing.
  const sibling = await findSibling(app, wabaId);
  if (sibling === undefined) return;
  await unlessMoot((within) => messenger.subscribe(openToken(app, sibling), wabaId, within), signal);
}

async function release(app: App, connection: ConnectionRow, signal: AbortSignal): Promise<void> {
  const { messenger } = app;
  const { phone_number_id: phoneNumberId } = connection;
  if (messenger === null || phoneNumberId === null || connection.is_coexistence) return;
  const successor = await app.db.asSystem("jobs", (tx) =>
    selectLiveWithToken(tx).where("phone_number_id", "=", phoneNumberId).executeTakeFirst(),
  );
  if (successor !== undefined) return;
  await unlessMoot(
    (within) => messenger.deregister(openToken(app, connection), phoneNumberId, within),
    signal,
  );
}

async function findSibling(app: App, wabaId: string): Promise<ConnectionRow | undefined> {
  return app.db.asSystem(
    "jobs",
    (tx) =>
      selectLiveWithToken(tx)
        .where("waba_id", "=", wabaId)
        .where("phone_number_id", "is not", null)
        .executeTakeFirst(),
    "background",
  );
}

function selectLiveWithToken(tx: Tx) {
  return tx
    .selectFrom("whatsapp_connections")
    .selectAll()
    .where("status", "not in", OVER)
    .where("token", "is not", null)
    .limit(1);
}

async function unlessMoot(call: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
  try {
    await call(AbortSignal.any([signal, AbortSignal.timeout(CALL_MS)]));
  } catch (error) {
    const refusal = asMessengerError(error);
    if (refusal === undefined || !MOOT.includes(refusal.kind)) throw refusal ?? error;
  }
}

/** The PIN stays, sealed: the customer needs it wherever the number goes next. */
async function forgetToken(app: App, connectionId: string, cause: unknown): Promise<void> {
  const error = asMessengerError(cause);
  await app.db.asSystem(
    "jobs",
    (tx) =>
      tx
        .updateTable("whatsapp_connections")
        .set({
          status: "disconnected",
          token: null,
          updated_at: app.now(),
          ...(error === undefined ? {} : { last_error: asJson(lastErrorOf(error, app.now())) }),
        })
        .where("id", "=", connectionId)
        .where("status", "=", "disconnecting")
        .execute(),
    "background",
  );
}
