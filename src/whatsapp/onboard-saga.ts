import { recordAudit } from "../audit/record.ts";
import type { Tx } from "../db/database.ts";
import { enqueueSync } from "./coexistence.jobs.ts";
import {
  asJson,
  asMessengerError,
  type ConnectionRow,
  changeStatus,
  lastErrorOf,
  OVER,
} from "./connection.ts";
import { type Health, readHealth, statusByHealth } from "./health.ts";
import { numberColumns } from "./number-facts.ts";
import type { OnboardAnswer } from "./onboard.schemas.ts";
import { answerDone, answerStop, OnboardStop, type Stop } from "./onboard-answer.ts";
import { verifyAssets } from "./onboard-assets.ts";
import { type Attempt, ask, placeOf, tenantOf, writeConnection } from "./onboard-attempt.ts";
import { ensureToken, inspectToken } from "./onboard-exchange.ts";
import { NameInReview, registerNumber } from "./onboard-register.ts";
import { reserveNumber } from "./onboard-reserve.ts";
import { holdPageToken, releasePageToken, Superseded } from "./page-token-claim.ts";
import type { ConnectionStatus, ConnectionStep } from "./whatsapp.tables.ts";

const HEALTH_MS = 15_000;
const CHECK_DAILY_MS = 24 * 3_600_000;
const CHECK_HOURLY_MS = 3_600_000;
const CHECK_SOON_MS = 60_000;
const CHECK_NAME_MS = 15 * 60_000;
const ORDER: readonly ConnectionStep[] = [
  "started",
  "exchanged",
  "inspected",
  "verified",
  "reserved",
  "subscribed",
  "registered",
  "finished",
];

/**
 * Goes on from the step that was done last, whichever attempt did it. Each is written before the next begins, so that
 * whatever ends this process, the page can go on; and Meta does not mind being asked twice for what it has done.
 *
 * @throws Superseded
 */
export async function runSaga(attempt: Attempt): Promise<OnboardAnswer> {
  let connection: ConnectionRow | undefined;
  try {
    connection = await ensureToken(attempt);
    if (isBefore(connection, "reserved")) {
      const inspected = await inspectToken(attempt, connection);
      const choice = await verifyAssets(attempt, inspected);
      connection = await reserveNumber(attempt, inspected.connection, choice);
    }
    if (isBefore(connection, "subscribed")) connection = await subscribe(attempt, connection);
    if (isBefore(connection, "registered")) connection = await registerNumber(attempt, connection);
    return await finish(attempt, connection, await lookAt(attempt, connection));
  } catch (error) {
    const id = connection?.id ?? attempt.claim.row.connection_id;
    if (error instanceof OnboardStop) return stop(attempt, id, error.facts);
    if (error instanceof NameInReview && connection !== undefined)
      return finish(attempt, connection, { status: "pending_name_review", reason: "name_review" });
    if (!(error instanceof Superseded)) await letGo(attempt);
    throw error;
  }
}

function isBefore(connection: ConnectionRow, step: ConnectionStep): boolean {
  return ORDER.indexOf(connection.step) < ORDER.indexOf(step);
}

async function subscribe(attempt: Attempt, connection: ConnectionRow): Promise<ConnectionRow> {
  const { token, wabaId } = placeOf(attempt.app, connection);
  await ask(attempt, "subscribe", (messenger, signal) => messenger.subscribe(token, wabaId, signal));
  return writeConnection(attempt, connection.id, { step: "subscribed" });
}

/** What a connection is at its end. */
interface End {
  status: ConnectionStatus;
  reason: string | null;
  /** Undefined: Meta could not be asked. */
  health?: Health;
}

/** A number that works is not held up because Meta does not say how it is: it is asked again soon. */
async function lookAt(attempt: Attempt, connection: ConnectionRow): Promise<End> {
  try {
    const place = placeOf(attempt.app, connection);
    const health = await readHealth(attempt.messenger, place, AbortSignal.timeout(HEALTH_MS));
    return { ...statusByHealth(health.report), health };
  } catch (error) {
    if (asMessengerError(error) === undefined) throw error;
    return { status: "active", reason: null };
  }
}

