import { sql } from "kysely";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { every } from "../jobs/schedule.ts";
import type { MessengerError } from "../ports/messenger.ts";
import {
  asJson,
  asMessengerError,
  type ConnectionRow,
  changeStatus,
  lastErrorOf,
  openPin,
  openToken,
  ownerOf,
  tell,
} from "./connection.ts";
import { type Health, readHealth, statusByHealth } from "./health.ts";
import { isRegistered, numberColumns } from "./number-facts.ts";
import type { ConnectionStatus } from "./whatsapp.tables.ts";

const AT_ONCE = 20;
const CALL_MS = 15_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Who is looking at it, or died doing so. */
const LEASE_MS = 10 * MINUTE_MS;
const RETRY_MS = 30 * MINUTE_MS;
/** The longer a review takes, the more rarely it is asked about. */
const REVIEW_MS = { least: 15 * MINUTE_MS, most: 12 * HOUR_MS };
const WARN_MS = 7 * DAY_MS;
/** By itself a number is registered twice; then its customer has to do something. */
const AUTOMATIC_TRIES = 2;
/** All others wait for their customer, who is not told anew what to do. */
const CHECKED: readonly ConnectionStatus[] = ["active", "needs_payment", "blocked", "pending_name_review"];
const NAME_APPROVED = ["APPROVED", "AVAILABLE_WITHOUT_REVIEW"];

type Place = { token: string; wabaId: string; phoneNumberId: string };

/** Every minute, until stopped. */
export function startConnectionChecks(app: App): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const end = every(MINUTE_MS, async () => {
    try {
      await checkConnections(app, stopping.signal);
    } catch (error) {
      if (!stopping.signal.aborted) app.log.warn({ error }, "connections could not be checked");
    }
  });
  return {
    async stop() {
      stopping.abort();
      await end();
    },
  };
}

/**
 * Looks at connections whose time has come: whether the number still works, whether Meta has approved its name (then it
 * is registered), whether the customer's sign-in is about to end.
 */
export async function checkConnections(app: App, signal: AbortSignal): Promise<void> {
  if (app.messenger === null) return;
  for (const connection of await claimDue(app)) {
    signal.throwIfAborted();
    try {
      await check(app, connection, signal);
    } catch (error) {
      app.log.warn(
        { error, connectionId: connection.id, ...ownerOf(connection) },
        "a connection was not checked",
      );
    }
  }
}

async function claimDue(app: App): Promise<ConnectionRow[]> {
  const now = app.now();
  return app.db.asSystem(
    "jobs",
    (tx) =>
      tx
        .updateTable("whatsapp_connections")
        .set({ check_at: new Date(now.getTime() + LEASE_MS) })
        .where("id", "in", (eb) =>
          eb
            .selectFrom("whatsapp_connections")
            .select("id")
            .where("check_at", "<=", now)
            .where("status", "in", CHECKED)
            .where("token", "is not", null)
            .orderBy("check_at")
            .limit(AT_ONCE)
            .forUpdate()
            .skipLocked(),
        )
        .returningAll()
        .execute(),
    "background",
  );
}

async function check(app: App, connection: ConnectionRow, signal: AbortSignal): Promise<void> {
  const { messenger } = app;
  const { waba_id: wabaId, phone_number_id: phoneNumberId, token_expires_at: expiresAt } = connection;
  if (messenger === null || wabaId === null || phoneNumberId === null) return;
  if (expiresAt !== null && expiresAt <= app.now()) return signOut(app, connection, "token_expired");
  const place = { token: openToken(app, connection), wabaId, phoneNumberId };
  let health: Health;
  try {
    health = await readHealth(messenger, place, within(signal));
  } catch (error) {
    return checkFailed(app, connection, error);
  }
  if (health.number === null) return signOut(app, connection, "asset_not_accessible");
  if (connection.status === "pending_name_review" && !isRegistered(health.number))
    return checkName(app, connection, place, health, signal);
  return settle(app, connection, health);
}

async function settle(
  app: App,
  connection: ConnectionRow,
  health: Health,
  againInMs?: number,
): Promise<void> {
  const { status, reason } = statusByHealth(health.report);
  const laterMs = againInMs ?? (status === "active" ? DAY_MS : HOUR_MS);
  const endsSoon =
    connection.token_expires_at !== null &&
    connection.token_expires_at.getTime() - app.now().getTime() < WARN_MS;
  const why = status === "active" && endsSoon ? "token_expires_soon" : reason;
  await write(app, connection, laterMs, async (tx) => {
    await keepFacts(tx, connection, health);
    await changeStatus(app, tx, connection, status, why, null);
    if (why !== "token_expires_soon" || connection.status_reason === why) return;
    await tell(app, tx, connection, "whatsapp.reauth_required", {
      reason: why,
      token_expires_at: connection.token_expires_at?.toISOString() ?? null,
    });
  });
}

/** Registered once Meta has nothing against the name; asked about less and less often until then. */
async function checkName(
  app: App,
  connection: ConnectionRow,
  place: Place,
  health: Health,
  signal: AbortSignal,
): Promise<void> {
  const name = health.number?.nameStatus ?? "";
  const reason = name === "DECLINED" ? "name_declined" : "name_review";
  const wait = (why: string) =>
    write(app, connection, reviewMs(app, connection), async (tx) => {
      await keepFacts(tx, connection, health);
      await changeStatus(app, tx, connection, "pending_name_review", why);
    });
  if (!NAME_APPROVED.includes(name)) return wait(reason);
  if (connection.registrations >= AUTOMATIC_TRIES)
    return giveUp(app, connection, "needs_register", "register_failed");
  await write(app, connection, RETRY_MS, (tx) => countTry(tx, connection));
  try {
    const pin = openPin(app, connection) ?? "";
    await app.messenger?.register(place.token, place.phoneNumberId, pin, within(signal));
  } catch (error) {
    const refusal = asMessengerError(error);
    if (refusal === undefined) throw error;
    if (refusal.kind === "name_review") return wait("name_review");
    return registerFailed(app, connection, refusal);
  }
  // What was said of its health was said before it could send.
  return settle(app, connection, { number: health.number, report: null }, MINUTE_MS);
}

async function registerFailed(app: App, connection: ConnectionRow, refusal: MessengerError): Promise<void> {
  switch (refusal.kind) {
    case "pin_mismatch":
      return giveUp(app, connection, "needs_pin", "pin_mismatch", refusal);
    case "unverified":
      return giveUp(app, connection, "needs_verification", "number_unverified", refusal);
    case "reauth":
    case "permission":
    case "asset":
    case "transient":
    case "throttled":
    case "wait":
      return checkFailed(app, connection, refusal);
    default:
      return giveUp(app, connection, "needs_register", refusal.kind, refusal);
  }
}

/** What only its customer can mend, is not asked about any more. */
async function giveUp(
  app: App,
  connection: ConnectionRow,
  status: ConnectionStatus,
  reason: string,
  refusal?: MessengerError,
): Promise<void> {
  const error = refusal === undefined ? undefined : lastErrorOf(refusal, app.now());
  await write(app, connection, null, (tx) => changeStatus(app, tx, connection, status, reason, error));
}

async function checkFailed(app: App, connection: ConnectionRow, error: unknown): Promise<void> {
  const refusal = asMessengerError(error);
  if (refusal === undefined) throw error;
  const reasons = { reauth: "token_invalid", permission: "permission", asset: "asset_not_accessible" };
  const { kind } = refusal;
  if (kind === "reauth" || kind === "permission" || kind === "asset")
    return signOut(app, connection, reasons[kind], refusal);
  await write(app, connection, RETRY_MS, (tx) =>
    tx
      .updateTable("whatsapp_connections")
      .set({ last_error: asJson(lastErrorOf(refusal, app.now())) })
      .where("id", "=", connection.id)
      .execute(),
  );
}

async function signOut(
  app: App,
  connection: ConnectionRow,
  reason: string,
  refusal?: MessengerError,
): Promise<void> {
  return giveUp(app, connection, "reauth_required", reason, refusal);
}

/** @param againInMs null: not by itself */
async function write(
  app: App,
  connection: ConnectionRow,
  againInMs: number | null,
  work: (tx: Tx) => Promise<unknown>,
): Promise<void> {
  const { partnerId, accountId, workspaceId } = ownerOf(connection);
  await app.db.asTenant(
    { partnerId, accountId, workspaceId },
    async (tx) => {
      const checkAt = againInMs === null ? null : new Date(app.now().getTime() + againInMs);
      const held = await tx
        .updateTable("whatsapp_connections")
        .set({ check_at: checkAt, updated_at: app.now() })
        .where("id", "=", connection.id)
        // Signed in to anew, or ended, while Meta was asked: what it said is of yesterday.
        .where("attempt", "=", connection.attempt)
        .where("status", "=", connection.status)
        .returning("id")
        .executeTakeFirst();
      if (held !== undefined) await work(tx);
    },
    "background",
  );
}

async function keepFacts(tx: Tx, { id }: ConnectionRow, { number, report }: Health): Promise<void> {
  await tx
    .updateTable("whatsapp_connections")
    .set({ ...(number === null ? {} : numberColumns(number)), health: asJson(report) })
    .where("id", "=", id)
    .execute();
}

async function countTry(tx: Tx, { id }: ConnectionRow): Promise<void> {
  await tx
    .updateTable("whatsapp_connections")
    .set({ registrations: sql`registrations + 1` })
    .where("id", "=", id)
    .execute();
}

function reviewMs(app: App, { created_at: since }: ConnectionRow): number {
  return Math.min(REVIEW_MS.most, Math.max(REVIEW_MS.least, (app.now().getTime() - since.getTime()) / 2));
}

function within(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(CALL_MS)]);
}