async function finish(attempt: Attempt, { id }: ConnectionRow, end: End): Promise<OnboardAnswer> {
  const { app, claim } = attempt;
  const { number = null, report = null } = end.health ?? {};
  return app.db.asTenant(tenantOf(attempt), async (tx) => {
    await holdPageToken(app, tx, claim);
    const written = await tx
      .updateTable("whatsapp_connections")
      .set({
        ...(number === null ? {} : numberColumns(number)),
        step: "finished",
        attempt: claim.attempt,
        registrations: 0,
        health: asJson(report),
        last_error: null,
        check_at: new Date(app.now().getTime() + checkInMs(end)),
        updated_at: app.now(),
      })
      .where("id", "=", id)
      .where("status", "not in", OVER)
      .returningAll()
      .executeTakeFirst();
    if (written === undefined) throw new Superseded("the connection was ended meanwhile");
    const connection = { ...written, status: end.status, status_reason: end.reason };
    const answer = answerDone(connection);
    await releasePageToken(app, tx, claim, answer, true);
    await auditConnected(attempt, tx, connection);
    await changeStatus(app, tx, connection, end.status, end.reason);
    if (connection.is_coexistence && written.connected_at === null) await enqueueSync(app, tx, connection);
    return answer;
  });
}

/** In the name of the key that made the link: whoever opened it has none. */
async function auditConnected(attempt: Attempt, tx: Tx, connection: ConnectionRow): Promise<void> {
  const { app, claim, requestId } = attempt;
  const caller = { ...tenantOf(attempt), actor: { kind: "key" as const, id: claim.row.key_id }, requestId };
  await recordAudit(app, tx, caller, {
    action: "whatsapp.connected",
    resourceType: "whatsapp_connection",
    resourceId: connection.id,
    organizationId: connection.organization_id,
    workspaceId: connection.workspace_id,
    details: { status: connection.status },
  });
}

function checkInMs({ status, health }: End): number {
  if (status === "pending_name_review") return CHECK_NAME_MS;
  if (health === undefined) return CHECK_SOON_MS;
  return status === "active" ? CHECK_DAILY_MS : CHECK_HOURLY_MS;
}

/** Writes down why it went no further, and gives the lease back. */
async function stop(attempt: Attempt, connectionId: string | null, facts: Stop): Promise<OnboardAnswer> {
  const { app, claim } = attempt;
  const { cause, status, step, code } = facts;
  const log = {
    connectionId,
    step,
    code,
    kind: cause?.kind,
    metaCode: cause?.metaCode,
    traceId: cause?.traceId,
  };
  app.log.info({ ...log, requestId: attempt.requestId, ...tenantOf(attempt) }, "a WhatsApp signup waits");
  return app.db.asTenant(tenantOf(attempt), async (tx) => {
    await holdPageToken(app, tx, claim);
    const at = app.now();
    const error = cause === undefined ? undefined : { ...lastErrorOf(cause, at), message: facts.message };
    if (connectionId !== null) {
      if (error !== undefined) {
        await tx
          .updateTable("whatsapp_connections")
          .set({ last_error: asJson(error), updated_at: at })
          .where("id", "=", connectionId)
          .execute();
      }
      if (status !== undefined) await changeStatus(app, tx, { id: connectionId }, status, code);
    }
    const connection =
      connectionId === null
        ? undefined
        : await tx
            .selectFrom("whatsapp_connections")
            .selectAll()
            .where("id", "=", connectionId)
            .executeTakeFirst();
    const answer = answerStop(facts, connection);
    await releasePageToken(app, tx, claim, answer, false);
    return answer;
  });
}

/** A fault of ours: the page may try again at once instead of waiting for the lease to end. */
async function letGo(attempt: Attempt): Promise<void> {
  const { app, claim } = attempt;
  await app.db
    .asTenant(tenantOf(attempt), (tx) => releasePageToken(app, tx, claim, null, false))
    .catch((error: unknown) => app.log.warn({ error }, "a lease could not be given back; it will run out"));
}
